"""Start scripts and health checks of the backends' containers.

A script is given as the container's command, `["sh", "-c", read(name), "strata"]` followed by the server's options. It
needs nothing that the official image lacks. Stop signals: SIGINT for Postgres (a fast shutdown; SIGTERM waits until
every client has left), SIGTERM for Redis, Qdrant and MinIO.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

# Into $tls: redis-cli's options, if the server was started with a certificate. None of the checks asks whether it is
# valid: they are about this server on the loopback, and clients find out for themselves.
REDIS_TLS: Final = 'tls=; [ ! -s /run/strata/secrets/tls.crt ] || tls="--tls --insecure"; '

# Round trips over TCP, authenticated where the backend can be asked so: a socket answers too early, and an open port
# proves nothing. No command line holds a password, nor does the container's environment.
# psql and redis-cli speak TLS where the server does. The other two, in bash, cannot: see components.scripts.probes.
HEALTHCHECKS: Final[Mapping[str, list[str]]] = {
    # libpq refuses a password file that a group can read, as the files of a Kubernetes Secret are, and prefers TLS.
    "postgres": [
        "CMD",
        "sh",
        "-c",
        'PGPASSWORD="$(cat /run/strata/secrets/admin)" PGCONNECT_TIMEOUT=4'
        ' exec psql -XAtqw -h127.0.0.1 -Upostgres -dpostgres -c"SELECT 1"',
    ],
    # Also fails while data are loaded, and when the disk refuses the log (MISCONF).
    "redis": [
        "CMD",
        "sh",
        "-c",
        f'{REDIS_TLS}printf "AUTH admin %s\\nPING\\n" "$(cat /run/strata/secrets/admin)"'
        " | redis-cli -t 4 $tls | grep -q PONG",
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
