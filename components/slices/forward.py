"""Ways into a cluster: a port of this machine that leads to a backend there, as with `kubectl port-forward`.

One per backend and process, for as long as the process lives. Each connection is a tunnel of its own to a pod that is
ready at that moment: so who connects again after a pod has died reaches the next one. Network policies do not see it.
"""

import asyncio
import atexit
import os
import socket
import threading
from dataclasses import dataclass
from typing import Any, Final

from components.slices.cluster import ClusterError, configuration
from components.slices.errors import SliceError

ATTEMPTS: Final = 10  # at a port that was free a moment ago
OPEN_TIMEOUT: Final = 20.0  # seconds
LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True)
class _Target:
    kubeconfig: str | None
    context: str | None
    namespace: str
    service: str
    port: int


def forwarded(
    context: str | None, namespace: str, service: str, port: int, *, preferred: int | None = None
) -> tuple[str, int]:
    """Host and port of this machine that lead to the port of the Service. Raises SliceError.

    `preferred` is the port to take, where it is free.
    """
    target = _Target(os.environ.get("KUBECONFIG"), context, namespace, service, port)
    return LOOPBACK, _FORWARDS.port(target, preferred if preferred is not None and _is_free(preferred) else None)


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


class _Forwards:
    """All forwards of this process, on an event loop of their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ports: dict[_Target, int] = {}
        self._open: list[Any] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def port(self, target: _Target, local_port: int | None) -> int:
        with self._lock:
            if target not in self._ports:
                self._ports[target] = self._start(target, local_port)
            return self._ports[target]

    def _start(self, target: _Target, local_port: int | None) -> int:
        configuration(target.context)  # whose errors are clear
        where = f"{target.namespace}/{target.service}:{target.port}"
        future = asyncio.run_coroutine_threadsafe(self._forward(target, local_port), self._running())
        try:
            return future.result(OPEN_TIMEOUT)
        except ClusterError:
            raise
        except TimeoutError:
            future.cancel()
            raise SliceError(
                f"no way to {where} within {OPEN_TIMEOUT:g} s: the Kubernetes API does not answer"
            ) from None
        except Exception as error:  # noqa: BLE001 - whatever the client meets
            raise SliceError(f"no way to {where} through the Kubernetes API: {error or type(error).__name__}") from None

    async def _forward(self, target: _Target, local_port: int | None) -> int:
        import kr8s
        from kr8s.asyncio import api
        from kr8s.asyncio.objects import Service

        client = await api(kubeconfig=target.kubeconfig, context=target.context)
        try:
            service = await Service.get(target.service, namespace=target.namespace, api=client)
        except kr8s.NotFoundError:
            raise SliceError(
                f"there is no Service {target.service} in the namespace {target.namespace}: run `strata up`"
            ) from None
        for _ in range(ATTEMPTS):
            forward = service.portforward(target.port, local_port or _any_port())
            await forward.start()
            while forward._bg_task is not None and not forward._bg_task.done():
                if forward.servers and forward.servers[0].is_serving():
                    self._open.append(forward)
                    return int(forward.local_port)
                await asyncio.sleep(0.01)
            local_port = None  # somebody was faster
        raise SliceError(f"no port of this machine could be had for {target.namespace}/{target.service}")

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            # A tunnel that fails closes its connection, which is how its user learns of it.
            self._loop.set_exception_handler(lambda loop, context: None)
            self._thread = threading.Thread(target=self._loop.run_forever, name="forwards", daemon=True)
            self._thread.start()
            atexit.register(self.close)
        return self._loop

    def close(self) -> None:
        """Ends every forward."""
        if self._loop is not None and self._loop.is_running():
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(OPEN_TIMEOUT)
            self._loop.call_soon_threadsafe(self._loop.stop)
            if self._thread is not None:
                self._thread.join(OPEN_TIMEOUT)
            self._loop.close()

    async def _close(self) -> None:
        for forward in self._open:
            await forward.stop()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


_FORWARDS: Final = _Forwards()
