"""Names, Services, probes, Jobs and the ways into a pod."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.access import Access
from tests.cluster.conformance import manifests as m
from tests.cluster.kubectl import Kubectl, background, eventually


@pytest.fixture(scope="module")
def objects(access: Access, kubectl: Kubectl) -> None:
    db = m.workload("StatefulSet", "db", 2, m.pod_spec(m.server(access.image)), serviceName="db")
    # Not ready before a test makes the file.
    gate = {"exec": {"command": ["test", "-f", "/tmp/ready"]}, "periodSeconds": 1}
    web = m.workload("Deployment", "web", 2, m.pod_spec(m.server(access.image, readinessProbe=gate)))
    health = {"exec": {"command": ["test", "!", "-f", "/tmp/sick"]}, "periodSeconds": 1, "failureThreshold": 1}
    kubectl.apply(
        m.service("db", 8080, clusterIP="None"),
        db,
        m.service("web", type="NodePort"),
        web,
        m.pod("client", m.container(access.image, "pause")),
        m.pod("sick", m.container(access.image, "pause", livenessProbe=health)),
        job("once", access.image, "echo done"),
        job("never", access.image, "false"),
    )
    kubectl.ready("client", "sick", "db-0", "db-1")


def job(name: str, image: str, script: str) -> m.Manifest:
    spec = m.pod_spec(m.container(image, command=["sh", "-c", script]), restartPolicy="Never")
    body = {"backoffLimit": 0, "template": {"spec": spec}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": body}


def fetch(kubectl: Kubectl, address: str, pod: str = "client") -> str:
    return kubectl.sh(pod, f"timeout 3 wget -qO- http://{address}/hostname")


def eventually_reached(kubectl: Kubectl, address: str, *names: str) -> None:
    def problem() -> str | None:
        answer = fetch(kubectl, address)
        return None if answer.startswith(names) else f"{address} answers {answer!r}"

    eventually(problem)


def test_a_pod_is_in_its_service_only_when_its_probe_passes(objects: None, kubectl: Kubectl) -> None:
    pods = kubectl("get", "pods", "-l", "app=web", "-o", "name").split()
    eventually(lambda: None if _running(kubectl, "web") == len(pods) == 2 else f"{_running(kubectl, 'web')} run")
    assert _endpoints(kubectl, "web") == []

    for pod in pods:
        kubectl("exec", pod, "--", "touch", "/tmp/ready")

    eventually(lambda: None if len(_endpoints(kubectl, "web")) == 2 else "fewer than two endpoints", 20)
    eventually_reached(kubectl, "web", "web-")


def _running(kubectl: Kubectl, app: str) -> int:
    pods = kubectl.get("pods", "-l", f"app={app}")["items"]
    return sum(pod["status"]["phase"] == "Running" for pod in pods)


def _endpoints(kubectl: Kubectl, service: str) -> list[str]:
    """The addresses that get the Service's traffic."""
    slices = kubectl.get("endpointslices", "-l", f"kubernetes.io/service-name={service}")["items"]
    found = [endpoint for each in slices for endpoint in each.get("endpoints") or []]
    return [endpoint["addresses"][0] for endpoint in found if endpoint["conditions"].get("ready")]


def test_a_service_is_reached_by_its_name_and_its_address(objects: None, kubectl: Kubectl) -> None:
    address = kubectl.get("service", "web")["spec"]["clusterIP"]
    for name in ("web", f"web.{kubectl.namespace}", f"web.{kubectl.namespace}.svc.cluster.local", address):
        eventually_reached(kubectl, name, "web-")


def test_a_pod_reaches_itself_through_its_service(objects: None, kubectl: Kubectl) -> None:
    kubectl.apply(m.service("itself", 8080, selector={"statefulset.kubernetes.io/pod-name": "db-0"}))
    address = kubectl.get("service", "itself")["spec"]["clusterIP"]
    eventually(lambda: None if fetch(kubectl, f"{address}:8080", "db-0") == "db-0" else "another answer")


def test_each_pod_of_a_stateful_set_has_a_name(objects: None, kubectl: Kubectl) -> None:
    for name in ("db-0", "db-1"):
        eventually_reached(kubectl, f"{name}.db:8080", name)


def test_a_name_that_does_not_exist_is_told_at_once(objects: None, kubectl: Kubectl) -> None:
    answer = kubectl.sh("client", "nslookup nowhere.db 2>&1; nslookup db.invalid 2>&1; true", seconds=10)
    assert answer.count("NXDOMAIN") >= 2, answer


def test_a_node_port_is_reached_from_outside(objects: None, access: Access, kubectl: Kubectl) -> None:
    if access.built is None:
        pytest.skip("whether this machine reaches a node of the cluster at hand is not known")
    port = kubectl.get("service", "web")["spec"]["ports"][0]["nodePort"]
    for node in access.built.nodes:
        with urllib.request.urlopen(f"http://{node.addresses[0]}:{port}/hostname", timeout=5) as answer:
            assert answer.read().startswith(b"web-")


def test_commands_run_in_a_pod_with_input_and_exit_status(objects: None, kubectl: Kubectl) -> None:
    echoed = kubectl("exec", "-i", "client", "--", "cat", stdin="kept as it is: äöü\n")
    assert echoed == "kept as it is: äöü\n"
    with background(kubectl.command("exec", "client", "--", "sh", "-c", "exit 3")) as failed:
        assert failed.wait(timeout=30) == 3


@contextmanager
def forwarded(kubectl: Kubectl, target: str, port: int) -> Iterator[int]:
    """The local port that kubectl forwards to `port` of `target`."""
    process = background(kubectl.command("port-forward", target, f":{port}"))
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Forwarding from 127.0.0.1:"), line
        yield int(line.split(":")[1].split()[0])
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.parametrize("target", ["pod/db-1", "service/db"])
def test_a_port_is_forwarded(objects: None, kubectl: Kubectl, target: str) -> None:
    with forwarded(kubectl, target, 8080) as port:
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/hostname", timeout=10) as answer:
                assert answer.read().startswith(b"db-")


def test_a_failed_liveness_probe_restarts_the_container(objects: None, kubectl: Kubectl) -> None:
    kubectl.sh("sick", "touch /tmp/sick")

    def problem() -> str | None:
        restarts = kubectl.get("pod", "sick")["status"]["containerStatuses"][0]["restartCount"]
        return None if restarts else f"not restarted\n{kubectl.events()}"

    eventually(problem)


def test_a_job_completes_and_its_log_is_kept(objects: None, kubectl: Kubectl) -> None:
    kubectl("wait", "--for=condition=Complete", "job/once", "--timeout=60s")
    assert kubectl("logs", "job/once") == "done\n"


def test_a_job_that_fails_says_so(objects: None, kubectl: Kubectl) -> None:
    kubectl("wait", "--for=condition=Failed", "job/never", "--timeout=60s")


def test_a_pod_knows_its_service_account(objects: None, kubectl: Kubectl) -> None:
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    assert kubectl.sh("client", f"cat {folder}/namespace") == kubectl.namespace
    assert kubectl.sh("client", f"wc -c < {folder}/token").strip() > "100"


def test_the_api_is_reached_from_a_pod(objects: None, kubectl: Kubectl) -> None:
    answer = kubectl.sh("client", "/agnhost connect --timeout=3s kubernetes.default:443 && echo open")
    assert answer == "open\n"
