"""What keeps pods from running, in Kubernetes' own words, and for how long that may be hoped to pass."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Live = Mapping[str, Any]
HOPELESS = 1.0  # seconds: nothing but another manifest helps
_SHORT = 3.0  # nothing but somebody's doing elsewhere helps
_RETRIED = 15.0  # the kubelet tries again after 10 s
_ELSEWHERE = 30.0  # what is missing may be made by another part of the same program
RESTARTS = 3  # of a container that keeps crashing
_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable"})
_REFUSED = ("not found", "does not exist", "manifest unknown", "denied", "unauthorized", "forbidden")
_GRACE = {
    "CreateContainerConfigError": _ELSEWHERE,
    "CreateContainerError": _RETRIED,
    "ErrImageNeverPull": _SHORT,
    "InvalidImageName": HOPELESS,
    "RunContainerError": _RETRIED,
}


@dataclass(frozen=True)
class Trouble:
    """`key` stays the same while the same thing is wrong. After `grace` seconds of that there is no more hope."""

    key: str
    text: str
    grace: float = math.inf
    pod: str = ""
    container: str = ""  # whose log may tell more


def selector_of(live: Live) -> str:
    """The label selector of a workload as it stands in a request; "" if it has none."""
    selector = live.get("spec", {}).get("selector")
    if not isinstance(selector, Mapping):
        return ""
    terms = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for each in selector.get("matchExpressions") or ():
        values = ",".join(each.get("values") or ())
        terms.append(
            {
                "In": f"{each['key']} in ({values})",
                "NotIn": f"{each['key']} notin ({values})",
                "Exists": each["key"],
                "DoesNotExist": f"!{each['key']}",
            }[each["operator"]]
        )
    return ",".join(terms)


def name_of(live: Live) -> str:
    return str(live["metadata"]["name"])


def is_ready(pod: Live) -> bool:
    return any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in pod.get("status", {}).get("conditions") or ()
    )


def troubles(pod: Live) -> Iterator[Trouble]:
    name, status = name_of(pod), pod.get("status", {})
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            yield Trouble(f"{name}/scheduling", f"pod {name} has no node: {condition.get('message', '')}", pod=name)
    for container in containers(pod):
        if (found := _trouble(name, container)) is not None:
            yield found


def containers(pod: Live) -> Iterator[Live]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()


def _trouble(pod: str, container: Live) -> Trouble | None:
    waiting = container.get("state", {}).get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    name = container["name"]
    text = f"pod {pod}, container {name}: {reason}" + (f": {message}" if message else "")
    if reason in _IMAGE:
        refused = any(word in message.lower() for word in _REFUSED)
        return Trouble(f"{pod}/{name}/image", text, _SHORT if refused else _RETRIED, pod)
    if reason == "CrashLoopBackOff":
        restarts = container.get("restartCount", 0)
        text = f"pod {pod}, container {name}: CrashLoopBackOff after {restarts} restarts: {ending(container)}"
        return Trouble(f"{pod}/{name}/crash", text, 0 if restarts >= RESTARTS else math.inf, pod, name)
    if reason in _GRACE:
        return Trouble(f"{pod}/{name}/{reason}", text, _GRACE[reason], pod)
    return None


def ending(container: Live) -> str:
    """How the container ended the last time."""
    for state in (container.get("state", {}), container.get("lastState", {})):
        ended = state.get("terminated")
        if ended:
            words = [f"exit code {ended.get('exitCode')}"]
            words += [ended["reason"]] if ended.get("reason") not in (None, "Error", "Completed") else []
            words += [str(ended["message"]).strip()] if ended.get("message") else []
            return ", ".join(words)
    return "it ended"


def failures(pod: Live) -> Iterator[Trouble]:
    """Containers that have ended badly and are not started again: those of a job."""
    for container in containers(pod):
        ended = container.get("state", {}).get("terminated") or {}
        if ended.get("exitCode"):
            name, pod_name = container["name"], name_of(pod)
            text = f"pod {pod_name}, container {name}: {ending(container)}"
            yield Trouble(f"{pod_name}/{name}/ended", text, pod=pod_name, container=name)


def is_running(pod: Live) -> bool:
    return any(container.get("state", {}).get("running") for container in containers(pod))


def claims_of(pods: Iterable[Live]) -> set[str]:
    """The names of the claims that pods without a node wait for."""
    return {
        volume["persistentVolumeClaim"]["claimName"]
        for pod in pods
        if pod.get("status", {}).get("phase") == "Pending"
        for volume in pod["spec"].get("volumes") or ()
        if "persistentVolumeClaim" in volume
    }
