"""One connection into a pod, through the WebSocket of the Kubernetes API that `kubectl port-forward` uses, too.

Protocol v4.channel.k8s.io, for one port: every message begins with its channel, 0 for data and 1 for what went wrong,
and the first message of each channel only says the port again, in two bytes.
"""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from components.slices.cluster import ClusterError, refusal

if TYPE_CHECKING:
    import httpx2

DATA: Final = 0
PORT: Final = 2  # bytes
CHUNK: Final = 256 * 1024
PING: Final = 20.0  # seconds; load balancers in front of an API end what is silent for a minute or more
# Seconds without anything more for a client that has said all it has to say: it waits for the rest of an answer, or
# is gone, and neither can be told to the pod.
LINGER: Final = 1.0


@asynccontextmanager
async def tunnel(client: "httpx2.AsyncClient", namespace: str, pod: str, port: int) -> AsyncIterator["Tunnel"]:
    """An open one. Raises ClusterError when the API refuses it, and what the client raises when nobody answers."""
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
    headers = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": base64.b64encode(secrets.token_bytes(16)).decode(),
        "sec-websocket-protocol": "v4.channel.k8s.io",
    }
    async with client.stream("GET", path, params={"ports": str(port)}, headers=headers) as answer:
        if answer.status_code != 101:
            await answer.aread()
            raise refusal("GET", path, answer)
        yield Tunnel(answer.extensions["network_stream"])


class Tunnel:
    """Bytes to and from one port of a pod."""

    def __init__(self, stream: Any) -> None:
        from wsproto.connection import Connection, ConnectionType

        self._stream = stream
        self._protocol = Connection(ConnectionType.CLIENT)
        self._sending = asyncio.Lock()
        self._received = 0  # messages, of whatever kind

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until one side has closed. Raises ClusterError for what the API says of the pod's port."""
        outward = asyncio.create_task(self._outward(reader))
        inward = asyncio.create_task(self._inward(writer))
        alive = asyncio.create_task(self._keep_alive())
        try:
            await asyncio.wait({outward, inward, alive}, return_when=asyncio.FIRST_COMPLETED)
            seen = -1
            while outward.done() and not inward.done() and seen != self._received:
                seen = self._received
                await asyncio.wait({inward}, timeout=LINGER)
        finally:
            for task in (outward, inward, alive):
                task.cancel()
            # What a side that is gone makes of the others is no news; what the API said is.
            ends = await asyncio.gather(outward, inward, alive, return_exceptions=True)
        for end in ends:
            if isinstance(end, ClusterError):
                raise end

    async def _outward(self, reader: asyncio.StreamReader) -> None:
        from wsproto.events import BytesMessage

        while data := await reader.read(CHUNK):
            await self._send(BytesMessage(data=bytes([DATA]) + data))

    async def _inward(self, writer: asyncio.StreamWriter) -> None:
        from wsproto.events import BytesMessage, CloseConnection, Ping

        channels = _Channels()
        while received := await self._stream.read(CHUNK, None):
            self._protocol.receive_data(received)
            for event in self._protocol.events():
                self._received += 1
                if isinstance(event, BytesMessage):
                    writer.write(channels.data(event.data, ends=event.message_finished))
                elif isinstance(event, Ping):
                    await self._send(event.response())
                elif isinstance(event, CloseConnection):
                    return
            await writer.drain()

    async def _keep_alive(self) -> None:
        """Ends when nothing has come back since the last ping: the API, or the way to it, is gone."""
        from wsproto.events import Ping

        seen = -1
        while seen != self._received:
            seen = self._received
            await self._send(Ping())
            await asyncio.sleep(PING)

    async def _send(self, event: Any) -> None:
        async with self._sending:
            await self._stream.write(self._protocol.send(event))


class _Channels:
    """Takes the messages of both channels apart; each comes in any number of pieces."""

    def __init__(self) -> None:
        self._channel: int | None = None  # of the message that is being received
        self._ports = {DATA: PORT, DATA + 1: PORT}  # bytes that only say the port again
        self._trouble = b""

    def data(self, piece: bytes | bytearray, *, ends: bool) -> bytes:
        """What of `piece` is data. Raises ClusterError at the end of what the API complains of."""
        if self._channel is None and piece:
            self._channel, piece = piece[0], piece[1:]
        channel, left = self._channel, bytes(piece)
        if ends:
            self._channel = None
        if channel not in self._ports:
            return b""
        repeated = min(self._ports[channel], len(left))
        self._ports[channel] -= repeated
        left = left[repeated:]
        if channel == DATA:
            return left
        self._trouble += left
        if ends and self._trouble:
            raise ClusterError(self._trouble.decode(errors="replace").strip())
        return b""
