"""Start scripts and health checks of the backends' containers.

A script is given as the container's command, `["sh", "-c", read(name), "strata"]` followed by the server's options. It
needs nothing that the official image lacks. Stop signals: SIGINT for Postgres (a fast shutdown; SIGTERM waits until
every client has left), SIGTERM for Redis, Qdrant and MinIO.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

# Round trips over TCP, authenticated where the backend can be asked so: a socket answers too early, and an open port
# proves nothing. Passwords go from file to client without standing in a command line or an environment.
HEALTHCHECKS: Final[Mapping[str, list[str]]] = {
    "postgres": [
        "CMD",
        "env",
        "PGPASSFILE=/run/strata/secrets/pgpass",
        "PGCONNECT_TIMEOUT=4",
        "psql",
        "-XAtqw",
        "-h127.0.0.1",
        "-Upostgres",
        "-dpostgres",
        "-cSELECT 1",
    ],
    "redis": [
        "CMD",
        "sh",
        "-c",
        'printf "AUTH admin %s\\nPING\\n" "$(cat /run/strata/secrets/admin)" | redis-cli -t 4 | grep -q PONG',
    ],
    # A request that needs the key: /healthz and its like answer before the collections are loaded.
    "qdrant": [
        "CMD",
        "bash",
        "-c",
        "exec 3<>/dev/tcp/127.0.0.1/6333"
        " && printf 'GET /collections HTTP/1.0\\r\\napi-key: %s\\r\\n\\r\\n'"
        ' "$(cat /run/strata/secrets/api-key)" >&3'
        ' && read -r -t 4 _ status _ <&3 && [ "$status" = 200 ]',
    ],
    # 200 only while enough drives for a write answer; /live and /ready say 200 whatever happens. Not every image has an
    # HTTP client, all have bash.
    "object_store": [
        "CMD",
        "bash",
        "-c",
        "exec 3<>/dev/tcp/127.0.0.1/9000"
        " && printf 'GET /minio/health/cluster HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3"
        ' && read -r -t 4 _ status _ <&3 && [ "$status" = 200 ]',
    ],
}


def read(name: str) -> str:
    """The start script of the backend `name`. Raises FileNotFoundError for a backend that has none."""
    return files(__package__).joinpath(f"{name}.sh").read_text(encoding="utf-8")
