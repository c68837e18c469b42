"""Whole programs on the cluster, from `up` to `destroy`, and what becomes of them when something gets in between."""

import os
import signal
import textwrap
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cluster.access import Access
from tests.cluster.kubectl import Kubectl, eventually
from tests.engine.stack import Stack

PASSWORD = "correct-horse-battery"
ENCODED = "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"
ABSENT = "localhost/strata-no-such-image:1"

PROGRAM = """
import pulumi_kubernetes as k8s

labels = {{"app": "db"}}
namespace = k8s.core.v1.Namespace("namespace", metadata={{"name": "{namespace}"}})
here = {{"namespace": namespace.metadata.name}}
config = k8s.core.v1.ConfigMap("config", metadata={{"name": "config", **here}}, data={{"a": "{a}"}})
password = Output.secret("{password}")
secret = k8s.core.v1.Secret("secret", metadata={{"name": "secret", **here}}, string_data={{"password": password}})
copied = k8s.core.v1.ConfigMap("copied", metadata=here, data={{"password": password}})
claim = k8s.core.v1.PersistentVolumeClaim("claim", metadata={{"name": "claim", **here}}, spec={{
    "accessModes": ["ReadWriteOnce"], "resources": {{"requests": {{"storage": "{size}"}}}}}})
headless = k8s.core.v1.Service("headless", metadata={{"name": "db", **here}}, spec={{
    "clusterIP": "None", "selector": labels, "ports": [{{"port": 8080, "name": "http"}}]}})
service = k8s.core.v1.Service("service", metadata={{"name": "front", **here}}, spec={{
    "selector": labels, "ports": [{{"port": 80, "targetPort": "http", "name": "http"}}]}})
container = {{
    "name": "main", "image": "{image}", "imagePullPolicy": "IfNotPresent", "args": ["netexec", "--http-port=8080"],
    "env": [{{"name": "A", "value": "{a}"}}],
    "ports": [{{"name": "http", "containerPort": 8080}}],
    "readinessProbe": {{"tcpSocket": {{"port": "http"}}, "periodSeconds": 1}},
    "volumeMounts": [{{"name": "data", "mountPath": "/data"}}]}}
db = k8s.apps.v1.StatefulSet("db", metadata={{"name": "db", **here}}, spec={{
    "replicas": 1, "serviceName": "{service}", "selector": {{"matchLabels": labels}},
    "template": {{"metadata": {{"labels": labels}}, "spec": {{
        "terminationGracePeriodSeconds": 0, "containers": [container],
        "volumes": [{{"name": "data", "persistentVolumeClaim": {{"claimName": claim.metadata.name}}}}]}}}}}},
    opts=ResourceOptions(depends_on=[headless, secret]))
migration = k8s.batch.v1.Job("migration", metadata={{"name": "migration", **here}}, spec={{
    "backoffLimit": 0, "template": {{"spec": {{"restartPolicy": "Never", "containers": [
        {{"name": "main", "image": "{image}", "command": ["/bin/sh", "-c", "{script}"]}}]}}}}}},
    opts=ResourceOptions(depends_on=[db]))
k8s.networking.v1.NetworkPolicy("closed", metadata={{"name": "closed", **here}}, spec={{
    "podSelector": {{}}, "policyTypes": ["Ingress"]}})
k8s.policy.v1.PodDisruptionBudget("budget", metadata={{"name": "budget", **here}}, spec={{
    "maxUnavailable": 1, "selector": {{"matchLabels": labels}}}})
export("address", service.spec.cluster_ip)
export("service", db.spec.service_name)
"""


@dataclass
class World:
    """A stack, and kubectl in the namespace that its program makes."""

    stack: Stack
    kubectl: Kubectl
    image: str

    def program(self, **changes: str) -> str:
        values = {"namespace": self.kubectl.namespace, "image": self.image, "a": "1", "password": PASSWORD}
        values |= {"size": "32Mi", "service": "db", "script": "exit 0", **changes}
        return textwrap.dedent(PROGRAM.format(**values))

    def has(self, *what: str) -> bool:
        return bool(self.kubectl("get", *what, "--ignore-not-found", "-o", "name").strip())


