"""Probes of the backends on Kubernetes, in the JSON shape of a container's `startupProbe`, `readinessProbe` and
`livenessProbe`. Commands need the secret files at /run/strata/secrets, under the names that Docker's volumes have.

What a probe proves:

| Backend | ready | alive |
|---|---|---|
| Postgres | the administrator logs in over TCP and has an answer | the postmaster answers, be it "starting up" |
| Redis | the administrator logs in; data are loaded, the log can be written | it answers, be it with an error |
| Qdrant | collections are loaded; without TLS also that the key is accepted | the HTTP server answers |
| MinIO | enough drives for a write answer | the HTTP server answers |

Started means alive. From then on only `alive` can end a container, and a recovery of hours passes it where the server
listens meanwhile (Postgres, Redis). Qdrant opens no port before its collections are loaded: its budget is an hour.

With TLS, Qdrant and MinIO are asked by the kubelet over HTTPS, which takes no secret along: bash alone speaks no TLS,
and their images promise no other client (Qdrant's has an `openssl` because of its CA certificates, MinIO's successors
none). No probe asks whether the certificate is valid: a StatefulSet with ordered pods replaces no pod while one is
not ready, so an expired certificate would keep its own successor out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.scripts import HEALTHCHECKS, REDIS_TLS
from components.specs import OBJECT_STORE_PORT, QDRANT_PORT

Handler = dict[str, Any]

TIMEOUT: Final = 5  # seconds; the default of 1 ends a check on a node that is busy
INTERVAL: Final = 1  # seconds between two looks at a starting server: nothing else is asked before it has answered


@dataclass(frozen=True, kw_only=True)
class _Backend:
    ready: Handler
    alive: Handler
    start: int  # seconds that it may take until it is alive for the first time


def probes(backend: str, *, tls: bool) -> dict[str, dict[str, Any]]:
    """`startupProbe`, `readinessProbe` and `livenessProbe` of `backend`. Raises KeyError for one that has none."""
    made = _backends("HTTPS" if tls else "HTTP", HEALTHCHECKS)[backend]
    return {
        "startupProbe": _probe(made.alive, period=INTERVAL, failures=made.start // INTERVAL),
        "readinessProbe": _probe(made.ready, period=5, failures=3),
        # A minute: a server that is busy is not dead, and a restart costs more than it.
        "livenessProbe": _probe(made.alive, period=10, failures=6),
    }


def _backends(scheme: str, checks: Mapping[str, list[str]]) -> dict[str, _Backend]:
    with_key = _exec(*checks["qdrant"][1:])
    return {
        "postgres": _Backend(
            ready=_exec(*checks["postgres"][1:]),
            # 1: it refuses connections, as while it starts, recovers or stops. 2: nobody answers.
            alive=_exec("sh", "-c", "pg_isready -q -t4 -h127.0.0.1 -Upostgres -dpostgres || [ $? = 1 ]"),
            start=3600,
        ),
        "redis": _Backend(
            ready=_exec(*checks["redis"][1:]),
            # Any answer will do, and without a password it is an error. No connection is an exit code of 1.
            alive=_exec("sh", "-c", f"{REDIS_TLS}redis-cli -t 4 $tls PING | grep -q ."),
            start=600,
        ),
        "qdrant": _Backend(
            ready=with_key if scheme == "HTTP" else _get("/readyz", QDRANT_PORT, scheme),
            alive=_get("/livez", QDRANT_PORT, scheme),
            start=3600,
        ),
        "object_store": _Backend(
            ready=_get("/minio/health/cluster", OBJECT_STORE_PORT, scheme),
            alive=_get("/minio/health/live", OBJECT_STORE_PORT, scheme),
            start=600,
        ),
    }


def _exec(*command: str) -> Handler:
    return {"exec": {"command": list(command)}}


def _get(path: str, port: int, scheme: str) -> Handler:
    return {"httpGet": {"path": path, "port": port, "scheme": scheme}}


def _probe(handler: Handler, *, period: int, failures: int) -> dict[str, Any]:
    timing = {"periodSeconds": period, "timeoutSeconds": TIMEOUT, "failureThreshold": failures, "successThreshold": 1}
    return {**handler, **timing}
