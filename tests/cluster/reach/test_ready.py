"""What is said of a backend in a cluster that does not become ready: what Kubernetes and its own log say of it."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from components.slices.admin import Address
from components.slices.errors import SliceError
from components.slices.ready import ReadyProvider
from tests.cluster.access import Access
from tests.cluster.conformance import manifests as m
from tests.cluster.kubectl import Kubectl, eventually

Admin = dict[str, Any]
Failure = Callable[..., str]


def admin_of(kubectl: Kubectl, name: str) -> Admin:
    cluster = {"namespace": kubectl.namespace, "stateful_set": name, "service": name, "secret": f"{name}-admin"}
    return {
        "stack": "test",
        "secret": "redis/admin",
        "host": f"{name}.{kubectl.namespace}.svc",
        "port": 6379.0,
        "cluster": cluster,
    }


def secret(name: str, **values: str) -> m.Manifest:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


@pytest.fixture
def failure(access: Access, kubectl: Kubectl) -> Failure:
    """What `Ready` says of a StatefulSet that is not as it should be."""

    def ask(name: str, *, image: str = access.image, deadline: float = 5.0, pod: Any = None, **container: Any) -> str:
        spec = m.pod_spec(m.container(image, **container), **(pod or {}))
        kubectl.apply(
            m.service(name, 6379),
            secret(f"{name}-admin", admin="pa55"),
            m.workload("StatefulSet", name, 1, spec, serviceName=name),
        )
        props = {"backend": "redis", "admin": admin_of(kubectl, name), "container": f"{name}-0", "container_id": "1"}
        with pytest.raises(SliceError) as caught:
            ReadyProvider().create({**props, "deadline": deadline})
        text = str(caught.value)
        assert "pa55" not in text
        return text

    return ask


def test_a_container_that_ends_is_quoted(failure: Failure, kubectl: Kubectl) -> None:
    text = failure("ends", command=["sh", "-c", "echo no disk; exit 3"])
    assert f"Pod {kubectl.namespace}/ends-0 is not ready within 5 s." in text
    assert f"Redis at ends.{kubectl.namespace}.svc:6379: no answer" in text
    assert "no pod of the Service ends is ready" in text
    assert "BackOff: " in text
    assert text.endswith("The end of its log:\nno disk")


def test_what_no_waiting_changes_is_said_at_once(failure: Failure) -> None:
    missing = {"name": "X", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "x"}}}
    text = failure("missing", args=["pause"], env=[missing], deadline=60.0)
    assert 'can\'t start (CreateContainerConfigError: secret "gone" not found)' in text
    text = failure("absent", image="localhost/absent:1", imagePullPolicy="Never", deadline=60.0)
    assert "can't start (ErrImageNeverPull: " in text


def test_a_pod_that_fits_on_no_node_is_said(failure: Failure) -> None:
    text = failure("large", args=["pause"], resources={"requests": {"memory": "9Ti"}})
    assert "FailedScheduling: 0/" in text
    assert "Insufficient memory" in text


def test_a_pod_that_can_t_even_be_made_is_said(failure: Failure) -> None:
    text = failure("nobody", args=["pause"], pod={"serviceAccountName": "gone"})
    assert "FailedCreate: " in text
    assert 'serviceaccount "gone" not found' in text


def test_warnings_of_an_earlier_pod_are_left_out(access: Access, kubectl: Kubectl, failure: Failure) -> None:
    failure("twice", args=["pause"], resources={"requests": {"memory": "9Ti"}})
    kubectl("delete", "statefulset", "twice", "--wait=true")
    kubectl("wait", "pod/twice-0", "--for=delete", "--timeout=30s")
    text = failure("twice", args=["pause"])
    assert "FailedScheduling" not in text, text


def test_the_password_is_read_from_its_secret(kubectl: Kubectl) -> None:
    address = Address.of({"admin": admin_of(kubectl, "login")})
    with pytest.raises(SliceError, match=rf"there is no Secret login-admin in the namespace {kubectl.namespace}"):
        address.password()
    kubectl.apply(secret("login-admin", other="x"))
    with pytest.raises(SliceError, match="has no `admin` but other: run `strata up --stack test`"):
        address.password()
    kubectl.apply(secret("login-admin", admin="pa55"))
    eventually(lambda: None if address.password() == "pa55" else "another password")
