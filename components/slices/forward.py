"""Ways into a cluster: a port of this machine that leads to a backend there, as with `kubectl port-forward`.

One per backend and process, for as long as the process lives. Each connection is a tunnel of its own to a pod that is
ready at that moment: so who connects again after a pod has died reaches the next one, and while none is ready the
connection is closed at once. Network policies do not see it.

Own code, since the library at hand (kr8s) takes most of a second to open a way, says that it is open before it is,
and closes a connection without the reason.
"""

import asyncio
import atexit
import random
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from components.slices.cluster import asynchronous, failure, refusal
from components.slices.errors import SliceError
from components.slices.kubeconfig import Version, source, version
from components.slices.tunnel import CHUNK, tunnel

if TYPE_CHECKING:
    import httpx2

TIMEOUT: Final = 10.0  # seconds for an answer of the API
LOOPBACK: Final = "127.0.0.1"

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """A port of a Service."""

    context: str | None
    namespace: str
    service: str
    port: int


def forwarded(target: Target, *, preferred: int | None = None) -> tuple[str, int]:
    """Host and port of this machine that lead there. Raises SliceError.

    `preferred` is the port to take, where it is free.
    """
    return LOOPBACK, _WAYS.way(target, preferred).port


def trouble(target: Target) -> str | None:
    """Why the last connection to `target` was closed, if that was not by the backend."""
    return _WAYS.trouble(target)


def close() -> None:
    """Ends every way of this process; the next `forwarded` opens a new one."""
    _WAYS.close()


class _Way:
    """One port of this machine, and what came of the last connection."""

    def __init__(self, target: Target, client: Callable[[], "httpx2.AsyncClient"]) -> None:
        self._target = target
        self._client = client  # the one of this moment: the user may log in anew while the way is open
        self._port_name = ""
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.port = 0
        self.trouble: str | None = None

    async def open(self, preferred: int | None) -> None:
        """Listens. Raises SliceError."""
        target = self._target
        path = f"/api/v1/namespaces/{target.namespace}/services/{target.service}"
        ports = ((await self._get(path)).get("spec") or {}).get("ports") or []
        named = [port.get("name") or "" for port in ports if port["port"] == target.port]
        if not named:
            there = ", ".join(str(port["port"]) for port in ports)
            raise SliceError(
                f"the Service {target.service} in the namespace {target.namespace} has no port {target.port} but"
                f" {there}: run `strata up`"
            )
        (self._port_name,) = named
        try:
            self._server = await self._listen(preferred or 0)
        except OSError:
            self._server = await self._listen(0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        await asyncio.sleep(0.01)  # what was accepted a moment ago becomes a connection, and is closed as one
        if self._server is not None:
            self._server.close()
        connections = dict(self._connections)
        for connection, writer in connections.items():
            connection.cancel()
            writer.close()  # one that has not even begun has no end of its own
        await asyncio.gather(*connections, *(w.wait_closed() for w in connections.values()), return_exceptions=True)

    async def _listen(self, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._accept, LOOPBACK, port, limit=CHUNK)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own, since Python's callback for these stumbles over one that is cancelled.
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections[connection] = writer
        connection.add_done_callback(self._connections.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            pod, port = await self._ready_pod()
            async with tunnel(self._client(), self._target.namespace, pod, port) as way:
                self.trouble = None
                await way.carry(reader, writer)
        except SliceError as error:
            self.trouble = str(error)
        except Exception as error:  # noqa: BLE001 - whatever ends a connection must not end the others
            self.trouble = str(failure(f"{self._target.context or 'the current context'}", error))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _ready_pod(self) -> tuple[str, int]:
        """Name and port of one; any of them, as a Service does."""
        target = self._target
        path = f"/apis/discovery.k8s.io/v1/namespaces/{target.namespace}/endpointslices"
        slices = await self._get(path, labelSelector=f"kubernetes.io/service-name={target.service}")
        ready = [
            (str(endpoint["targetRef"]["name"]), int(port["port"]))
            for each in slices.get("items") or ()
            for port in each.get("ports") or ()
            if (port.get("name") or "") == self._port_name
            for endpoint in each.get("endpoints") or ()
            if (endpoint.get("conditions") or {}).get("ready") is not False and "targetRef" in endpoint
        ]
        if not ready:
            raise SliceError(
                f"no pod of the Service {target.service} is ready (kubectl get pods --namespace {target.namespace})"
            )
        return random.choice(ready)  # noqa: S311 - no secret

    async def _get(self, path: str, **params: str) -> dict[str, Any]:
        client = self._client()
        try:
            answer = await client.get(path, params=params)
        except Exception as error:  # noqa: BLE001 - see `failure`
            raise failure(str(client.base_url), error) from None
        if answer.status_code == 404:
            raise SliceError(
                f"there is no Service {self._target.service} in the namespace {self._target.namespace}: run `strata up`"
            )
        if answer.status_code != 200:
            raise refusal("GET", path, answer)
        return dict(answer.json())


class _Ways:
    """All ways of this process, on an event loop in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._open_ways: list[_Way] = []
        self._opening: dict[tuple[str, Target, int | None], Future[_Way]] = {}
        self._clients: dict[tuple[Version, str | None], httpx2.AsyncClient] = {}

    def way(self, target: Target, preferred: int | None) -> _Way:
        """An open one; threads that ask for the same wait for the same."""
        key = (source(), target, preferred)
        with self._lock:
            if key not in self._opening:
                self._opening[key] = self._start(self._open(target, preferred))
            opening = self._opening[key]
        try:
            return opening.result()
        except BaseException:
            with self._lock:  # the next one tries again
                if self._opening.get(key) is opening:
                    del self._opening[key]
            raise

    def trouble(self, target: Target) -> str | None:
        with self._lock:
            found = [opening for (_, of, _), opening in self._opening.items() if of == target and opening.done()]
        said = [way.result().trouble for way in found if way.exception() is None]
        return next((text for text in said if text), None)

    def close(self) -> None:
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
            self._opening.clear()
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _open(self, target: Target, preferred: int | None) -> _Way:
        way = _Way(target, lambda: self._client(target.context))
        await way.open(preferred)
        self._open_ways.append(way)
        return way

    def _client(self, context: str | None) -> "httpx2.AsyncClient":
        key = (version(), context)
        if key not in self._clients:
            self._clients[key] = asynchronous(context, TIMEOUT)
        return self._clients[key]

    def _start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="forwards", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _end(self) -> None:
        """Ends listeners, connections and clients, so that nothing is left for the interpreter to complain of."""
        for way in self._open_ways:
            await way.close()
        for client in self._clients.values():
            await client.aclose()
        self._open_ways.clear()
        self._clients.clear()


_WAYS: Final = _Ways()
atexit.register(close)
