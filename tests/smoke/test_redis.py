"""Redis as every application that shares it: its prefix works, and nothing beyond it."""

import time
import uuid

import pytest
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from infra.contract import StackContract
from tests.smoke import clients

pytestmark = pytest.mark.quick

# Each would harm if it were allowed, so each is written such that an allowed one fails on its arguments instead:
# Redis checks permission first.
DANGEROUS = [
    "FLUSHALL NOSUCHOPTION",
    "FLUSHDB NOSUCHOPTION",
    "SHUTDOWN NOSUCHOPTION",
    "BGSAVE NOSUCHOPTION",
    "CONFIG GET requirepass",
    "CONFIG SET nosuchsetting 1",
    "ACL LIST",
    "REPLICAOF nohost noport",
    "CLIENT KILL ID 0",
    "CLIENT LIST",
    "KEYS *",
    "RANDOMKEY",
    "DBSIZE",
    "SELECT 1",
    "SWAPDB x y",
    "FUNCTION LIST",
    "FUNCTION FLUSH NOSUCHOPTION",
    "SCRIPT FLUSH NOSUCHOPTION",
    "SCRIPT KILL",
    "PUBSUB CHANNELS",
    "MODULE LIST",
    "MONITOR",
    "LATENCY RESET nosuchevent",
]


@pytest.fixture
def app(contract: StackContract) -> str:
    names = [name for name, slices in contract.applications.items() if slices.redis and not slices.redis.server]
    if not names:
        pytest.skip("no application of this stack shares its Redis")
    return names[0]


@pytest.fixture
def prefix(contract: StackContract, app: str) -> str:
    """A prefix within the application's own, which nobody else uses."""
    slice_ = contract.applications[app].redis
    assert slice_
    return f"{slice_.prefix}smoke:{uuid.uuid4()}:"


def test_a_value_written_within_the_prefix_is_read_back(contract: StackContract, app: str, prefix: str) -> None:
    with clients.redis_client(contract, app) as client:
        assert client.set(f"{prefix}a", "1", ex=60)
        try:
            assert client.get(f"{prefix}a") == "1"
            assert client.incr(f"{prefix}a") == 2
        finally:
            assert client.delete(f"{prefix}a") == 1
        assert client.get(f"{prefix}a") is None


def test_the_server_is_the_version_that_the_contract_says(contract: StackContract, app: str) -> None:
    assert contract.backends.redis
    with clients.redis_client(contract, app) as client:
        assert client.info("server")["redis_version"] == contract.backends.redis.version


@pytest.mark.parametrize("command", ["GET {key}", "SET {key} 1 NX EX 1", "DEL {key}", "COPY {own} {key}"])
def test_a_key_outside_the_prefix_is_refused(contract: StackContract, app: str, prefix: str, command: str) -> None:
    text = command.format(key=f"other:smoke:{uuid.uuid4()}", own=f"{prefix}a")
    with clients.redis_client(contract, app) as client, pytest.raises(NoPermissionError):
        clients.command(client, text)


def test_a_script_cannot_reach_outside_the_prefix(contract: StackContract, app: str) -> None:
    with clients.redis_client(contract, app) as client, pytest.raises((NoPermissionError, ResponseError)) as caught:
        client.eval("return redis.call('GET', 'other:smoke')", 0)
    assert "permission" in str(caught.value).lower() or "ACL" in str(caught.value)


@pytest.mark.parametrize("command", DANGEROUS)
def test_a_dangerous_command_is_refused(contract: StackContract, app: str, command: str) -> None:
    with clients.redis_client(contract, app) as client, pytest.raises(NoPermissionError):
        clients.command(client, command)


@pytest.mark.parametrize(
    ("who", "changed"),
    [
        ("nobody", {"username": "", "password": ""}),
        ("a wrong password", {"password": "not-the-password"}),
        ("the administrator with a wrong password", {"username": "admin", "password": "not-the-password"}),
        ("the default user", {"username": "default", "password": "not-the-password"}),
    ],
)
def test_a_stranger_is_refused(contract: StackContract, app: str, who: str, changed: dict[str, str]) -> None:
    strangers = clients.redis_client(contract, app, **changed)
    with strangers as client, pytest.raises((AuthenticationError, NoPermissionError)):
        client.ping()


def test_the_password_of_another_backend_is_refused(contract: StackContract, app: str) -> None:
    credential = contract.credentials[app].postgres
    if credential is None:
        pytest.skip(f"{app} has no other credential")
    other = credential.password.get_secret_value()
    with clients.redis_client(contract, app, password=other) as client, pytest.raises(AuthenticationError):
        client.ping()


def test_a_message_arrives_on_a_channel_within_the_prefix(contract: StackContract, app: str, prefix: str) -> None:
    channel = f"{prefix}channel"
    with clients.redis_client(contract, app) as client, clients.subscriber(client) as subscriber:
        subscriber.subscribe(channel)
        deadline = time.monotonic() + clients.SECONDS
        receivers, message = 0, None
        while message is None and time.monotonic() < deadline:
            receivers = receivers or client.publish(channel, "hello")
            message = subscriber.get_message(timeout=0.1)
    assert message, f"no message within {clients.SECONDS} s; {receivers} receivers were told"
    assert message["data"] == "hello"


def test_a_channel_outside_the_prefix_is_refused(contract: StackContract, app: str) -> None:
    with clients.redis_client(contract, app) as client:
        for text in ("PUBLISH other:channel hello", "SUBSCRIBE other:channel", "PSUBSCRIBE *"):
            with pytest.raises(NoPermissionError):
                clients.command(client, text)
