"""What must be true in a Kubernetes cluster before anything is changed there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, Resource

from components.quantities import quantity_bytes
from components.slices.cluster import Cluster, cluster
from components.slices.errors import SliceError
from components.slices.resource import Props, SliceProvider, inputs_of

STACK: Final = "strata.stack"
STATE: Final = "strata.state"
DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, kw_only=True)
class ClaimArgs:
    """A claim that the stack is about to have; `setting` is the key that sizes it, `size` in bytes."""

    namespace: str
    name: str
    size: int
    setting: str


@dataclass(frozen=True, kw_only=True)
class KubernetesPreflightArgs:
    """`stack` as labels have it. `storage_class` None is the cluster's default; `declared`: the stack makes it."""

    stack: str
    state_id: pulumi.Input[str]
    namespace: str  # of the backends
    namespaces: Sequence[str] = ()  # that the stack makes
    stateful_sets: Sequence[str] = ()
    claims: Sequence[ClaimArgs] = ()
    storage_class: str | None = None
    declared: bool = False
    context: str | None = None


class KubernetesPreflightProvider(SliceProvider):
    """Everything happens in `check`, which runs in every plan: what is refused has changed nothing yet."""

    client: ClassVar = "lightkube.config.client_adapter"
    compared: ClassVar = ("stack", "namespaces", "stateful_sets", "claims", "storage_class", "adopted")
    shared: ClassVar = ()

    def check(self, olds: Props, news: Props) -> CheckResult:
        try:
            with cluster(news.get("context")) as api:
                inspection = _Inspection(api, news)
                failures = [CheckFailure(*finding) for finding in inspection.findings()]
                return CheckResult({**news, "adopted": inspection.adopted()}, failures)
        except SliceError as error:
            return CheckResult(news, [CheckFailure("context", str(error))])

    def identifier(self, props: Props) -> str:
        return str(props["stack"])

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        return {}

    def live(self, props: Props) -> Props | None:
        return {}

    def delete(self, id_: str, props: Props) -> None:
        """Nothing was made."""


class KubernetesPreflight(Resource, module="strata", name="KubernetesPreflight"):
    """Refuses what would fail half-way, or take what is not this stack's.

    `adopted` names the claims that another state made and this stack goes on with.
    """

    adopted: pulumi.Output[list[str]]

    def __init__(self, name: str, args: KubernetesPreflightArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(KubernetesPreflightProvider(), name, inputs_of(args, "adopted"), opts)


class _Inspection:
    """One look at the cluster. While a first plan does not know the state's id yet, nothing there is this stack's."""

    def __init__(self, api: Cluster, props: Props) -> None:
        self._api, self._props = api, props
        self._claims = [(claim, api.get(_claim_path(claim))) for claim in props["claims"]]

    def findings(self) -> Iterator[tuple[str, str]]:
        """What stands in the way: the property, and what to do."""
        for name in self._props["namespaces"]:
            yield from self._namespace(name)
        yield from self._other_state()
        classes = {item["metadata"]["name"]: item for item in self._api.items("/apis/storage.k8s.io/v1/storageclasses")}
        yield from self._storage_class(classes)
        for claim, live in self._claims:
            if live is not None:
                yield from _resized(claim, live, classes)

    def adopted(self) -> list[str]:
        found = []
        for claim, live in self._claims:
            if live is not None and _label(live, STATE) != self._props["state_id"]:
                found.append(f"{claim['namespace']}/{claim['name']}")
        return found

    def _namespace(self, name: str) -> Iterator[tuple[str, str]]:
        live = self._api.get(f"/api/v1/namespaces/{name}")
        if live is None:
            return
        if live.get("status", {}).get("phase") == "Terminating":
            yield "namespaces", f"the namespace `{name}` is being deleted. Wait until it is gone: kubectl get ns {name}"
        owner = _label(live, STACK)
        if owner != self._props["stack"]:
            whose = f"belongs to the stack {owner.replace('.', '/', 1)}" if owner else "is not Strata's"
            yield (
                "namespaces",
                f"the namespace `{name}` exists and {whose}. Give this stack other ones with"
                " strata:platform.namespace and strata:platform.prefix, or hand it over:"
                f" kubectl label --overwrite namespace {name} {STACK}={self._props['stack']}",
            )

    def _other_state(self) -> Iterator[tuple[str, str]]:
        namespace = self._props["namespace"]
        for name in self._props["stateful_sets"]:
            live = self._api.get(f"/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}")
            if live is not None and _label(live, STATE) != self._props["state_id"]:
                yield (
                    "stateful_sets",
                    f"the StatefulSet `{name}` in {namespace} was made by another state of this stack. Remove it"
                    f" (claims stay): kubectl delete statefulset {name} --namespace {namespace}",
                )

    def _storage_class(self, classes: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
        name = self._props.get("storage_class")
        if self._props.get("declared") or (name is not None and name in classes):
            return
        known = ", ".join(sorted(classes)) or "none"
        if name is not None:
            yield "storage_class", f"there is no StorageClass `{name}`. strata:platform.storage.name can be: {known}"
        elif not any(_is_default(item) for item in classes.values()):
            yield "storage_class", f"no StorageClass is the default. Name one in strata:platform.storage.name: {known}"


def _resized(claim: Props, live: dict[str, Any], classes: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """A claim never shrinks, and grows where its class lets it."""
    asked, has = int(claim["size"]), quantity_bytes(live["spec"]["resources"]["requests"]["storage"])
    where = f"the claim {claim['namespace']}/{claim['name']}"
    if asked < has:
        yield (
            "claims",
            f"{where} has {has} bytes, and no volume shrinks. Write at least that in {claim['setting']}: {has}",
        )
    name = live["spec"].get("storageClassName")
    if asked > has and name in classes and not classes[name].get("allowVolumeExpansion"):
        yield (
            "claims",
            f"{where} can't grow from {has} to {asked} bytes: its StorageClass `{name}` has no allowVolumeExpansion."
            f" Write {claim['setting']}: {has}, or allow it in the class",
        )


def _claim_path(claim: Props) -> str:
    return f"/api/v1/namespaces/{claim['namespace']}/persistentvolumeclaims/{claim['name']}"


def _label(live: dict[str, Any], name: str) -> str | None:
    found: str | None = (live["metadata"].get("labels") or {}).get(name)
    return found


def _is_default(storage_class: dict[str, Any]) -> bool:
    annotations = storage_class["metadata"].get("annotations") or {}
    return bool(annotations.get(DEFAULT_CLASS) == "true")
