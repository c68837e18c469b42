"""One object at a time on the cluster: made, changed, found changed, taken over, refused and deleted."""

import json
import threading
from typing import Any

import pytest

from engine.providers.base import Diff, Old, ProviderError
from tests.cluster.conformance.manifests import claim, container, pod, pod_spec, server, service, workload
from tests.cluster.engine.bench import Bench, Manifest
from tests.cluster.kubectl import eventually

UNCHANGED = Diff(changed=False)


def settings(name: str, data: dict[str, str], **metadata: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": data}


def every_kind(image: str) -> list[Manifest]:
    """One of each that a storage layer has."""
    group = "rbac.authorization.k8s.io"
    probe = {"tcpSocket": {"port": "http"}, "initialDelaySeconds": 1}
    main = {
        **server(image),
        "resources": {"requests": {"cpu": "0.01", "memory": "16384Ki"}, "limits": {"memory": "1Gi"}},
        "env": [
            {"name": "A", "value": "1"},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "livenessProbe": probe,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    spec = pod_spec(
        main,
        securityContext={"runAsUser": 1000, "fsGroup": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        topologySpreadConstraints=[
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app": "every"}},
            }
        ],
        affinity={
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 1,
                        "podAffinityTerm": {
                            "topologyKey": "kubernetes.io/hostname",
                            "labelSelector": {"matchLabels": {"app": "every"}},
                        },
                    }
                ]
            }
        },
    )
    once = {
        "spec": {**pod_spec({**container(image), "command": ["/bin/sh", "-c", "exit 0"]}), "restartPolicy": "Never"}
    }

    def of(api_version: str, kind: str, **body: Any) -> Manifest:
        return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "every", "labels": {"a": "b"}}, **body}

    return [
        settings("every", {"a": "1", "b": "x\ny"}),
        of("v1", "Secret", stringData={"password": "hunter2"}, type="Opaque"),
        of("v1", "ServiceAccount", automountServiceAccountToken=False),
        of(f"{group}/v1", "Role", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]),
        of(
            f"{group}/v1",
            "RoleBinding",
            roleRef={"apiGroup": group, "kind": "Role", "name": "every"},
            subjects=[{"kind": "ServiceAccount", "name": "every", "namespace": "default"}],
        ),
        claim("every"),
        service("every"),
        of(
            "apps/v1",
            "StatefulSet",
            spec={
                "replicas": 1.0,
                "serviceName": "every",
                "selector": {"matchLabels": {"app": "every"}},
                "template": {"metadata": {"labels": {"app": "every"}}, "spec": spec},
                "volumeClaimTemplates": [claim("data", "32768Ki")],
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            },
        ),
        of("batch/v1", "Job", spec={"template": once, "backoffLimit": 1, "ttlSecondsAfterFinished": 600}),
        of("batch/v1", "CronJob", spec={"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": once}}}),
        of(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            spec={
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [],
                "egress": [{"to": [{"namespaceSelector": {}}], "ports": [{"port": 53.0, "protocol": "UDP"}]}],
            },
        ),
        of(
            "policy/v1",
            "PodDisruptionBudget",
            spec={"maxUnavailable": 1, "selector": {"matchLabels": {"app": "every"}}},
        ),
        of("v1", "ResourceQuota", spec={"hard": {"requests.storage": "1024Gi", "pods": "1000"}}),
        of("v1", "LimitRange", spec={"limits": [{"type": "Container", "default": {"memory": "65536Ki"}}]}),
        of(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            spec={
                "maxReplicas": 1,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "every"},
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                    }
                ],
            },
        ),
    ]


@pytest.mark.parametrize("index", range(15))
def test_what_was_made_is_what_was_asked_for_also_after_a_refresh(bench: Bench, index: int) -> None:
    """In spite of all that the server adds and writes differently. And nothing is left when it is deleted."""
    manifest = every_kind(bench.image)[index]
    made = bench.create(manifest, timeout=60)
    assert bench.diff(made, manifest) == UNCHANGED
    seen = bench.read(made)
    assert seen is not None
    assert bench.diff(seen, manifest) == UNCHANGED
    bench.delete(made)
    assert bench.read(made) is None
    bench.delete(made)  # once more is no error


def test_what_is_in_no_namespace_has_a_name_for_its_id(bench: Bench) -> None:
    name = f"{bench.kubectl.namespace}-more"
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    made = bench.create(manifest)
    assert made.id == name
    assert bench.diff(made, manifest) == UNCHANGED
    bench.delete(made)


def test_an_update_changes_what_it_says_and_takes_away_what_it_no_longer_says(bench: Bench) -> None:
    made = bench.create(settings("changes", {"kept": "1", "changed": "1", "gone": "1"}, labels={"a": "b"}))
    changed = bench.update(made, settings("changes", {"kept": "1", "changed": "2"}))
    live = bench.kubectl.get("configmap", "changes")
    assert live["data"] == {"kept": "1", "changed": "2"}
    assert "labels" not in live["metadata"]
    assert bench.diff(changed, settings("changes", {"kept": "1", "changed": "2"})) == UNCHANGED


