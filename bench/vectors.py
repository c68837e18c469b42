"""Vector search on our Qdrant and on one of the same image with its defaults, with the same limits."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import numpy
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from bench import daemon
from bench.daemon import limits
from bench.errors import BenchError
from bench.measure import in_turns
from bench.stack import Stack, free_port
from bench.table import Goal, Row
from components.docker.backend import LOOPBACK
from components.workloads.workload import Workload

GOAL = Goal(limit=1.0, direction="at least", of="ratio")
POINTS: Final = 10_000
DIMENSIONS: Final = 384  # of the common small models for sentences
BEST: Final = 10
_COLLECTION: Final = "bench"
_BATCH: Final = 500
_KEY_FILE: Final = "/api-key"
_SEED: Final = 20251

Vectors = list[list[float]]


def rows(stack: Stack, rounds: int, duration: int, say: Callable[[str], None]) -> Iterator[Row]:
    """`duration` is that of each run, in seconds. The stack must be up. Raises BenchError."""
    work = stack.workloads["qdrant"]
    # As applications come: to ours with a token, to the other one with the API key, which is all that it knows.
    ours, key = partial(_client, work.host_port, stack.secret("qdrant/admin")), daemon.password()
    with _defaults(stack, work, key) as port, ours() as our_client, _client(port, key) as their_client:
        clients = {"ours": our_client, "theirs": their_client}
        points, questions = vectors(POINTS), vectors(200)
        for whose, client in clients.items():
            say(f"filling {whose} with {POINTS} vectors of {DIMENSIONS} dimensions")
            daemon.until(partial(_answers, client))
            _fill(client, points)
        say(f"vector search: {rounds} rounds of {duration} s each")
        taken = in_turns({w: partial(_rate, client, questions, duration) for w, client in clients.items()}, rounds)
    yield Row(name="vector search", unit="queries/s", ours=taken["ours"], theirs=taken["theirs"], goal=GOAL)


def vectors(count: int) -> Vectors:
    """Unit vectors in all directions, the same ones every time."""
    drawn = numpy.random.default_rng(_SEED + count).standard_normal((count, DIMENSIONS)).astype(numpy.float32)
    made: Vectors = (drawn / numpy.linalg.norm(drawn, axis=1, keepdims=True)).tolist()
    return made


def _rate(client: QdrantClient, questions: Vectors, duration: float) -> float:
    """Queries per second, one after the other."""
    begun, asked = time.perf_counter(), 0
    while (taken := time.perf_counter() - begun) < duration:
        found = client.query_points(_COLLECTION, query=questions[asked % len(questions)], limit=BEST).points
        if len(found) != BEST:
            raise BenchError(f"the vector search found {len(found)} points, and {BEST} were asked for")
        asked += 1
    return asked / taken


def _fill(client: QdrantClient, points: Vectors) -> None:
    client.create_collection(
        _COLLECTION, vectors_config=models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE)
    )
    for first in range(0, len(points), _BATCH):
        batch = points[first : first + _BATCH]
        structs = [models.PointStruct(id=first + number, vector=vector) for number, vector in enumerate(batch)]
        client.upsert(_COLLECTION, structs, wait=True)


def _answers(client: QdrantClient) -> None:
    try:
        client.get_collections()
    except ApiException as error:
        raise BenchError(f"Qdrant does not answer: {error}") from None


@contextmanager
def _client(port: int, key: str) -> Iterator[QdrantClient]:
    # As `api_key` the client would warn that it goes over plain HTTP; it stays on this machine.
    client = QdrantClient(
        url=f"http://{LOOPBACK}:{port}",
        metadata={"api-key": key},
        check_compatibility=False,
        timeout=60,
        prefer_grpc=False,
    )
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _defaults(stack: Stack, work: Workload, key: str) -> Iterator[int]:
    """The image as it is, with our limits; its port on this host.

    Images that know no file for the key ask for none: it never stands in an environment.
    """
    port = free_port()
    ports = {f"{work.port}/tcp": (LOOPBACK, port)}
    name = f"{stack.name}-qdrant-default"
    with daemon.container(
        stack.image(work),
        name,
        owner=stack.name,
        network=stack.network,
        environment={"QDRANT__SERVICE__API_KEY_FILE": _KEY_FILE},
        files={_KEY_FILE: key},
        user=work.uid,
        ports=ports,
        **limits(work),
    ):
        yield port
