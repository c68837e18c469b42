"""The stand-in server as a process of its own, on free ports and a folder of its own."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import httpx
from qdrant_client import QdrantClient

KEY: Final = "key-of-the-tests-0123456789abcdef"
READ_ONLY_KEY: Final = "read-only-key-of-the-tests-012345"
DEADLINE: Final = 20.0  # seconds


class Server:
    """Started by `start`, ended by `stop` or `kill`; the folder stays. With `ca` it speaks TLS, verified by it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.ca: Path | None = None
        self.http_port, self.grpc_port = free_port(), free_port()
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[tuple[str | None, bool], QdrantClient] = {}

    @property
    def url(self) -> str:
        return f"{'https' if self.ca else 'http'}://127.0.0.1:{self.http_port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self) -> None:
        """Returns when the server says that it is ready."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "images.qdrant.server"], env=self._variables(), stdout=log, stderr=log
            )
        end, last = time.monotonic() + DEADLINE, "nothing"
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                with self.http(None) as http:
                    last = http.get("/readyz", timeout=1).text
            except httpx.HTTPError as error:
                last = str(error)
            else:
                return
            time.sleep(0.02)
        raise AssertionError(f"the server is not ready; last answer: {last}; its log:\n{self.log}")

    def kill(self) -> None:
        """SIGKILL: no chance to flush."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def client(self, key: str | None = KEY, *, grpc: bool = False) -> QdrantClient:
        """Of the official client library, one for each key and protocol. They are closed with the server."""
        if (key, grpc) not in self._clients:
            self._clients[key, grpc] = QdrantClient(
                url=self.url,
                grpc_port=self.grpc_port,
                prefer_grpc=grpc,
                api_key=key,
                check_compatibility=False,
                timeout=20,
                verify=False,  # there is no TLS, and loading certificates takes longer than a test
            )
        return self._clients[key, grpc]

    def http(self, key: str | None = KEY) -> httpx.Client:
        headers = {"api-key": key} if key else {}
        # Without TLS nothing is verified, and loading certificates takes longer than a test.
        verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=self.ca) if self.ca else False
        return httpx.Client(base_url=self.url, headers=headers, timeout=20, verify=verify)

    def _end(self, number: int) -> int:
        assert self._process is not None
        while self._clients:
            self._clients.popitem()[1].close()
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(DEADLINE)

    def _variables(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("QDRANT__")},
            "QDRANT__SERVICE__HOST": "127.0.0.1",
            "QDRANT__SERVICE__HTTP_PORT": str(self.http_port),
            "QDRANT__SERVICE__GRPC_PORT": str(self.grpc_port),
            "QDRANT__STORAGE__STORAGE_PATH": str(self.folder / "storage"),
            "QDRANT__STORAGE__SNAPSHOTS_PATH": str(self.folder / "snapshots"),
            **self._environment,
        }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
