"""What a consumer gets of a backend, the same from every platform."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.slices import AdminRef


@dataclass(frozen=True, kw_only=True)
class PortForward:
    """How this machine reaches a Service of a cluster: through the API. `context` is of the kubeconfig."""

    namespace: str
    service: str
    port: int
    grpc_port: int | None = None
    context: str | None = None


@dataclass(frozen=True, kw_only=True)
class View:
    """Where a backend is seen from one place: `host` (this machine), `network` (other containers) or `cluster`."""

    host: str
    port: int
    tls: bool = False
    grpc_port: int | None = None  # where the backend speaks gRPC, too
    access: PortForward | None = None  # None: a plain connection to host and port


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What carries a backend out, for checks that restart or kill it. Applications never read it."""

    kind: str  # the platform
    container: str
    docker_host: str | None = None  # the daemon's address; None is the default one


@dataclass(frozen=True, kw_only=True)
class KubernetesRuntime:
    """The same in a cluster."""

    kind: str
    namespace: str
    stateful_set: str
    pod: str
    container: str
    context: str | None = None


@dataclass(frozen=True, kw_only=True)
class BackendService:
    """A running, answering backend.

    `resource` is what it dies with: access inside a backend that is deleted needs no deletes of its own.
    `ready` is what everything inside it depends on.
    """

    views: Mapping[str, View]
    admin: AdminRef
    identity: pulumi.Output[str]
    version: pulumi.Output[str]
    resource: pulumi.Resource
    ready: pulumi.Resource
    runtime: Runtime | KubernetesRuntime
    signing_key: pulumi.Output[str] | None = None  # for tokens, where the backend knows logins by these
    password: pulumi.Output[str] | None = None  # of its only user, where one application has the server for itself
    ca: pulumi.Output[str] | None = None  # PEM, where the backend speaks TLS
