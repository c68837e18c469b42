"""Events: what the cluster has to say of an object and of what belongs to it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from engine.providers.kubernetes.cluster import Cluster
from engine.providers.kubernetes.errors import ApiError
from engine.providers.kubernetes.pods import Trouble

Live = Mapping[str, Any]
_QUOTA = 10.0  # seconds; pods of before may be about to free it
_CLASS = 15.0  # seconds; a volume of that class may be about to come
_ELSEWHERE = 30.0


def warnings(cluster: Cluster, namespace: str, since: float) -> list[Live]:
    """Those of a namespace, from the oldest to the newest; none for who may not see them."""
    try:
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/events"
        found = cluster.items(path, fieldSelector="type=Warning")
    except ApiError:
        return []
    return sorted((event for event in found if time_of(event) >= since), key=time_of)


def time_of(event: Live) -> float:
    text = (
        (event.get("series") or {}).get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
    )
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def about(events: Iterable[Live], objects: Iterable[Live], claims: Iterable[str] = ()) -> list[Live]:
    uids, names = {each["metadata"]["uid"] for each in objects}, set(claims)

    def fits(subject: Mapping[str, Any]) -> bool:
        return subject.get("uid") in uids or (
            subject.get("kind") == "PersistentVolumeClaim" and subject.get("name") in names
        )

    return [event for event in events if fits(event.get("involvedObject") or {})]


def told(event: Live) -> str:
    subject = event.get("involvedObject") or {}
    message = " ".join(str(event.get("message", "")).split())
    return f"{subject.get('kind', '')} {subject.get('name', '')}: {event.get('reason', '')}: {message}"


def troubles(events: Iterable[Live], *, pods_are_missing: bool) -> Iterator[Trouble]:
    """What is wrong by the newest event of each kind; `pods_are_missing`: fewer are there than asked for."""
    newest = {(event["involvedObject"].get("uid"), event.get("reason")): event for event in events}
    for (uid, reason), event in newest.items():
        message, key = str(event.get("message", "")), f"{uid}/{reason}"
        if reason == "FailedCreate" and pods_are_missing:
            yield Trouble(key, told(event), _QUOTA)
        elif reason == "ProvisioningFailed":
            yield Trouble(key, told(event), _CLASS if "not found" in message else float("inf"))
        elif reason == "FailedMount":
            yield Trouble(key, told(event), _ELSEWHERE if "not found" in message else float("inf"))
        elif reason in (
            "Unhealthy",
            "FailedAttachVolume",
            "FailedBinding",
            "SyncLoadBalancerFailed",
            "VolumeResizeFailed",
        ):
            yield Trouble(key, told(event))
