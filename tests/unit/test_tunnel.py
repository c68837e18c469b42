"""A connection into a pod as the API's WebSocket has it, with this test as the API. A real one: tests/cluster/reach."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong

from components.slices import tunnel
from components.slices.cluster import ClusterError
from components.slices.tunnel import Tunnel

PORTS = [b"\x00\x15\x38", b"\x01\x15\x38"]  # what the API begins with: 0x3815 is 14357


class Api:
    """The other end of the tunnel's stream."""

    def __init__(self) -> None:
        self._protocol = Connection(ConnectionType.SERVER)
        self._bytes: asyncio.Queue[bytes] = asyncio.Queue()
        self.events: list[Event] = []
        self.answers_pings = True

    async def read(self, most: int, timeout: float | None) -> bytes:
        return await self._bytes.get()

    async def write(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events():
            self.events.append(event)
            if isinstance(event, Ping) and self.answers_pings:
                self.say(event.response())

    def say(self, *events: Event) -> None:
        for event in events:
            self._bytes.put_nowait(self._protocol.send(event))

    def end(self) -> None:
        self._bytes.put_nowait(b"")


async def carried(
    api: Api, act: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
) -> None:
    """What a client meets whose connection `api` is the far end of."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Tunnel(api).carry(reader, writer)
            done.set_result(None)
        except ClusterError as error:
            done.set_exception(error)
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await act(reader, writer)
        writer.close()
        await writer.wait_closed()
        await asyncio.wait_for(done, 20)


@given(
    messages=st.lists(st.binary(max_size=20), max_size=6),
    sizes=st.lists(st.integers(min_value=1, max_value=7), min_size=1, max_size=30),
)
def test_data_is_whole_however_it_is_cut(messages: list[bytes], sizes: list[int]) -> None:
    """The port may even be cut in two."""
    api, found = tunnel._Channels(), b""
    cuts = sizes * 200
    for message in [*PORTS, *(b"\x00" + data for data in messages)]:
        while message:
            size = cuts.pop()
            piece, message = message[:size], message[size:]
            found += api.data(piece, ends=not message)
    assert found == b"".join(messages)


def test_what_the_api_complains_of_is_raised_when_it_is_complete() -> None:
    api = tunnel._Channels()
    for port in PORTS:
        assert api.data(port, ends=True) == b""
    assert api.data(b"\x01connection ", ends=False) == b""
    with pytest.raises(ClusterError, match=r"^connection refused$"):
        api.data(b"refused\n", ends=True)


def test_both_directions_pings_and_the_end() -> None:
    api = Api()

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"question")
        api.say(*(BytesMessage(data=port) for port in PORTS))
        api.say(Ping(payload=b"there?"), BytesMessage(data=b"\x00answer"))
        assert await reader.readexactly(6) == b"answer"
        api.say(CloseConnection(code=1000))
        assert await reader.read() == b"", "the client is not told that the pod has closed"

    asyncio.run(carried(api, act))
    said = b"".join(event.data[1:] for event in api.events if isinstance(event, BytesMessage))
    assert said == b"question"
    assert [event.payload for event in api.events if isinstance(event, Pong)] == [b"there?"]


def test_silence_is_filled_with_pings_and_a_dead_way_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration may say nothing for minutes, and load balancers end what is silent."""
    monkeypatch.setattr(tunnel, "PING", 0.05)
    api = Api()

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while sum(isinstance(event, Ping) for event in api.events) < 5:
            await asyncio.sleep(0.01)
        api.answers_pings = False
        assert await asyncio.wait_for(reader.read(), 20) == b""

    asyncio.run(carried(api, act))


def test_a_complaint_reaches_who_opened_the_tunnel() -> None:
    api = Api()

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        api.say(*(BytesMessage(data=port) for port in PORTS), BytesMessage(data=b"\x01no route"))
        assert await reader.read() == b""

    with pytest.raises(ClusterError, match="no route"):
        asyncio.run(carried(api, act))
