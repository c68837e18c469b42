"""What `strata verify` says of the certificate that a server shows."""

from datetime import timedelta
from pathlib import Path

import pytest

from infra.checks import certificates, object_store, postgres, qdrant, redis
from infra.checks.reach import FailedError, Reach
from infra.contract import BACKENDS, Backend, BackendName, StackContract
from tests.tls_server import Maker, serving
from tests.unit import contracts

MONTH = 30 * 24
CHECKS = {
    "postgres": postgres.connected,
    "redis": redis.connected,
    "qdrant": qdrant.connected,
    "object_store": object_store.connected,
}


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker.new()


def server(maker: Maker, port: int) -> Backend:
    described = contracts.outputs()["backends"]["redis"]
    view = {"host": "127.0.0.1", "port": port, "tls": True}
    return Backend.model_validate({**described, "views": {"host": view}, "ca": maker.authority["caCertPem"]})


@pytest.mark.parametrize("postgres", [False, True], ids=["tls", "postgres"])
def test_one_that_ends_within_a_month_fails_and_a_younger_one_does_not(
    maker: Maker, tmp_path: Path, postgres: bool
) -> None:
    with serving(maker.files(tmp_path, hours=MONTH + 12)) as port:
        assert "in 30 days" in certificates.valid(server(maker, port), "host", postgres=postgres)
    with (
        serving(maker.files(tmp_path, hours=MONTH - 12)) as port,
        pytest.raises(FailedError, match=r"ends on 20\d\d-\d\d-\d\d, in 29 days") as caught,
    ):
        certificates.valid(server(maker, port), "host", postgres=postgres)
    assert "`strata up` makes another one" in caught.value.hint


def test_one_that_has_ended_is_not_taken_for_a_silent_server(maker: Maker, tmp_path: Path) -> None:
    with serving(maker.files(tmp_path, age=timedelta(days=10))) as port, pytest.raises(FailedError, match="has ended"):
        certificates.valid(server(maker, port), "host", postgres=False)


def test_a_silent_server_is_said(maker: Maker) -> None:
    with pytest.raises(FailedError, match=r"no answer at 127\.0\.0\.1:1: .*refused"):
        certificates.valid(server(maker, 1), "host", postgres=False)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_application_s_check_says_so_too(backend: BackendName, maker: Maker, tmp_path: Path) -> None:
    with serving(maker.files(tmp_path, age=timedelta(days=10))) as port:
        outputs = contracts.outputs()
        outputs["backends"][backend] = server(maker, port).model_dump()
        reach = Reach(StackContract.model_validate(outputs), "alfred", backend, "host")
        with pytest.raises(FailedError, match=f"127.0.0.1:{port}: its certificate has ended"):
            CHECKS[backend](reach)
