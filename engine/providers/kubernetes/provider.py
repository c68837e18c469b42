"""The Kubernetes provider: any kind that the cluster knows, by server-side apply."""

import threading
from collections.abc import Mapping
from typing import Any

from engine.providers import Host
from engine.providers.base import Call, CheckFailed, Diff, Old, PartialFailure, Properties, ProviderError, Unsupported
from engine.providers.kubernetes import record
from engine.providers.kubernetes.awaiting import NotReadyError
from engine.providers.kubernetes.cluster import Cluster, Place
from engine.providers.kubernetes.conditions import wait_for
from engine.providers.kubernetes.errors import NoSuchKindError, UnreachableError
from engine.providers.kubernetes.kubeconfig import choose
from engine.providers.kubernetes.manifest import CLUSTER_SCOPED, group_kind, named, normalised, pruned
from engine.providers.kubernetes.operations import Operations
from engine.providers.kubernetes.ownership import annotation, manager_of
from engine.providers.kubernetes.plan import plan
from engine.providers.kubernetes.removal import PROPAGATION, propagation
from engine.providers.kubernetes.settings import Settings, settings
from engine.providers.kubernetes.types import identified, is_builtin
from engine.providers.kubernetes.waits import timeout_of
from engine.values import INPUTS


class KubernetesProvider:
    """`check` and `diff` ask the cluster nothing but whether a kind of an extension has namespaces."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._settings = Settings()
        self._open: Operations | None = None
        self._default: str | None = None  # the namespace of what says none
        self._lock = threading.Lock()

    def configure(self, config: Mapping[str, Any]) -> None:
        self.close()
        self._settings, self._default = settings(config), None

    def check(self, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
        api_version, kind = identified(call.type, inputs)
        manifest = normalised({**inputs, "apiVersion": api_version, "kind": kind})
        metadata = manifest["metadata"]
        if metadata.get("generateName") and not metadata.get("name"):
            reason = "is not supported by server-side apply: write `name`, or neither for a name that is made up"
            raise CheckFailed([("metadata.generateName", reason)])
        timeout_of(call, manifest)
        wait_for(manifest)
        propagation(annotation(manifest, PROPAGATION))
        return record.guarded(named(call, old_inputs, manifest, self._namespace(manifest)))

    def diff(self, call: Call, old: Old, inputs: Properties) -> Diff:
        metadata = old.outputs.get("metadata") or {}
        if metadata.get("deletionTimestamp"):  # it can't be kept from going
            return Diff(True, replaces=("metadata",), paths=("metadata.deletionTimestamp",), delete_before_replace=True)
        frozen = old.outputs.get("immutable") is True or inputs.get("immutable") is True
        data_changes = frozenset[str]() if frozen else self._settings.data_changes
        return plan(old, inputs, ignored=call.ignore_changes, data_changes=data_changes)

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        manager, initial = manager_of(call, inputs, {}), inputs["apiVersion"]
        operations, place = self._at(inputs)
        try:
            live = operations.create(call, place, inputs, manager)
        except NotReadyError as error:
            outputs = record.outputs(error.live, inputs, manager, initial)
            raise PartialFailure(error.reasons, place.id, outputs) from error
        return place.id, record.outputs(live, inputs, manager, initial)

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties:
        manager = manager_of(call, inputs, old.outputs)
        initial = old.outputs.get(record.INITIAL_API_VERSION) or inputs["apiVersion"]
        operations, place = self._at(inputs)
        try:
            live = operations.update(call, place, inputs, manager)
        except NotReadyError as error:
            outputs = record.outputs(error.live, inputs, manager, initial)
            raise PartialFailure(error.reasons, old.id, outputs) from error
        return record.outputs(live, inputs, manager, initial)

    def read(self, call: Call, old: Old) -> Old | None:
        """An object that is there and not ready is a PartialFailure: what comes next waits for it again."""
        try:
            operations, place = self._recorded_at(call, old)
            live = operations.find(place)
        except NoSuchKindError as error:
            self._expect_gone(call, old, error)
            return None
        except UnreachableError as error:
            self._expect_unreachable(error)
            return None
        if live is None:
            return None
        made_from = old.outputs.get(INPUTS) or old.inputs
        shape = made_from if made_from.get("kind") else normalised(dict(live))  # asked for by its id, never made here
        manager = manager_of(call, shape, old.outputs)
        inputs = pruned(live, shape)
        initial = old.outputs.get(record.INITIAL_API_VERSION) or live["apiVersion"]
        outputs = record.outputs(live, inputs, manager, initial)
        if made_from and record.news(outputs) == record.news(record.guarded_outputs(old.outputs)):
            outputs = old.outputs
        if reasons := operations.unready(call, place, inputs, live) if made_from else []:
            raise PartialFailure(reasons, old.id, outputs)
        return Old(old.id, inputs, outputs)

    def delete(self, call: Call, old: Old) -> None:
        uid = (old.outputs.get("metadata") or {}).get("uid")
        try:
            operations, place = self._recorded_at(call, old)
            operations.delete(call, place, uid, old.outputs.get(INPUTS) or old.inputs)
        except NoSuchKindError as error:
            self._expect_gone(call, old, error)
        except UnreachableError as error:
            self._expect_unreachable(error)

    def invoke(self, token: str, args: Properties) -> Properties:
        raise Unsupported(f"kubernetes function {token} is not carried out by this engine")

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open.cluster.close()
            self._open = None

    def _connect(self) -> Operations:
        with self._lock:
            if self._open is None:
                cluster = Cluster(self._settings, self._host.stopping)
                self._open = Operations(cluster, self._settings, self._host)
            return self._open

    def _at(self, inputs: Properties) -> tuple[Operations, Place]:
        operations, metadata = self._connect(), inputs["metadata"]
        namespace = metadata.get("namespace")
        return operations, operations.place(inputs["apiVersion"], inputs["kind"], namespace, metadata["name"])

    def _recorded_at(self, call: Call, old: Old) -> tuple[Operations, Place]:
        operations = self._connect()
        api_version, kind = identified(call.type, old.outputs)
        namespace, slash, name = old.id.rpartition("/")
        return operations, operations.place(api_version, kind, namespace if slash else None, name)

    def _namespace(self, manifest: Properties) -> str | None:
        """Where it goes if it says nothing; None for what is in no namespace."""
        if group_kind(manifest) in CLUSTER_SCOPED:
            return None
        if not is_builtin(manifest["apiVersion"]) and not manifest["metadata"].get("namespace"):
            try:
                if not self._connect().cluster.kind(manifest["apiVersion"], manifest["kind"]).namespaced:
                    return None
            except ProviderError:  # its definition may be part of the same program
                pass
        with self._lock:
            if self._default is None:
                self._default = self._settings.namespace or _of_context(self._settings)
            return self._default

    def _expect_gone(self, call: Call, old: Old, error: NoSuchKindError) -> None:
        """With its definition every object of a kind is gone; one that is served in another version only is not."""
        api_version, kind = identified(call.type, old.outputs)
        if served := self._connect().cluster.versions(api_version, kind):
            raise ProviderError(
                f"{kind} {old.id} can't be found as {api_version}, which the cluster serves no more: it has the kind "
                f"in {', '.join(served)}. Write that apiVersion in the program"
            ) from error

    def _expect_unreachable(self, error: UnreachableError) -> None:
        if not self._settings.delete_unreachable:
            raise error
        self._host.say(f"{error} As deleteUnreachable is set, what was in it counts as gone", "warning")


def _of_context(settings: Settings) -> str:
    try:
        return choose(settings).namespace
    except ProviderError:  # told when something is to be done there
        return "default"