def test_a_change_by_hand_is_found_by_a_refresh_and_taken_back(bench: Bench) -> None:
    wanted = workload("StatefulSet", "by-hand", 1, pod_spec(server(bench.image)))
    made = bench.create(wanted)
    bench.kubectl("scale", "statefulset", "by-hand", "--replicas=2")
    bench.kubectl("set", "env", "statefulset/by-hand", "ADDED=1")
    assert bench.diff(made, wanted) == UNCHANGED  # nobody has looked
    seen = bench.read_unready(made)
    assert bench.diff(seen, wanted).paths == ("spec.replicas",)  # a variable more is not the program's affair
    bench.update(seen, wanted, timeout=60)
    assert bench.kubectl.get("statefulset", "by-hand")["spec"]["replicas"] == 1
    assert any('"kubectl" has spec.replicas' in line for line in bench.said)


def test_a_rule_that_was_added_by_hand_is_found_and_taken_away(bench: Bench) -> None:
    manifest = every_kind(bench.image)[10]
    made = bench.create(manifest)
    opened = json.dumps({"spec": {"ingress": [{}]}})
    bench.kubectl("patch", "networkpolicy", "every", "--type=merge", f"--patch={opened}")
    seen = bench.read(made)
    assert seen is not None
    assert bench.diff(seen, manifest).paths == ("spec.ingress",)
    bench.update(seen, manifest)
    assert not bench.kubectl.get("networkpolicy", "every")["spec"].get("ingress")


def test_what_is_on_its_way_out_is_made_anew_when_it_is_gone(bench: Bench) -> None:
    made = bench.create(
        pod("leaving", {**container(bench.image, "pause"), "lifecycle": {}}, terminationGracePeriodSeconds=3)
    )
    bench.kubectl("delete", "pod", "leaving", "--wait=false")
    seen = bench.read(made)
    assert seen is not None
    diff = bench.diff(seen, made.inputs)
    assert diff.replaces
    assert diff.delete_before_replace
    again = bench.create(made.inputs)
    assert again.outputs["metadata"]["uid"] != made.outputs["metadata"]["uid"]


def test_an_update_of_what_is_gone_says_what_to_do(bench: Bench) -> None:
    made = bench.create(settings("vanished", {"a": "1"}))
    bench.kubectl("delete", "configmap", "vanished")
    with pytest.raises(ProviderError, match=r"no longer there.*--refresh"):
        bench.update(made, settings("vanished", {"a": "2"}))
    assert bench.read(made) is None


def test_what_somebody_made_anew_is_not_deleted_in_its_place(bench: Bench) -> None:
    made = bench.create(settings("anew", {"a": "1"}))
    bench.kubectl("delete", "configmap", "anew")
    bench.kubectl("create", "configmap", "anew")
    with pytest.raises(ProviderError, match="made anew by somebody else"):
        bench.delete(made)
    assert bench.kubectl.get("configmap", "anew")


def test_a_deletion_that_is_held_says_by_whom(bench: Bench) -> None:
    held = settings("held", {"a": "1"}, finalizers=["example.org/backup"])
    made = bench.create(held)
    with pytest.raises(ProviderError, match=r"still there 3 s after.*finalizer example\.org/backup"):
        bench.delete(made, timeout=3)
    threading.Timer(1, bench.stop.set).start()
    with pytest.raises(ProviderError, match="is being deleted; nobody waited"):
        bench.delete(made)
    bench.stop.clear()
    bench.kubectl("patch", "configmap", "held", "--type=merge", '--patch={"metadata":{"finalizers":null}}')
    bench.delete(made)


def test_a_claim_in_use_says_by_which_pod(bench: Bench) -> None:
    made = bench.create(claim("used"))
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "used"}}
    bench.create(pod("user", server(bench.image), volumes=[volume]))
    with pytest.raises(ProviderError, match="pods still use it: user"):
        bench.delete(made, timeout=3)


def test_a_kind_that_the_cluster_does_not_know_is_named(bench: Bench) -> None:
    manifest = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w"}}
    with pytest.raises(ProviderError, match=r"knows no kind Widget of example\.org/v1.*CustomResourceDefinition"):
        bench.create(manifest)


def test_a_kind_is_defined_and_its_objects_made_by_one_program(bench: Bench) -> None:
    group = f"{bench.kubectl.namespace}.example.org"
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    spec = {
        "group": group,
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": spec,
    }
    defined = bench.create(definition)
    widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
    made = bench.create(widget)
    assert made.id == f"{bench.kubectl.namespace}/w"
    assert bench.diff(made, widget) == UNCHANGED
    bench.delete(defined)
    eventually(lambda: "still there" if bench.read(made) else None)
    bench.delete(made)  # went with its definition


def test_a_field_that_there_is_not_is_named(bench: Bench) -> None:
    manifest = service("misspelt")
    manifest["spec"]["selectr"] = {"app": "x"}
    with pytest.raises(ProviderError, match=r"Service .*/misspelt cannot be created: .*selectr"):
        bench.create(manifest)


def test_an_object_in_no_namespace_of_the_cluster_says_so(bench: Bench) -> None:
    with pytest.raises(ProviderError, match='namespaces "nowhere-at-all" not found'):
        bench.create(settings("lost", {}, namespace="nowhere-at-all"))


def test_an_object_that_is_not_the_stacks_own_is_read_by_its_id(bench: Bench) -> None:
    bench.kubectl("create", "configmap", "given", "--from-literal=a=1")
    call = bench.call(settings("given", {}))
    seen = bench.provider.read(call, Old(f"{bench.kubectl.namespace}/given", {}, {}))
    assert seen is not None
    assert seen.outputs["data"] == {"a": "1"}