@pytest.fixture
def world(stack: Stack, access: Access) -> Iterator[World]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl = Kubectl(access.kubectl.program, access.kubectl.kubeconfig, name)
    yield World(stack, kubectl, access.image)
    kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def test_a_stack_lives_from_up_to_destroy(world: World) -> None:
    stack, kubectl = world.stack, world.kubectl
    first = stack.up(world.program())
    assert first.result.succeeded, first.text
    assert first.result.changes == {"create": 12}
    assert stack.outputs() == {"address": kubectl.get("service", "front")["spec"]["clusterIP"], "service": "db"}

    again = stack.up()
    assert again.result.changes == {"same": 12}, again.text
    refreshed = stack.preview(refresh=True)
    assert refreshed.result.changes == {"same": 12}, refreshed.text

    changed = stack.up(world.program(a="2"))
    assert changed.result.succeeded, changed.text
    assert changed.result.changes == {"update": 1, "replace": 1, "same": 10}  # the settings are made anew
    assert kubectl.get("configmap", "config")["data"] == {"a": "2"}

    uid = kubectl.get("statefulset", "db")["metadata"]["uid"]
    replaced = stack.up(world.program(a="2", service="front"))
    assert replaced.result.succeeded, replaced.text
    assert replaced.result.changes == {"replace": 1, "same": 11}, replaced.text
    assert kubectl.get("statefulset", "db")["metadata"]["uid"] != uid
    assert stack.outputs()["service"] == "front"

    destroyed = stack.destroy()
    assert destroyed.result.succeeded, destroyed.text
    assert not stack.snapshot.resources
    assert not world.has("namespace", kubectl.namespace)


def test_what_is_secret_is_in_no_file_and_no_line(world: World) -> None:
    """Neither the text nor what Kubernetes makes of it, in a Secret or wherever else the program writes it."""
    runs = [
        world.stack.up(world.program(), details=True),
        world.stack.up(world.program(password=f"{PASSWORD}-2"), details=True),
        world.stack.refresh(details=True),
        world.stack.up(world.program(script="exit 1"), details=True),
    ]
    assert [run.result.succeeded for run in runs] == [True, True, True, False]
    shown = world.stack.everything_on_disk() + "".join(run.text for run in runs)
    assert PASSWORD not in shown
    assert ENCODED not in shown
    assert world.kubectl.get("secret", "secret")["data"]["password"].startswith(ENCODED)


def test_a_change_by_hand_is_repaired_after_a_refresh(world: World) -> None:
    assert world.stack.up(world.program()).result.succeeded
    world.kubectl("scale", "statefulset", "db", "--replicas=0")
    world.kubectl("patch", "configmap", "config", "--type=merge", '--patch={"data":{"a":"9"}}')
    world.kubectl("delete", "service", "front")
    repaired = world.stack.up(refresh=True)
    assert repaired.result.succeeded, repaired.text
    assert repaired.result.changes == {"create": 1, "update": 1, "replace": 1, "same": 9}
    assert world.kubectl.get("statefulset", "db")["status"]["readyReplicas"] == 1
    assert world.kubectl.get("configmap", "config")["data"] == {"a": "1"}
    assert world.kubectl.get("service", "front")


def test_what_a_killed_run_left_is_taken_over(world: World) -> None:
    run = world.stack.start("up", world.program())
    eventually(lambda: None if world.has("pod", "db-0") else "no pod yet")
    run.kill()
    uids = [world.kubectl.get(*each)["metadata"]["uid"] for each in (("statefulset", "db"), ("pvc", "claim"))]
    again = world.stack.up()
    assert again.result.succeeded, again.text
    assert uids == [world.kubectl.get(*each)["metadata"]["uid"] for each in (("statefulset", "db"), ("pvc", "claim"))]
    assert world.stack.up().result.changes == {"same": 12}


