"""What the administrator's clients say of a server that can't be trusted: what is wrong with it, not that it is silent.

A thread stands for the server: no client gets further than its certificate.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from components.secretfiles import write_secret
from components.slices.admin import Address
from components.slices.errors import SliceError
from components.slices.object_store.connection import connect as object_store
from components.slices.postgres.connection import connect as postgres
from components.slices.qdrant.connection import connect as qdrant
from components.slices.redis.connection import connect as redis
from tests.certificates import Tls
from tests.tls_server import Maker, serving

STACK: Final = "refused"


def _postgres(address: Address) -> AbstractContextManager[Any]:
    return postgres(address)


@contextmanager
def _redis(address: Address) -> Iterator[None]:
    with redis(address) as connection:
        connection.command("PING")
        yield


@contextmanager
def _qdrant(address: Address) -> Iterator[None]:
    with qdrant(address) as connection:
        connection.version()
        yield


@contextmanager
def _object_store(address: Address) -> Iterator[None]:
    with object_store(address) as connection:
        connection.info()
        yield


CLIENTS = {"postgres": _postgres, "redis": _redis, "qdrant": _qdrant, "object_store": _object_store}
Client = Callable[[Address], AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker.new()


@pytest.fixture(params=CLIENTS.values(), ids=list(CLIENTS))
def complaint(request: pytest.FixtureRequest) -> Callable[[int, str], str]:
    """What a client says of the server at a port."""
    connect: Client = request.param
    write_secret(STACK, "x/admin", "secret")

    def ask(port: int, ca: str) -> str:
        with pytest.raises(SliceError) as caught, connect(Address(STACK, "x/admin", "127.0.0.1", port, None, ca)):
            pass
        return str(caught.value)

    return ask


Ask = Callable[[int, str], str]


def test_a_certificate_that_has_ended(complaint: Ask, maker: Maker, tmp_path: Path) -> None:
    with serving(maker.files(tmp_path, age=timedelta(days=10))) as port:
        text = complaint(port, maker.authority["caCertPem"])
    assert f"127.0.0.1:{port}: its certificate has ended. `strata up` makes another one" in text


def test_a_certificate_of_another_authority(complaint: Ask, maker: Maker, tmp_path: Path) -> None:
    with serving(maker.files(tmp_path)) as port:
        text = complaint(port, Tls().authority()["caCertPem"])
    assert "its certificate is not of this stack's authority. If another server answers there, stop that one" in text


def test_a_certificate_for_other_names(complaint: Ask, maker: Maker, tmp_path: Path) -> None:
    with serving(maker.files(tmp_path, dnsNames=["other"], ipAddresses=["10.0.0.1"])) as port:
        text = complaint(port, maker.authority["caCertPem"])
    assert "its certificate is for other names than 127.0.0.1" in text


def test_a_server_without_tls(complaint: Ask, maker: Maker) -> None:
    with serving(None) as port:
        text = complaint(port, maker.authority["caCertPem"])
    assert "it speaks no TLS. If another server answers there, stop that one" in text


def test_a_silent_server_is_no_matter_of_certificates(complaint: Ask, maker: Maker) -> None:
    text = complaint(1, maker.authority["caCertPem"])
    assert "no answer" in text
    assert "certificate" not in text
