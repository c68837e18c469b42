"""Rolls an application's own workloads out when what they were given changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import pulumi
from pulumi.dynamic import Resource

from components.slices.cluster import Cluster, cluster
from components.slices.resource import Props, SliceProvider, inputs_of

CHECKSUM: Final = "strata.checksum"
KINDS: Final = ("deployments", "statefulsets", "daemonsets")


@dataclass(frozen=True, kw_only=True)
class RolloutArgs:
    """`pods` are labels, of which a workload's pods have one set; `checksum` is of what they read."""

    namespace: str
    pods: Sequence[Mapping[str, str]]
    checksum: pulumi.Input[str]
    context: str | None = None


class RolloutProvider(SliceProvider):
    """Writes the checksum on the pod templates, as `kubectl rollout restart` writes the time."""

    client: ClassVar = "lightkube.config.client_adapter"
    shared: ClassVar = ()
    compared: ClassVar = ("pods", "checksum")
    replacing: ClassVar = ("namespace",)

    def identifier(self, props: Props) -> str:
        return str(props["namespace"])

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        rolled = []
        with cluster(props.get("context")) as api:
            for path, workload in _workloads(api, props):
                annotations = workload["spec"]["template"]["metadata"].get("annotations") or {}
                if annotations.get(CHECKSUM) != props["checksum"]:
                    change = {"metadata": {"annotations": {CHECKSUM: props["checksum"]}}}
                    api.patch(path, {"spec": {"template": change}})
                    rolled.append(path.rpartition("/")[2])
        return {"rolled": sorted(rolled)}

    def live(self, props: Props) -> Props | None:
        return {}

    def delete(self, id_: str, props: Props) -> None:
        """What was rolled out goes on running."""


class Rollout(Resource, module="strata", name="Rollout"):
    """`rolled` names the workloads that were rolled out in the last run."""

    rolled: pulumi.Output[list[str]]

    def __init__(self, name: str, args: RolloutArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(RolloutProvider(), name, inputs_of(args, "rolled"), opts)


def _workloads(api: Cluster, props: Props) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in KINDS:
        folder = f"/apis/apps/v1/namespaces/{props['namespace']}/{kind}"
        for workload in api.items(folder):
            labels = workload["spec"]["template"]["metadata"].get("labels") or {}
            if any(wanted.items() <= labels.items() for wanted in props["pods"]):
                yield f"{folder}/{workload['metadata']['name']}", workload
