"""pgbench on our Postgres and on one of the same image with its defaults, with the same limits."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

from docker.models.containers import Container

from bench import daemon
from bench.daemon import limits
from bench.measure import in_turns
from bench.stack import Stack
from bench.table import Goal, Row
from components.workloads.workload import Workload

GOAL = Goal(limit=1.2, direction="at least", of="ratio")
SCALE = 20  # 2,000,000 accounts, 300 MB
CLIENTS = 8
_PASSWORD = "/password"  # noqa: S105 - a path
_PGPASS = "/pgpass"
_DATABASE = "bench"


@dataclass(frozen=True)
class Load:
    """One way of using pgbench."""

    name: str
    options: tuple[str, ...]
    goal: Goal | None


LOADS = (
    Load("pgbench, TPC-B-like", (), GOAL),
    Load("  reading only", ("--select-only",), None),
)


def rows(stack: Stack, rounds: int, duration: int, say: Callable[[str], None]) -> Iterator[Row]:
    """`duration` is that of each run, in seconds. The stack must be up. Raises BenchError."""
    work = stack.workloads["postgres"]
    password = daemon.password()
    with (
        _defaults(stack, work, password) as other,
        _client(stack, work, {work.name: stack.secret("postgres/admin"), other: password}) as client,
    ):
        hosts = {"ours": work.name, "theirs": other}
        for whose, host in hosts.items():
            say(f"filling {whose} for pgbench, scale {SCALE}")
            daemon.until(partial(_psql, client, host, "postgres", "SELECT 1"))
            _psql(client, host, "postgres", f"CREATE DATABASE {_DATABASE}")
            _pgbench(client, host, "--initialize", "--quiet", f"--scale={SCALE}")
        for load in LOADS:
            say(f"{load.name.strip()}: {rounds} rounds of {duration} s each")
            contestants = {name: _run(client, host, load, duration) for name, host in hosts.items()}
            taken = in_turns(contestants, rounds, warm_up=1)
            yield Row(name=load.name, unit="tps", ours=taken["ours"], theirs=taken["theirs"], goal=load.goal)


def parse_tps(text: str) -> float:
    """Transactions per second, without the time to connect. Raises ValueError if pgbench does not say."""
    match = re.search(r"^tps = ([\d.]+)", text, re.MULTILINE)
    if not match:
        raise ValueError(f"pgbench says no tps:\n{text}")
    return float(match[1])


def _run(client: Container, host: str, load: Load, duration: int) -> Callable[[], float]:
    def run() -> float:
        # What the run before left to write would be written during this one, and only on one side.
        _psql(client, host, _DATABASE, "CHECKPOINT")
        options = (f"--client={CLIENTS}", "--jobs=2", f"--time={duration}", *load.options)
        return parse_tps(_pgbench(client, host, *options))

    return run


@contextmanager
def _defaults(stack: Stack, work: Workload, password: str) -> Iterator[str]:
    """The image as it is, with our limits; its name."""
    name = f"{stack.name}-default-postgres"
    files = {_PASSWORD: password}
    environment = {"POSTGRES_PASSWORD_FILE": _PASSWORD}
    with daemon.container(
        stack.image(work),
        name,
        owner=stack.name,
        network=stack.network,
        environment=environment,
        files=files,
        user=work.uid,
        **limits(work),
    ):
        yield name


def _client(stack: Stack, work: Workload, passwords: Mapping[str, str]) -> AbstractContextManager[Container]:
    """The same image again, for its clients: without limits, on the same network."""
    pgpass = "".join(f"{host}:*:*:postgres:{password}\n" for host, password in passwords.items())
    return daemon.container(
        stack.image(work),
        f"{stack.name}-pgbench",
        owner=stack.name,
        network=stack.network,
        entrypoint=["sleep", "infinity"],
        environment={"PGPASSFILE": _PGPASS},
        files={_PGPASS: pgpass},
        user=work.uid,
    )


def _psql(client: Container, host: str, database: str, statement: str) -> None:
    daemon.run(client, ["psql", "--no-psqlrc", "--quiet", *_address(host), f"--command={statement}", database])


def _pgbench(client: Container, host: str, *options: str) -> str:
    return daemon.run(client, ["pgbench", *_address(host), *options, _DATABASE])


def _address(host: str) -> list[str]:
    return [f"--host={host}", "--username=postgres"]
