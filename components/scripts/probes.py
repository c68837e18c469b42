"""Probes of the backends' pods, as Kubernetes takes them.

`readinessProbe` proves service: a round trip over TCP and TLS, authenticated where the image has a client that can be
(psql, redis-cli); Qdrant and MinIO are asked over HTTPS by kubelet, whose images have none. `livenessProbe` only finds
a server that does not answer at all: one that recovers, loads or waits is alive, and killing it would begin all of it
again. `startupProbe` is the liveness probe with a budget: Postgres' and Redis' may replay a log for long.

Sources of the figures: CloudNativePG (startup for up to an hour), bitnami/charts#31373 (an append-only file replayed
for 100 s, killed by a liveness probe), Qdrant's and MinIO's Helm charts.
"""

from typing import Any, Final

SECRETS: Final = "/run/strata/secrets"
Probe = dict[str, Any]

_PSQL: Final = (
    f'PGPASSWORD="$(cat {SECRETS}/admin)" PGCONNECT_TIMEOUT=4 %sexec psql -XAtqw -h127.0.0.1 -Upostgres -dpostgres'
    " -c 'SELECT 1'"
)
_PG_TLS: Final = f"PGSSLMODE=verify-ca PGSSLROOTCERT={SECRETS}/ca.crt "
_REDIS: Final = f'printf "AUTH admin %%s\\nPING\\n" "$(cat {SECRETS}/admin)" | redis-cli -t 4 %s| grep -q PONG'
_REDIS_TLS: Final = f"--tls --cacert {SECRETS}/ca.crt "
# Whoever has not logged in is refused, by a server that lives; so says one that loads its data, or follows another.
_REDIS_ALIVE: Final = "redis-cli -t 4 %sPING | grep -qE 'PONG|NOAUTH|LOADING|MASTERDOWN|BUSY'"


def probes(backend: str, *, tls: bool) -> dict[str, Probe]:
    """`startupProbe`, `readinessProbe` and `livenessProbe` of a container of `backend`."""
    serves, lives, budget = _BACKENDS[backend](tls)
    return {
        # Every second while it starts: what waits for the pod need not wait for the probe.
        "startupProbe": {**lives, "periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": budget},
        "readinessProbe": {**serves, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
        "livenessProbe": {**lives, "periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 6},
    }


def _postgres(tls: bool) -> tuple[Probe, Probe, int]:
    # pg_isready: 0 accepts, 1 starts or stops, 2 does not answer.
    return _shell(_PSQL % (_PG_TLS if tls else "")), _shell("pg_isready -q -h 127.0.0.1 -t 4; [ $? -le 1 ]"), 3600


def _redis(tls: bool) -> tuple[Probe, Probe, int]:
    how = _REDIS_TLS if tls else ""
    return _shell(_REDIS % how), _shell(_REDIS_ALIVE % how), 1800


def _qdrant(tls: bool) -> tuple[Probe, Probe, int]:
    return _http("/readyz", 6333, tls), _http("/livez", 6333, tls), 1800


def _object_store(tls: bool) -> tuple[Probe, Probe, int]:
    # 200 only while enough drives for a write answer; /live says 200 whatever happens to them.
    return _http("/minio/health/cluster", 9000, tls), _http("/minio/health/live", 9000, tls), 600


_BACKENDS: Final = {"postgres": _postgres, "redis": _redis, "qdrant": _qdrant, "object_store": _object_store}


def _shell(script: str) -> Probe:
    return {"exec": {"command": ["sh", "-c", script]}}


def _http(path: str, port: int, tls: bool) -> Probe:
    return {"httpGet": {"path": path, "port": port, "scheme": "HTTPS" if tls else "HTTP"}}
