"""The administrator's connection to Redis, its users, and its failures in one clear line."""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from pulumi.dynamic import CheckFailure

from components.slices.admin import Address
from components.slices.errors import RefusedError, SliceError
from components.slices.resource import name_failure
from components.trust import complaint

if TYPE_CHECKING:  # see `connect`
    import redis

USER: Final = "admin"
TIMEOUT: Final = 5.0  # seconds, for connecting and for an answer
NAME_LIMIT: Final = 63
NAME_PATTERN: Final = "[A-Za-z_][A-Za-z0-9_.:-]*"

# The start script keeps the volume's identity in the ACL file, as the name of a user who can do nothing.
IDENTITY: Final = "strata-identity-"
RESERVED: Final = f"default|admin|{IDENTITY}.*"


def name_problems(property_: str, name: Any) -> list[CheckFailure]:
    """Why `name` cannot be a user's, if it cannot."""
    return name_failure(property_, name, pattern=NAME_PATTERN, limit=NAME_LIMIT, reserved=RESERVED)


class Connection:
    """A connection that speaks plain commands."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def command(self, *arguments: str) -> Any:
        return self._client.execute_command(*arguments)  # type: ignore[no-untyped-call]

    def users(self) -> dict[str, str]:
        """Each user's name and rules, as the ACL file has them."""
        lines = (line.split(" ", 2) for line in self.command("ACL LIST"))
        return {name: rules for _, name, rules in lines}

    def save(self) -> None:
        """Write the users to the ACL file, beside it first and then renamed."""
        self.command("ACL SAVE")

    def identity(self) -> str:
        """The UUID that the start script keeps on the data volume."""
        for name in self.users():
            if name.startswith(IDENTITY):
                return name.removeprefix(IDENTITY)
        raise SliceError("Redis has no identity: it was not started by components/scripts/redis.sh")

    def version(self) -> str:
        info = self.command("INFO", "server")
        if isinstance(info, dict):
            return str(info["redis_version"])
        found = re.search(r"redis_version:(\S+)", str(info))
        return found[1] if found else ""


@contextmanager
def connect(address: Address, *, timeout: float = TIMEOUT, password: str | None = None) -> Iterator[Connection]:
    """A connection as the administrator, with another password than the current one if there is one given.

    Raises RefusedError when the password is refused, and SliceError for every other failure in or under it.
    """
    # Imported when needed: the program declares users and never connects, and need not wait 0.2 s for the client.
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    where = f"Redis at {address}"
    host, port = address.reached()
    verified: dict[str, Any] = {}
    if address.ca:
        oldest = ssl.TLSVersion.TLSv1_2
        verified = {"ssl": True, "ssl_ca_data": address.ca, "ssl_check_hostname": True, "ssl_min_version": oldest}
    client = redis.Redis(
        host=host,
        port=port,
        **verified,
        username=USER,
        password=address.password() if password is None else password,
        decode_responses=True,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield Connection(client)
    except redis.exceptions.AuthenticationError:
        raise RefusedError(
            f"{where}: the administrator's password is refused. `strata up` changes it where an earlier one is still"
            " accepted, and the container asserts it at every start: restart it. If another Redis holds this port,"
            " stop that one"
        ) from None
    except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
        raise SliceError(f"{where}: {complaint(error) or f'no answer ({error}). {address.absent}'}") from None
    except redis.exceptions.RedisError as error:
        raise SliceError(f"{where}: {error}") from None
    finally:
        client.close()
