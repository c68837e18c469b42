"""What a slice of Qdrant makes of a server that does not answer, refuses, or is another one."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from components.secretfiles import write_secret
from components.slices import SliceError
from components.slices.admin import Address
from components.slices.errors import RefusedError
from components.slices.qdrant import logins
from components.slices.qdrant.connection import connect
from components.slices.resource import SliceProvider
from tests.slices.qdrant_inside import COLLECTION, LOGIN, ROSTER
from tests.slices.servers import Server


@pytest.mark.parametrize("provider", [COLLECTION, LOGIN, ROSTER], ids=lambda provider: type(provider).__name__)
def test_an_unreachable_server_is_one_clear_line_and_nothing_is_called_gone(provider: SliceProvider) -> None:
    write_secret("slices-test", "nowhere", "x" * 20)
    admin = {"stack": "slices-test", "secret": "nowhere", "host": "127.0.0.1", "port": 1.0}
    with pytest.raises(SliceError, match=r"^Qdrant at 127\.0\.0\.1:1: no answer \(.*refused.*\)\. Is its container"):
        provider.read("", {"admin": admin, "name": "c", "collections": ["c"], "vectors": {}})


@pytest.mark.docker
@pytest.mark.parametrize("provider", [COLLECTION, LOGIN, ROSTER], ids=lambda provider: type(provider).__name__)
def test_a_refused_administrator_is_one_clear_line_and_nothing_is_called_gone(
    qdrant: Server, provider: SliceProvider
) -> None:
    wrong = logins.admin_token("of-nobody", qdrant.root)
    write_secret("slices-test", "wrong", wrong)
    props = {"admin": {**qdrant.admin(), "secret": "wrong"}, "name": "c", "collections": ["c"], "vectors": {}}
    for attempt in (lambda: provider.read("", props), lambda: provider.create(props)):
        with pytest.raises(RefusedError, match="the administrator's token is refused") as caught:
            attempt()
        assert "strata up" in str(caught.value)
        assert wrong not in str(caught.value)


@pytest.mark.docker
def test_another_server_on_the_port_is_one_clear_line(qdrant: Server, object_store: Server) -> None:
    elsewhere = {**qdrant.admin(), "port": float(object_store.port)}
    with pytest.raises(SliceError, match=r"^Qdrant at 127\.0\.0\.1:\d+: "):
        LOGIN.read("", {"admin": elsewhere, "name": "c"})


def test_an_index_that_takes_minutes_to_build_is_waited_for_and_nothing_else(state_home: Path) -> None:
    class Slow(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            time.sleep(0.5)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_PUT  # noqa: N815 - as above

        def log_message(self, format: str, *args: object) -> None:
            """Into no test's output."""

    write_secret("slices-test", "slow", "x" * 20)
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as slow:
        threading.Thread(target=slow.serve_forever, daemon=True).start()
        address = Address("slices-test", "slow", "127.0.0.1", slow.server_port)
        with connect(address, timeout=0.1) as connection:
            connection.create_index("c", "kind", "keyword")
        with pytest.raises(SliceError, match="no answer"), connect(address, timeout=0.1) as connection:
            connection.collection("c")
        slow.shutdown()
