"""What every Docker component of a stack shares: names, labels, the daemon, the network."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components import naming
from components.naming import Naming


@dataclass(frozen=True, kw_only=True)
class DockerContext:
    """Handed to every component of the platform."""

    naming: Naming
    host: str | None
    state_id: pulumi.Output[str]
    images: Mapping[str, str]  # backend -> image name
    delete_data: frozenset[str] = frozenset()  # volumes that the next destroy is to take with it

    def labels(self, name: str) -> list[dict[str, pulumi.Input[str]]]:
        """Labels of the physical object whose logical name is `name`, in the shape that pulumi-docker takes."""
        return [{"label": key, "value": value} for key, value in self.label_map(name).items()]

    def label_map(self, name: str) -> dict[str, pulumi.Input[str]]:
        return {
            naming.LABEL_STACK: self.naming.stack_label,
            naming.LABEL_NAME: name,
            naming.LABEL_STATE: self.state_id,
        }


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """Where a backend's container is attached: the stack's network, once it exists."""

    network: docker.Network
    preflight: pulumi.Resource
