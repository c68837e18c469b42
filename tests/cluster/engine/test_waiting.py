"""What is waited for, how long, and what ends a wait early: a user learns why in seconds, in Kubernetes' own words."""

import threading
import time
from typing import Any

import pytest

from engine.providers.base import ProviderError
from tests.cluster.conformance.manifests import claim, container, pod_spec, server, workload
from tests.cluster.engine.bench import Bench, Manifest
from tests.cluster.kubectl import eventually

ABSENT = "localhost/strata-no-such-image:1"


def job(name: str, *containers: Manifest, **more: Any) -> Manifest:
    template = {"spec": {**pod_spec(*containers), "restartPolicy": "Never"}}
    body = {"backoffLimit": 0, "template": template, **more}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": body}


def shell(image: str, script: str, **more: Any) -> Manifest:
    return {**container(image, **more), "command": ["/bin/sh", "-c", script]}


def annotated(manifest: Manifest, **annotations: str) -> Manifest:
    named = {f"pulumi.com/{name}": value for name, value in annotations.items()}
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": named}}


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_a_workload_is_there_when_its_pods_are_ready(bench: Bench, kind: str) -> None:
    made = bench.create(workload(kind, f"ready-{kind.lower()}", 2, pod_spec(server(bench.image))))
    assert made.outputs["status"]["readyReplicas"] == 2


def test_a_job_is_there_when_it_has_done_its_work(bench: Bench) -> None:
    made = bench.create(job("works", shell(bench.image, "exit 0")))
    assert made.outputs["status"]["succeeded"] == 1


def test_a_job_that_fails_is_told_with_its_last_words(bench: Bench) -> None:
    manifest = job("fails", shell(bench.image, "echo no such table; exit 3"))
    _, reasons = bench.failed(lambda: bench.create(manifest), manifest)
    assert "BackoffLimitExceeded" in reasons
    assert "exit code 3" in reasons
    assert "no such table" in reasons


def test_an_image_that_is_not_there_ends_the_wait_and_the_next_update_mends_it(bench: Bench) -> None:
    broken = workload("StatefulSet", "typo", 1, pod_spec({**server(bench.image), "image": ABSENT}))
    old, reasons = bench.failed(lambda: bench.create(broken, timeout=60), broken)
    assert f"{bench.kubectl.namespace}/typo is there, and is not ready" in reasons
    assert ABSENT in reasons
    assert "pod typo-0, container main" in reasons
    assert old.outputs["metadata"]["uid"]
    mended = bench.update(old, workload("StatefulSet", "typo", 1, pod_spec(server(bench.image))), timeout=60)
    assert mended.outputs["status"]["readyReplicas"] == 1
    assert any("typo-0" in line and "made anew" in line for line in bench.said)


def test_a_container_that_keeps_crashing_is_told_with_its_last_words(bench: Bench) -> None:
    crashing = workload("StatefulSet", "crashes", 1, pod_spec(shell(bench.image, "echo bad password; exit 7")))
    _, reasons = bench.failed(lambda: bench.create(crashing, timeout=170), crashing)
    assert "CrashLoopBackOff after 3 restarts" in reasons
    assert "exit code 7" in reasons
    assert "bad password" in reasons


def test_a_configuration_that_is_missing_is_named(bench: Bench) -> None:
    variable = {"name": "X", "valueFrom": {"secretKeyRef": {"name": "nowhere", "key": "x"}}}
    manifest = workload("Deployment", "unconfigured", 1, pod_spec({**server(bench.image), "env": [variable]}))
    _, reasons = bench.failed(lambda: bench.create(manifest, timeout=120), manifest)
    assert 'secret "nowhere" not found' in reasons


def test_a_quota_that_is_used_up_is_quoted(bench: Bench) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small"},
        "spec": {"hard": {"memory": "8Mi"}},
    }
    made = bench.create(quota)
    eventually(lambda: None if bench.kubectl.get("quota", "small").get("status", {}).get("hard") else "not counted yet")
    limited = {**server(bench.image), "resources": {"requests": {"memory": "16Mi"}, "limits": {"memory": "16Mi"}}}
    manifest = workload("StatefulSet", "large", 1, pod_spec(limited))
    old, reasons = bench.failed(lambda: bench.create(manifest, timeout=120), manifest)
    assert "exceeded quota: small" in reasons
    bench.delete(made)
    bench.delete(old)


