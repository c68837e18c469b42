"""What an object is waited for, told from its own status: nothing, something that is still to come, or a failure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.providers.kubernetes.manifest import group_kind
from engine.providers.kubernetes.quantities import quantity

SKIP = "pulumi.com/skipAwait"
Live = Mapping[str, Any]


@dataclass(frozen=True)
class Waiting:
    """It is not as asked yet. `why` is what a user who waits is told."""

    why: str


@dataclass(frozen=True)
class Failed:
    """It never will be. `why` says what happened, in Kubernetes' words."""

    why: str


Readiness = Waiting | Failed | None
"""None: it is ready, or is not waited for."""


def readiness(live: Live, *, binding_waits: bool = False) -> Readiness:
    """`binding_waits`: a claim's class binds it when the first pod comes (volumeBindingMode WaitForFirstConsumer)."""
    if live["metadata"].get("annotations", {}).get(SKIP) == "true":
        return None
    if group_kind(live) == ("", "PersistentVolumeClaim"):
        return _claim(live, binding_waits)
    check = _CHECKS.get(group_kind(live))
    return check(live) if check else None


def _claim(live: Live, binding_waits: bool) -> Readiness:
    status = live.get("status", {})
    phase = status.get("phase", "Pending")
    if phase == "Lost":
        return Failed("its volume is lost")
    if phase != "Bound":
        return None if binding_waits else Waiting("it is not bound to a volume")
    asked, has = live["spec"]["resources"]["requests"]["storage"], status.get("capacity", {}).get("storage", "0")
    larger, smaller = quantity(asked), quantity(has)
    grows = larger is not None and smaller is not None and larger > smaller
    return Waiting(f"it grows from {has} to {asked}") if grows else None


def _stateful_set(live: Live) -> Readiness:
    spec, status = live["spec"], live.get("status", {})
    if not _is_current(live):
        return Waiting("its change is not seen yet")
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    if status.get("replicas", 0) != wanted or ready != wanted:
        return Waiting(f"{ready} of {wanted} pods are ready")
    if spec.get("updateStrategy", {}).get("type") == "OnDelete":
        return None
    # Pods below `partition` keep the form that they have, and as long as there is one nothing is said to be current.
    kept = min(spec.get("updateStrategy", {}).get("rollingUpdate", {}).get("partition") or 0, wanted)
    updated = status.get("updatedReplicas", 0)
    is_current = status.get("currentRevision") == status.get("updateRevision")
    if not is_current and (not kept or updated < wanted - kept):
        return Waiting(f"{updated} of {wanted - kept} pods are updated")
    return None


def _deployment(live: Live) -> Readiness:
    status, wanted = live.get("status", {}), live["spec"].get("replicas", 1)
    if not _is_current(live):
        return Waiting("its change is not seen yet")
    progressing = _condition(live, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Failed(progressing.get("message", "its deadline of progress is exceeded"))
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated != wanted or available != wanted:
        return Waiting(f"{min(updated, available)} of {wanted} pods are updated and available")
    if status.get("replicas", 0) != wanted:
        return Waiting("pods of before are still there")
    return None


def _daemon_set(live: Live) -> Readiness:
    status = live.get("status", {})
    if not _is_current(live):
        return Waiting("its change is not seen yet")
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    done = min(updated, status.get("numberAvailable", 0))
    if live["spec"].get("updateStrategy", {}).get("type") == "OnDelete":
        done = status.get("numberAvailable", 0)
    return Waiting(f"{done} of {wanted} pods are updated and available") if done < wanted else None


def _definition(live: Live) -> Readiness:
    """A kind is served when its names are accepted."""
    names = _condition(live, "NamesAccepted")
    if names.get("status") == "False":
        return Failed(names.get("message", "its names are taken"))
    return None if _condition(live, "Established").get("status") == "True" else Waiting("it is not served yet")


def _job(live: Live) -> Readiness:
    if _condition(live, "Complete").get("status") == "True":
        return None
    failed = _condition(live, "Failed")
    if failed.get("status") == "True":
        return Failed(f"{failed.get('reason', 'Failed')}: {failed.get('message', '')}".rstrip(": "))
    status = live.get("status", {})
    return Waiting(f"{status.get('active', 0)} pods run, {status.get('failed', 0)} have failed")


def _pod(live: Live) -> Readiness:
    status = live.get("status", {})
    phase = status.get("phase", "Pending")
    if phase == "Succeeded" or _condition(live, "Ready").get("status") == "True":
        return None
    if phase == "Failed":
        return Failed(status.get("message") or status.get("reason") or "its containers have failed")
    return Waiting(f"it is {phase}" if phase != "Running" else "it runs and is not ready")


def _volume(live: Live) -> Readiness:
    phase = live.get("status", {}).get("phase", "Pending")
    if phase == "Failed":
        return Failed(live["status"].get("message", "it has failed"))
    return None if phase in ("Available", "Bound") else Waiting(f"it is {phase}")


def _service(live: Live) -> Readiness:
    """Only a load balancer has to come; the pods behind a Service are their workload's affair."""
    if live["spec"].get("type") != "LoadBalancer":
        return None
    return None if live.get("status", {}).get("loadBalancer", {}).get("ingress") else Waiting("it has no address yet")


def _is_current(live: Live) -> bool:
    return bool(live.get("status", {}).get("observedGeneration", 0) >= live["metadata"].get("generation", 0))


def _condition(live: Live, type: str) -> Mapping[str, Any]:
    conditions = live.get("status", {}).get("conditions") or ()
    return next((condition for condition in conditions if condition["type"] == type), {})


_CHECKS: Mapping[tuple[str, str], Callable[[Live], Readiness]] = {
    ("", "PersistentVolume"): _volume,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "Job"): _job,
}
