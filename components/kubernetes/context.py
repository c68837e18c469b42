"""What every Kubernetes component of a stack shares: names, labels, the cluster, the storage class."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components import naming
from components.naming import Naming

PART_OF = "strata"
PURPOSE = b"strata: rolls pods out when a file of theirs changes"


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The class of every claim. `name` None is the cluster's default class; `encrypted` is what the class does.

    `declared`: the stack makes the class itself.
    """

    name: str | None = None
    encrypted: bool = False
    declared: bool = False


@dataclass(frozen=True, kw_only=True)
class KubernetesContext:
    """Handed to every component of the platform."""

    naming: Naming
    context: str | None  # of the kubeconfig
    namespace: str  # of the backends
    state_id: pulumi.Output[str]
    images: Mapping[str, str]  # backend -> image name
    storage: Storage
    delete_data: frozenset[str] = frozenset()  # claims that the next destroy is to take with it

    @property
    def instance(self) -> str:
        """The stack, as labels tell it."""
        return self.naming.stack

    @property
    def stack_label(self) -> str:
        """Values of labels have no slash."""
        return self.naming.stack_label.replace("/", ".")

    def labels(self, name: str, component: str) -> dict[str, pulumi.Input[str]]:
        """Kubernetes' recommended labels, and Strata's."""
        return {
            **self.selector(name),
            "app.kubernetes.io/component": component,
            "app.kubernetes.io/part-of": PART_OF,
            "app.kubernetes.io/managed-by": "pulumi",
            naming.LABEL_STACK: self.stack_label,
            naming.LABEL_STATE: self.state_id,
        }

    def selector(self, name: str) -> dict[str, str]:
        """What tells the pods of one backend from all others of the namespace; it never changes."""
        return {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": self.instance}

    def metadata(self, name: str, component: str, **more: object) -> dict[str, object]:
        """Of an object in the namespace of the backends."""
        return {"name": name, "namespace": self.namespace, "labels": self.labels(name, component), **more}


def checksum(*parts: pulumi.Input[str]) -> pulumi.Output[str]:
    """Changes with what pods read from files, and says nothing about it: secrets there have 200 bits and more."""

    def digest(texts: list[str]) -> str:
        return hmac.digest(PURPOSE, "\0".join(texts).encode(), hashlib.sha256).hex()[:32]

    found: pulumi.Output[str] = pulumi.Output.all(*parts).apply(digest)
    return pulumi.Output.unsecret(found)
