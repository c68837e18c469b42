"""redis-benchmark on our Redis and on one of the same image with its defaults, with the same limits."""

import csv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import redis
from docker.models.containers import Container

from bench import daemon
from bench.daemon import limits
from bench.measure import in_turns
from bench.stack import Stack
from bench.table import Goal, Row
from components.docker.backend import LOOPBACK
from components.workloads.workload import Workload

GOAL = Goal(limit=1.0, direction="at least", of="ratio")
COMMANDS = ("set", "get", "incr", "lpush")
CLIENTS = 50
KEYS = 10_000  # few enough to fit, whatever is written to them
VALUE = 100  # bytes
_FIRST = 10_000  # requests


@dataclass(frozen=True)
class Load:
    """How many requests each client sends before it waits for answers."""

    name: str
    pipeline: int
    goal: Goal | None


LOADS = (Load("redis-benchmark, one by one", 1, GOAL), Load("redis-benchmark, pipelines of 16", 16, GOAL))

# The image's defaults write a snapshot now and then, and lose minutes in a crash; ours loses a second. What that costs
# is told apart from the rest by defaults that log, too.
_OURS, _THEIRS, _LOGGED = "ours", "default", "default-log"
_OTHERS = {_THEIRS: ["redis-server"], _LOGGED: ["redis-server", "--appendonly", "yes"]}


def rows(stack: Stack, rounds: int, duration: int, say: Callable[[str], None]) -> Iterator[Row]:
    """`duration` is about that of each run, in seconds. The stack must be up. Raises BenchError."""
    work = stack.workloads["redis"]
    with ExitStack() as opened:
        for which, command in _OTHERS.items():
            opened.enter_context(_defaults(stack, work, _host(stack, which), command))
        client = opened.enter_context(_client(stack, work))
        opened.enter_context(_without_password(stack, work))
        hosts = {_OURS: work.name, **{which: _host(stack, which) for which in _OTHERS}}
        for host in hosts.values():
            daemon.until(partial(_cli, client, host, "PING"))
        for load in LOADS:
            requests = _requests(client, hosts[_THEIRS], load, duration)
            say(f"{load.name}: {rounds} rounds of {requests} requests of each of {', '.join(COMMANDS)}")
            taken = in_turns({name: _run(client, host, load, requests) for name, host in hosts.items()}, rounds)
            yield Row(name=load.name, unit="req/s", ours=taken[_OURS], theirs=taken[_THEIRS], goal=load.goal)
            yield Row(name="  if the defaults log, too", unit="req/s", ours=taken[_OURS], theirs=taken[_LOGGED])


def parse_rate(text: str) -> float:
    """Requests per second over all commands, of redis-benchmark's CSV: they all had as many requests.

    Raises ValueError if there are none.
    """
    rates = [float(line["rps"]) for line in csv.DictReader(text.strip().splitlines())]
    if not rates:
        raise ValueError(f"redis-benchmark says no rates:\n{text}")
    return len(rates) / sum(1 / rate for rate in rates)


def _requests(client: Container, host: str, load: Load, duration: int) -> int:
    """How many requests of each command take about `duration` seconds together."""
    rate = _run(client, host, load, _FIRST)()
    return max(_FIRST, round(rate * duration / len(COMMANDS) / _FIRST) * _FIRST)


def _run(client: Container, host: str, load: Load, requests: int) -> Callable[[], float]:
    def run() -> float:
        _cli(client, host, "FLUSHALL", "SYNC")
        command = ["redis-benchmark", "-h", host, "-t", ",".join(COMMANDS), "-n", str(requests), "-r", str(KEYS)]
        shape = ["-c", str(CLIENTS), "-P", str(load.pipeline), "-d", str(VALUE)]
        return parse_rate(daemon.run(client, [*command, *shape, "--csv"]))

    return run


def _host(stack: Stack, which: str) -> str:
    return f"{stack.name}-redis-{which}"


def _defaults(stack: Stack, work: Workload, name: str, command: list[str]) -> AbstractContextManager[Container]:
    return daemon.container(
        stack.image(work), name, command=command, owner=stack.name, network=stack.network, **limits(work)
    )


def _client(stack: Stack, work: Workload) -> AbstractContextManager[Container]:
    sleep = ["sleep", "infinity"]
    return daemon.container(
        stack.image(work), f"{stack.name}-redis-benchmark", entrypoint=sleep, owner=stack.name, network=stack.network
    )


@contextmanager
def _without_password(stack: Stack, work: Workload) -> Iterator[None]:
    """redis-benchmark takes a password from its command line only, where everybody reads it: so it needs none here."""
    password = stack.secret("redis/admin")
    with redis.Redis(host=LOOPBACK, port=work.host_port, username="admin", password=password) as admin:
        admin.execute_command("ACL", "SETUSER", "default", "on", "nopass", "~*", "&*", "+@all")
        try:
            yield
        finally:
            closed = ("off", "resetpass", "resetkeys", "resetchannels", "-@all")
            admin.execute_command("ACL", "SETUSER", "default", *closed)


def _cli(client: Container, host: str, *command: str) -> None:
    daemon.run(client, ["redis-cli", "-e", "-h", host, *command])
