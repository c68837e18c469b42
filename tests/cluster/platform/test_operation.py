"""What happens to a running stack: certificates that end, drains, rollouts of applications, interrupted runs."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tests.cluster.access import Access
from tests.cluster.conformance import manifests as m
from tests.cluster.kubectl import eventually
from tests.cluster.platform.project import ClusterProject
from tests.e2e.project import eventually as until

FORWARD_SECONDS = 30


class Writer:
    """Inserts numbers one after the other, over a forward of its own, and knows which ones were acknowledged."""

    def __init__(self, stack: ClusterProject) -> None:
        self.acknowledged: list[int] = []
        self.interruptions = 0
        self._login = login(stack)
        self.last: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def _write(self) -> None:
        number = 0
        while not self._stop.is_set():
            try:
                with psycopg.connect(**self._login, autocommit=True) as session:
                    session.execute("CREATE TABLE IF NOT EXISTS written (n bigint PRIMARY KEY)")
                    while not self._stop.is_set():
                        number += 1
                        session.execute("INSERT INTO written VALUES (%s)", [number])
                        self.acknowledged.append(number)
            except psycopg.Error as error:
                self.last = error
            self.interruptions += 1

    @contextmanager
    def writing(self) -> Iterator[None]:
        self._thread.start()
        until("the first write is acknowledged", lambda: self.acknowledged or self.last, 30)
        try:
            yield
            count = len(self.acknowledged)
            until("writes go on", lambda: len(self.acknowledged) > count, 60)
        finally:
            self._stop.set()
            self._thread.join(30)

    def lost(self) -> set[int]:
        with psycopg.connect(**self._login) as session:
            kept = {n for (n,) in session.execute("SELECT n FROM written")}
            session.execute("DROP TABLE written")
        return set(self.acknowledged) - kept


@pytest.fixture
def forwarded(stack: ClusterProject) -> Iterator[ClusterProject]:
    """The stack while `strata forward` holds its Postgres."""
    process = stack.start("forward", "postgres")
    try:
        until("the forward is there", lambda: answers(stack), FORWARD_SECONDS)
        yield stack
    finally:
        process.terminate()
        text, _ = process.communicate(timeout=30)
        assert "Traceback" not in text, text


def answers(stack: ClusterProject) -> bool:
    with psycopg.connect(**login(stack)):
        return True


def login(stack: ClusterProject) -> dict[str, Any]:
    """Praval's, which may make tables of its own."""
    env = stack.rendered("praval")
    facts = {"host": env["POSTGRES_HOST"], "port": env["POSTGRES_PORT"], "dbname": env["POSTGRES_DB"]}
    verified = {"sslmode": "verify-full", "sslrootcert": env["STRATA_CA_FILE"], "connect_timeout": 5}
    return {**facts, **verified, "user": env["POSTGRES_USER"], "password": env["POSTGRES_PASSWORD"]}


def test_a_killed_pod_loses_no_acknowledged_write(forwarded: ClusterProject) -> None:
    writer = Writer(forwarded)
    with writer.writing():
        forwarded.kubectl("delete", "pod", "db-postgres-0", "--grace-period=0", "--force")
        until("the writer was interrupted", lambda: writer.interruptions, 60)
    assert writer.lost() == set()


def test_a_short_lived_certificate_is_renewed_under_writes(forwarded: ClusterProject) -> None:
    shown = forwarded.kubectl.get("secret", "db-postgres-secrets")["data"]["tls.crt"]
    before = dict(forwarded.config["strata:platform"])
    forwarded.config["strata:platform"]["certificates"] = {"hours": 48, "renewal_hours": 24}
    forwarded.write()
    writer = Writer(forwarded)
    try:
        with writer.writing():
            forwarded.up().succeeded()
        assert writer.lost() == set()
        assert forwarded.kubectl.get("secret", "db-postgres-secrets")["data"]["tls.crt"] != shown
        forwarded.run("verify").refused("its certificate ends on")
    finally:
        forwarded.config["strata:platform"] = before
        forwarded.write()
        forwarded.up().succeeded()
    forwarded.run("verify").succeeded()


def test_a_drain_moves_a_backend_and_its_budget_lets_it(forwarded: ClusterProject, access: Access) -> None:
    """Volumes of this cluster stay on their node: the pod waits for it to come back, as it would for a zone."""
    pod = forwarded.kubectl.get("pod", "redis-0")
    node = pod["spec"]["nodeName"]
    select = "--pod-selector=app.kubernetes.io/name=redis"
    try:
        access.kubectl("drain", node, select, "--delete-emptydir-data", "--timeout=60s", seconds=90)
        eventually(lambda: None if uid(forwarded) != pod["metadata"]["uid"] else "the pod was not evicted")
    finally:
        access.kubectl("uncordon", node)
    forwarded.kubectl.ready("redis-0", seconds=60)


def uid(stack: ClusterProject) -> str:
    found: str = stack.kubectl.get("pod", "redis-0")["metadata"]["uid"]
    return found


def test_an_application_is_rolled_out_when_its_configuration_changes(stack: ClusterProject, access: Access) -> None:
    kubectl = replace(access.kubectl, namespace=f"{stack.stack}-saiki")
    own = {"app.kubernetes.io/part-of": "saiki"}
    for name, labels in (("mine", own), ("other", {"app": "other"})):
        made = m.workload("Deployment", name, 1, m.pod_spec(m.container(access.image, "pause")))
        made["spec"]["template"]["metadata"]["labels"] |= labels
        kubectl.apply(made)
    path = stack.root / "applications" / "saiki" / "application.yaml"
    text = path.read_text()
    try:
        path.write_text(text.replace("config:\n", "config:\n  ADDED: 'yes'\n", 1))
        stack.up().succeeded()
        rolled = kubectl.get("deployment", "mine")["spec"]["template"]["metadata"].get("annotations", {})
        assert "strata.checksum" in rolled, "it goes on with the old configuration"
        others = kubectl.get("deployment", "other")["spec"]["template"]["metadata"].get("annotations", {})
        assert others == {}, "a workload that reads nothing of it was restarted"
        assert kubectl.get("configmap", "saiki-storage")["data"]["ADDED"] == "yes"
    finally:
        path.write_text(text)
        kubectl("delete", "deployment", "mine", "other")
        stack.up().succeeded()


def test_an_up_that_was_killed_is_finished_by_the_next_one(project: ClusterProject) -> None:
    process = project.start("up", "--yes", "--skip-smoke")
    until("pods are being made", lambda: project.kubectl.get("pods")["items"], 60)
    process.kill()
    process.communicate()
    project.up().succeeded()
    project.up("--expect-no-changes").succeeded()


def test_what_was_changed_by_kubectl_is_found_and_repaired(stack: ClusterProject) -> None:
    opened: dict[str, Any] = {"spec": {"ingress": [{}]}}
    stack.kubectl("patch", "networkpolicy", "redis", "--type=merge", "--patch", json.dumps(opened))
    stack.kubectl("delete", "networkpolicy", "default-deny")
    told = stack.run("preview", "--refresh").succeeded().text
    assert "default-deny" in told
    assert "redis-policy" in told
    stack.up("--refresh").succeeded()
    assert stack.kubectl.get("networkpolicy", "redis")["spec"]["ingress"][0] != {}
    stack.kubectl("get", "networkpolicy", "default-deny")
    stack.up("--expect-no-changes").succeeded()
