"""Deleting an object, and waiting until it is gone."""

from collections.abc import Iterator

from engine.providers.base import ProviderError
from engine.providers.kubernetes.cluster import Cluster, Live, Place
from engine.providers.kubernetes.errors import ApiError
from engine.providers.kubernetes.pods import selector_of
from engine.providers.kubernetes.waits import InterruptedWaitError, Wait

PROPAGATION = "pulumi.com/deletionPropagationPolicy"
# Nothing that matters belongs to these: to look for it first would take a second for each.
_LEAVES = frozenset(
    {
        "ConfigMap",
        "Endpoints",
        "HorizontalPodAutoscaler",
        "LimitRange",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
    }
)
_POLICIES = {"orphan": "Orphan", "background": "Background", "foreground": "Foreground"}
_LOOK = 4  # looks at the object between two at what holds it


def propagation(text: str, kind: str = "") -> str:
    """What becomes of what belongs to an object. Raises ProviderError for what is no policy."""
    if text and text.lower() not in _POLICIES:
        raise ProviderError(f"annotation {PROPAGATION} must be one of {', '.join(_POLICIES)}, and is {text!r}")
    return _POLICIES[text.lower() or ("background" if kind in _LEAVES else "foreground")]


def is_terminating(live: Live) -> bool:
    return bool(live["metadata"].get("deletionTimestamp"))


def wait_until_gone(cluster: Cluster, place: Place, uid: str, wait: Wait) -> None:
    """Raises ProviderError, which says who keeps it, when the time is over or the user wants to stop."""
    looks, held = 0, "it is being deleted"
    while (live := cluster.find(place)) is not None and live["metadata"]["uid"] == uid:
        if looks % _LOOK == 2:
            held = "; ".join(_holders(cluster, place, live)) or "it is being deleted"
        if wait.is_over():
            raise ProviderError(
                f"{place} is still there {wait.seconds:.0f} s after its deletion began: {held}. When that is cleared "
                "up, run the command again"
            )
        try:
            wait.pause(held)
        except InterruptedWaitError:
            raise ProviderError(f"{place} is being deleted; nobody waited for its end: {held}") from None
        looks += 1


def _holders(cluster: Cluster, place: Place, live: Live) -> Iterator[str]:
    for condition in live.get("status", {}).get("conditions") or ():  # of a namespace, in the API's words
        if place.kind.name == "Namespace" and condition.get("status") == "True" and condition.get("message"):
            yield condition["message"]
    for finalizer in live["metadata"].get("finalizers") or ():
        if finalizer == "foregroundDeletion":
            names = _terminating_pods(cluster, place, live)
            yield f"its pods end: {', '.join(names)}" if names else "what belongs to it is being deleted"
        elif finalizer == "kubernetes.io/pvc-protection":
            names = users_of_claim(cluster, place.namespace or "", place.name)
            yield f"pods still use it: {', '.join(names)}" if names else "it is being released"
        elif finalizer != "orphan":
            yield f"finalizer {finalizer} is not removed yet, which is done by the controller that set it"
    if place.kind.name == "Pod" and (seconds := live["metadata"].get("deletionGracePeriodSeconds")):
        yield f"its containers have {seconds} s to end"


def _terminating_pods(cluster: Cluster, place: Place, live: Live) -> list[str]:
    selector = selector_of(live)
    if not selector or not place.namespace:
        return []
    try:
        return sorted(pod["metadata"]["name"] for pod in cluster.pods(place.namespace, selector))
    except ApiError:  # whoever may delete need not be allowed to look
        return []


def users_of_claim(cluster: Cluster, namespace: str, claim: str) -> list[str]:
    """The names of the pods that have it as a volume and have not ended."""
    try:
        pods = cluster.pods(namespace)
    except ApiError:
        return []
    return sorted(
        pod["metadata"]["name"]
        for pod in pods
        if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
        and any(
            volume.get("persistentVolumeClaim", {}).get("claimName") == claim
            for volume in pod["spec"].get("volumes") or ()
        )
    )
