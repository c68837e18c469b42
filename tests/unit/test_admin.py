"""The administrator's login as slices get it, from states of this version and of earlier ones."""

import pytest

from components.slices.admin import Address, ClusterRef
from components.slices.errors import SliceError

OLD = {"stack": "dev", "secret": "redis/admin", "host": "127.0.0.1", "port": 6379.0}
PLACE = {"namespace": "n", "stateful_set": "redis", "service": "redis", "secret": "redis-admin"}


@pytest.mark.parametrize("more", [{}, {"cluster": None, "ca": None}], ids=["earlier", "this"])
def test_a_backend_of_docker_is_reached_where_it_listens(more: dict[str, None]) -> None:
    address = Address.of({"admin": {**OLD, **more}})
    assert address.reached() == ("127.0.0.1", 6379)
    assert (address.cluster, address.ca) == (None, None)
    assert "docker ps" in address.absent


def test_one_of_a_cluster_is_known_by_its_place_there(monkeypatch: pytest.MonkeyPatch) -> None:
    address = Address.of({"admin": {**OLD, "host": "redis.n.svc", "cluster": PLACE, "ca": "PEM"}})
    assert address.cluster == ClusterRef(**PLACE, context=None)
    assert address.ca == "PEM"
    assert str(address) == "redis.n.svc:6379"
    assert "kubectl get pods --namespace n" in address.absent
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    for ask in (address.password, address.reached):
        with pytest.raises(SliceError, match="there is no kubeconfig /nowhere"):
            ask()
