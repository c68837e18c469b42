"""Counters and gauges in Prometheus' text format, under Qdrant's names."""

import threading
from collections import Counter
from collections.abc import Iterator

from images.qdrant.server import VERSION
from images.qdrant.server.storage import Storage


class Metrics:
    """`protocol` is `rest` or `grpc`; `endpoint` a route or a method, never a caller's name."""

    def __init__(self) -> None:
        self._responses: Counter[tuple[str, str, int]] = Counter()
        self._lock = threading.Lock()

    def count(self, protocol: str, endpoint: str, status: int) -> None:
        with self._lock:
            self._responses[protocol, endpoint, status] += 1

    def text(self, storage: Storage) -> str:
        return "\n".join([*self._lines(storage), ""])

    def _lines(self, storage: Storage) -> Iterator[str]:
        yield from _gauge("app_info", "information about qdrant server")
        yield f'app_info{{name="qdrant",version="{VERSION}"}} 1'
        names = storage.names()
        yield from _gauge("collections_total", "number of collections")
        yield f"collections_total {len(names)}"
        points = {name: storage.get(name).info().points_count for name in names}
        yield from _gauge("collection_points", "approximate amount of points per collection")
        for name, count in points.items():
            yield f'collection_points{{id="{_escaped(name)}"}} {count}'
        with self._lock:
            responses = sorted(self._responses.items())
        for protocol in ("rest", "grpc"):
            yield f"# HELP {protocol}_responses_total total number of responses"
            yield f"# TYPE {protocol}_responses_total counter"
            for (spoken, endpoint, status), number in responses:
                if spoken == protocol:
                    method, _, path = endpoint.partition(" ")
                    labels = f'method="{method}",endpoint="{path}"' if path else f'endpoint="{method}"'
                    yield f'{protocol}_responses_total{{{labels},status="{status}"}} {number}'


def _gauge(name: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
