"""A server that shows a certificate and does no more, for tests of clients that refuse it."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any, Final

from tests.certificates import Tls

SSL_REQUEST: Final = bytes.fromhex("0000000804d2162f")  # of Postgres


@dataclass
class Maker:
    """Certificates of one authority, at a time of the test's."""

    tls: Tls
    authority: dict[str, Any]

    @classmethod
    def new(cls) -> "Maker":
        tls = Tls()
        tls.now = datetime.now(UTC) - timedelta(days=20)
        return cls(tls, tls.authority())

    def files(self, folder: Path, *, age: timedelta = timedelta(0), hours: int = 100, **request: Any) -> Path:
        """Certificate and key of a server, in one file. The certificate was made `age` ago, for so many hours."""
        self.tls.now = datetime.now(UTC) - age
        key = self.tls.key()
        leaf = self.tls.leaf(**self.authority, **self.tls.request(key, **request), validityPeriodHours=hours)
        path = folder / "server.pem"
        path.write_text(leaf.outputs["certPem"] + key)
        return path


@contextmanager
def serving(pem: Path | None) -> Iterator[int]:
    """The port of a server with this certificate; with none, of one that knows no TLS."""
    listener = socket.create_server(("127.0.0.1", 0))
    thread = Thread(target=_serve, args=(listener, pem))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def _serve(listener: socket.socket, pem: Path | None) -> None:
    with suppress(OSError):
        while True:
            _talk(listener.accept()[0], pem)


def _talk(client: socket.socket, pem: Path | None) -> None:
    with client, suppress(OSError):
        client.settimeout(10)
        if client.recv(8, socket.MSG_PEEK) == SSL_REQUEST:
            client.recv(8)
            client.sendall(b"N" if pem is None else b"S")
        if pem is None:
            client.recv(1)
            client.sendall(b"-ERR unknown\r\n")
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        with context.wrap_socket(client, server_side=True) as wrapped:
            wrapped.recv(1)