def test_what_a_killed_destroy_left_is_finished_by_up(world: World) -> None:
    """An object that is on its way out can't be kept: it is made anew when it is gone."""
    stack, kubectl = world.stack, world.kubectl
    assert stack.up(world.program()).result.succeeded
    uid = kubectl.get("service", "front")["metadata"]["uid"]
    kubectl("patch", "service", "front", "--type=merge", '--patch={"metadata":{"finalizers":["example.org/held"]}}')
    run = stack.start("destroy")
    eventually(lambda: None if "deletionTimestamp" in kubectl.get("service", "front")["metadata"] else "it stays")
    run.kill()
    held = '--patch={"metadata":{"finalizers":null}}'
    threading.Timer(4, kubectl, ("patch", "service", "front", "--type=merge", held)).start()
    again = stack.up()
    assert again.result.succeeded, again.text
    assert stack.up().result.changes == {"same": 12}
    assert kubectl.get("service", "front")["metadata"]["uid"] != uid


def test_what_does_not_get_ready_is_recorded_and_waited_for_again(world: World) -> None:
    stack = world.stack
    failed = stack.up(world.program(image=ABSENT))
    assert not failed.result.succeeded
    assert ABSENT in failed.text
    assert "pod db-0, container main" in failed.text
    assert stack.entry("db").init_errors
    again = stack.up()  # nothing has changed, and still it is not as asked
    assert not again.result.succeeded
    assert "pod db-0, container main" in again.text
    mended = stack.up(world.program())
    assert mended.result.succeeded, mended.text
    assert not stack.entry("db").init_errors
    assert stack.up().result.changes == {"same": 12}


def test_a_refresh_notes_what_is_not_ready_and_the_next_up_waits_for_it(world: World) -> None:
    stack, kubectl = world.stack, world.kubectl
    assert stack.up(world.program()).result.succeeded
    kubectl("delete", "pod", "db-0", "--wait=false")
    eventually(
        lambda: "it is ready" if kubectl.get("statefulset", "db")["status"].get("readyReplicas") else None, seconds=10
    )
    waited = stack.up(refresh=True)
    assert waited.result.succeeded, waited.text
    assert kubectl.get("statefulset", "db")["status"]["readyReplicas"] == 1
    assert not stack.entry("db").init_errors


def test_an_interrupt_does_not_wait_for_what_does_not_come(world: World) -> None:
    process = world.stack.start("up", world.program(size="900Ei"))  # no node has that much
    eventually(lambda: None if world.has("pod", "db-0") else "no pod yet")
    os.kill(process.process.pid, signal.SIGINT)
    assert process.ended() != 0
    assert "interrupted" in process.log.read_text()
    assert world.stack.entry("db").init_errors


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("config:\n  kubernetes:context: staging\n", "has no context 'staging'"),
        ("config:\n  kubernetes:kubeconfig: /nowhere/config\n", "no such file"),
        ("config:\n  kubernetes:strictMode: 'true'\n", "does not carry out strictMode"),
    ],
)
def test_a_cluster_that_is_none_is_said_before_anything_is_changed(world: World, config: str, message: str) -> None:
    world.stack.write_config(config)
    failed = world.stack.up(world.program())
    assert not failed.result.succeeded
    assert message in failed.text
    assert not world.has("namespace", world.kubectl.namespace)


def test_types_that_are_no_objects_are_refused_before_anything_is_changed(world: World) -> None:
    chart = 'k8s.helm.v3.Release("chart", chart="redis")\n'
    failed = world.stack.up(world.program() + chart)
    assert not failed.result.succeeded
    assert "kubernetes:helm.sh/v3:Release is not carried out by this engine" in failed.text
    assert not world.has("namespace", world.kubectl.namespace)
