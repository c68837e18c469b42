"""How a slice finds the administrator's login without knowing its password."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import pulumi

from components.secretfiles import SecretFileError, forget_previous, previous_secrets, read_secret
from components.slices.errors import RefusedError, SliceError


@dataclass(frozen=True, kw_only=True)
class ClusterRef:
    """Where a backend is in a Kubernetes cluster. `secret` is a Secret there, with the administrator's password."""

    namespace: str
    stateful_set: str
    service: str
    secret: str
    context: str | None = None  # of the kubeconfig


@dataclass(frozen=True, kw_only=True)
class AdminRef:
    """The administrator's login of one backend, by reference.

    `secret` names the file (see `components.secretfiles`) that holds the password of the role `postgres`, or of the
    user `admin`. It is read when a provider acts, so that a rotation leaves no dead password in any state. With
    `cluster` it is there, under the last part of the name, and the backend is reached through the API. `ca` (PEM) is
    what its certificate is verified with, where it speaks TLS.
    """

    stack: str
    secret: str
    host: pulumi.Input[str]
    port: pulumi.Input[int]
    cluster: ClusterRef | None = None
    ca: pulumi.Input[str] | None = None


CLUSTER_FIELDS = tuple(field.name for field in fields(ClusterRef))


@dataclass(frozen=True)
class Address:
    """An `AdminRef` as a provider receives it: plain values."""

    stack: str
    secret: str
    host: str
    port: int
    cluster: ClusterRef | None = None
    ca: str | None = None

    @classmethod
    def of(cls, props: dict[str, Any]) -> "Address":
        """From a resource's properties."""
        admin = props["admin"]
        inside = admin.get("cluster")
        cluster = ClusterRef(**{key: inside.get(key) for key in CLUSTER_FIELDS}) if inside else None
        return cls(admin["stack"], admin["secret"], admin["host"], int(admin["port"]), cluster, admin.get("ca"))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def password(self) -> str:
        """The administrator's current password. Raises SliceError, naming the file that is missing."""
        if self.cluster is not None:
            return self._of_cluster(self.cluster)
        with _readable():
            return read_secret(self.stack, self.secret)

    def reached(self) -> tuple[str, int]:
        """Host and port to connect to from here. Raises SliceError when the cluster can't be asked."""
        if self.cluster is None:
            return self.host, self.port
        from components.slices.forward import Target, forwarded  # only clusters need it

        return forwarded(Target(self.cluster.context, self.cluster.namespace, self.cluster.service, self.port))

    @property
    def absent(self) -> str:
        """What to look at when nobody answers."""
        if self.cluster is None:
            return "Is its container running (docker ps)? `strata up` starts it"
        from components.slices.forward import Target, trouble

        target = Target(self.cluster.context, self.cluster.namespace, self.cluster.service, self.port)
        pods = f"Is its pod ready (kubectl get pods --namespace {self.cluster.namespace})? `strata up` waits for it"
        return trouble(target) or pods

    def earlier(self) -> list[str]:
        """Passwords that the backend may still accept instead of the current one, the newest first."""
        if self.cluster is not None:
            return []  # the pod takes another password when it starts, which another one makes it do
        with _readable():
            return previous_secrets(self.stack, self.secret)

    def settle(self) -> None:
        """The backend accepts the current password, and no earlier one is needed any more."""
        if self.cluster is not None:
            return
        with _readable():
            forget_previous(self.stack, self.secret)

    def _of_cluster(self, place: ClusterRef) -> str:
        from components.slices.cluster import cluster

        key = self.secret.rpartition("/")[2]
        with cluster(place.context) as api:
            secret = api.get(f"/api/v1/namespaces/{place.namespace}/secrets/{place.secret}")
        where, cure = f"in the namespace {place.namespace}", f"run `strata up --stack {self.stack}`"
        if secret is None:
            raise SliceError(f"there is no Secret {place.secret} {where}: {cure}")
        data = secret.get("data") or {}
        if key not in data:
            raise SliceError(
                f"the Secret {place.secret} {where} has no `{key}` but {', '.join(data) or 'nothing'}: {cure}"
            )
        return base64.b64decode(data[key]).decode()

    def with_each_password(self, act: Callable[[str], None]) -> None:
        """`act` with the current password, or else with the first earlier one that is not refused.

        Raises RefusedError if all are refused, and what `act` raises besides.
        """
        for password in (self.password(), *self.earlier()):
            try:
                return act(password)
            except RefusedError as error:
                refused = error
        raise refused


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except SecretFileError as error:
        raise SliceError(str(error)) from None
