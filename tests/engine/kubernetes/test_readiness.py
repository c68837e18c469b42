"""What an object is waited for, and when waiting is in vain."""

from typing import Any

import pytest

from engine.providers.kubernetes.readiness import Failed, Readiness, Waiting, readiness


def live(api_version: str, kind: str, status: dict[str, Any], generation: int = 2, **spec: Any) -> dict[str, Any]:
    metadata = {"name": "it", "generation": generation}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec, "status": status}


def stateful_set(strategy: str = "RollingUpdate", **status: Any) -> dict[str, Any]:
    rolled = {"observedGeneration": 2, "replicas": 2, "readyReplicas": 2, "currentRevision": "a", "updateRevision": "a"}
    return live("apps/v1", "StatefulSet", {**rolled, **status}, replicas=2, updateStrategy={"type": strategy})


def deployment(**status: Any) -> dict[str, Any]:
    rolled = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    return live("apps/v1", "Deployment", {**rolled, **status}, replicas=2)


def job(**status: Any) -> dict[str, Any]:
    return live("batch/v1", "Job", status)


def claim(phase: str, has: str = "20Gi") -> dict[str, Any]:
    status = {"phase": phase, "capacity": {"storage": has}}
    return live("v1", "PersistentVolumeClaim", status, resources={"requests": {"storage": "20Gi"}})


def pod(phase: str, ready: str = "False", **status: Any) -> dict[str, Any]:
    return live("v1", "Pod", {"phase": phase, "conditions": [{"type": "Ready", "status": ready}], **status})


FAILED = [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}]
STUCK = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}]


@pytest.mark.parametrize(
    ("object", "expected"),
    [
        (stateful_set(), None),
        (stateful_set(observedGeneration=1), Waiting("its change is not seen yet")),
        (stateful_set(readyReplicas=1), Waiting("1 of 2 pods are ready")),
        (stateful_set(replicas=1, readyReplicas=1), Waiting("1 of 2 pods are ready")),
        (stateful_set(updateRevision="b", updatedReplicas=1), Waiting("1 of 2 pods are updated")),
        (stateful_set("OnDelete", updateRevision="b"), None),
        (deployment(), None),
        (deployment(observedGeneration=1), Waiting("its change is not seen yet")),
        (deployment(availableReplicas=1), Waiting("1 of 2 pods are updated and available")),
        (deployment(replicas=3), Waiting("pods of before are still there")),
        (deployment(availableReplicas=0, conditions=STUCK), Failed("timed out")),
        (job(conditions=[{"type": "Complete", "status": "True"}]), None),
        (job(active=1), Waiting("1 pods run, 0 have failed")),
        (job(conditions=FAILED), Failed("BackoffLimitExceeded: too often")),
        (claim("Bound"), None),
        (claim("Pending"), Waiting("it is not bound to a volume")),
        (claim("Lost"), Failed("its volume is lost")),
        (claim("Bound", "10Gi"), Waiting("it grows from 10Gi to 20Gi")),
        (pod("Running", "True"), None),
        (pod("Running"), Waiting("it runs and is not ready")),
        (pod("Pending"), Waiting("it is Pending")),
        (pod("Succeeded"), None),
        (pod("Failed", reason="Evicted"), Failed("Evicted")),
        (live("v1", "PersistentVolume", {"phase": "Available"}), None),
        (live("v1", "PersistentVolume", {"phase": "Failed", "message": "no"}), Failed("no")),
        (live("v1", "Service", {}, type="ClusterIP"), None),
        (live("v1", "Service", {"loadBalancer": {}}, type="LoadBalancer"), Waiting("it has no address yet")),
        (live("v1", "ConfigMap", {}), None),
        (live("networking.k8s.io/v1", "NetworkPolicy", {}), None),
    ],
)
def test_an_object_is_ready_when_its_status_says_so(object: dict[str, Any], expected: Readiness) -> None:
    assert readiness(object) == expected


def test_a_claim_that_the_first_pod_binds_is_not_waited_for() -> None:
    assert readiness(claim("Pending"), binding_waits=True) is None
    assert readiness(claim("Lost"), binding_waits=True) == Failed("its volume is lost")


def test_an_annotation_says_not_to_wait() -> None:
    skipped = stateful_set(readyReplicas=0)
    skipped["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    assert readiness(skipped) is None


def test_an_object_without_a_status_waits() -> None:
    new = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "it", "generation": 1}, "spec": {}}
    assert readiness(new) == Waiting("its change is not seen yet")