def test_a_storage_class_that_is_missing_is_named(bench: Bench) -> None:
    manifest = claim("classless", storage_class="no-such-class")
    _, reasons = bench.failed(lambda: bench.create(manifest, timeout=120), manifest)
    assert 'storageclass.storage.k8s.io "no-such-class" not found' in reasons
    template = claim("data", storage_class="no-such-class")
    both = workload("StatefulSet", "classless", 1, pod_spec(server(bench.image)), volumeClaimTemplates=[template])
    _, reasons = bench.failed(lambda: bench.create(both, timeout=120), both)
    assert 'storageclass.storage.k8s.io "no-such-class" not found' in reasons


def test_what_takes_long_is_told_while_it_does_and_recorded_when_it_takes_too_long(bench: Bench) -> None:
    """Pods without a node may get one at any time: that is a matter of the user's patience alone."""
    greedy = {**server(bench.image), "resources": {"requests": {"cpu": "900"}}}
    manifest = annotated(workload("StatefulSet", "greedy", 1, pod_spec(greedy)), timeoutSeconds="8")
    old, reasons = bench.failed(lambda: bench.create(manifest), manifest)
    assert "0 of 1 pods are ready, after 8 s" in reasons
    assert "Insufficient cpu" in reasons
    assert any("greedy" in line and "Insufficient cpu" in line for line in bench.said)
    smaller = annotated(workload("StatefulSet", "greedy", 1, pod_spec(server(bench.image))), timeoutSeconds="60")
    assert bench.update(old, smaller).outputs["status"]["readyReplicas"] == 1


def test_an_interrupt_ends_the_wait_and_what_is_there_is_recorded(bench: Bench) -> None:
    greedy = {**server(bench.image), "resources": {"requests": {"cpu": "900"}}}
    manifest = workload("StatefulSet", "interrupted", 1, pod_spec(greedy))
    threading.Timer(1, bench.stop.set).start()
    begun = time.monotonic()
    old, reasons = bench.failed(lambda: bench.create(manifest), manifest)
    assert time.monotonic() - begun < 30  # and not the ten minutes that it would wait
    assert "interrupted" in reasons
    bench.stop.clear()
    bench.delete(old)


def test_nobody_waits_where_the_program_says_so(bench: Bench) -> None:
    manifest = annotated(
        workload("StatefulSet", "skipped", 1, pod_spec({**server(bench.image), "image": ABSENT})), skipAwait="true"
    )
    assert bench.create(manifest).outputs["metadata"]["uid"]


def test_a_condition_of_the_program_takes_the_place_of_readiness(bench: Bench) -> None:
    broken = workload("Deployment", "conditional", 1, pod_spec({**server(bench.image), "image": ABSENT}))
    at_once = annotated(broken, waitFor='["jsonpath={.status.observedGeneration}", "condition=Available=False"]')
    bench.create(at_once, timeout=30)
    with pytest.raises(ProviderError, match="is no condition"):
        bench.check(annotated(broken, waitFor="Ready"))


def test_a_claim_waits_for_its_first_pod_and_an_update_for_its_growth(bench: Bench) -> None:
    made = bench.create(claim("grows", "32Mi", "standard"))
    assert made.outputs["status"]["phase"] == "Pending"
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "grows"}}
    mounted = {**server(bench.image), "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    bench.create(workload("StatefulSet", "user", 1, pod_spec(mounted, volumes=[volume])))
    grown = bench.update(made, claim("grows", "64Mi", "standard"), timeout=120)
    assert grown.outputs["status"]["capacity"]["storage"] == "64Mi"


def test_a_claim_whose_class_does_not_let_it_grow_says_so(bench: Bench) -> None:
    made = bench.create(claim("fixed", "32Mi", "fixed"))
    with pytest.raises(ProviderError, match=r"Claim .*/fixed cannot be updated: .*(resize|immutable)"):
        bench.update(made, claim("fixed", "64Mi", "fixed"))
