"""What `strata verify` asks: every application's slices with its own credentials, and the disks of the servers.

Each check is one round trip that an application needs, with real versions in its answer; a failed one says what to do.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Final

from infra.checks import certificates, disks, object_store, postgres, qdrant, redis
from infra.checks.reach import FailedError, Reach
from infra.choices import ViewName
from infra.contract import BackendName, StackContract

AT_ONCE: Final = 8
_CLIENTS: Final = ("docker", "minio", "psycopg", "redis", "urllib3")  # loaded first: that is no latency of a server

_OF_BACKENDS: dict[BackendName, dict[str, Callable[[Reach], str]]] = {
    "postgres": {"PostgreSQL": postgres.connected, "PostgreSQL Schema": postgres.initialized},
    "qdrant": {"Qdrant": qdrant.connected},
    "redis": {"Redis": redis.connected},
    "object_store": {"Object Store": object_store.connected},
}


@dataclass(frozen=True)
class Check:
    """One line of the report; `hint` is what to do about a failure."""

    name: str
    ok: bool
    text: str
    milliseconds: float
    hint: str = ""


@dataclass(frozen=True)
class Report:
    """Checks by application, and those of the servers by the server's name."""

    applications: dict[str, list[Check]] = field(default_factory=dict)
    servers: list[Check] = field(default_factory=list)

    @property
    def all(self) -> list[Check]:
        return [*(check for checks in self.applications.values() for check in checks), *self.servers]


def run(contract: StackContract, *, view: ViewName, only: tuple[str, ...] = ()) -> Report:
    """Never raises for what is wrong with the stack: that is what the report says. `only` names applications."""
    for client in _CLIENTS:
        import_module(client)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        applications = {
            name: [pool.submit(_timed, title, ask) for title, ask in _of_application(contract, name, view)]
            for name in contract.applications
            if not only or name in only
        }
        servers = [
            pool.submit(_timed, f"{name} disk", partial(disks.room, server))
            for name, server in contract.servers.items()
            if server.runtime is not None and not only
        ]
        servers += [
            pool.submit(
                _timed,
                f"{name} certificate",
                partial(certificates.valid, server, view, postgres=server is contract.backends.postgres),
            )
            for name, server in contract.servers.items()
            if server.ca is not None and not only
        ]
        return Report(
            applications={name: [check.result() for check in checks] for name, checks in applications.items()},
            servers=[check.result() for check in servers],
        )


def _of_application(contract: StackContract, name: str, view: ViewName) -> Iterator[tuple[str, Callable[[], str]]]:
    for backend, checks in _OF_BACKENDS.items():
        if getattr(contract.applications[name], backend) is not None:
            reach = Reach(contract, name, backend, view)
            for title, ask in checks.items():
                yield title, partial(ask, reach)


def _timed(name: str, ask: Callable[[], str]) -> Check:
    begun = time.perf_counter()
    ok, hint = True, ""
    try:
        text = ask()
    except FailedError as error:
        ok, text, hint = False, str(error), error.hint
    return Check(name, ok, text, round((time.perf_counter() - begun) * 1000, 1), hint)
