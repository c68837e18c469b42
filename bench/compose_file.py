"""A compose file with the containers that the components describe: what a user of Compose would write by hand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from components import scripts
from components.docker.backend import LOOPBACK, SECRETS_PATH, cores
from components.slices.forms import FORMS
from components.workloads.workload import Workload

# Compose waits until Docker's health check has succeeded, and the first one runs one interval after the start. Engines
# before 25 know no `start_interval`, so the interval stays for the container's life: a second is the shortest at which
# somebody would have a database asked for ever.
INTERVAL = {"interval": "1s", "timeout": "5s", "retries": 60}
START_INTERVAL = {"interval": "30s", "timeout": "5s", "retries": 3, "start_period": "60s", "start_interval": "100ms"}


def probe(engine: tuple[int, ...]) -> Mapping[str, Any]:
    """The fastest sensible health check that a Docker Engine of that version carries out."""
    return START_INTERVAL if engine >= (25,) else INTERVAL


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a compose file needs to know of one backend, besides its workload."""

    work: Workload
    image: str
    ports: Mapping[int, int]  # inside -> on this host
    secrets: str  # the volume, which is there already


def document(parts: Iterable[Part], timing: Mapping[str, Any]) -> dict[str, Any]:
    """The compose file."""
    services: dict[str, Any] = {}
    volumes: dict[str, Any] = {}
    for part in parts:
        name = part.work.name
        services[name] = _escaped(_service(part, timing))
        volumes[f"{name}-data"] = {}
        volumes[f"{name}-secrets"] = {"name": part.secrets, "external": True}
    return {"services": services, "volumes": volumes}


def _service(part: Part, timing: Mapping[str, Any]) -> dict[str, Any]:
    """The same container as `components.docker.backend` makes, option by option."""
    work = part.work
    owner = f"uid={work.uid},gid={work.uid},mode=0750"
    return {
        "image": part.image,
        "pull_policy": "never",
        "entrypoint": ["sh", "-c", scripts.read(work.backend), "strata"],
        "command": list(work.arguments),
        "environment": dict(work.env),
        "user": f"{work.uid}:{work.uid}",
        "read_only": True,
        "tmpfs": [f"{path}:rw,noexec,nosuid,nodev,size={size},{owner}" for path, size in sorted(work.tmpfs.items())],
        "volumes": [f"{work.name}-data:{work.data_path}", f"{work.name}-secrets:{SECRETS_PATH}:ro"],
        "ports": [f"{LOOPBACK}:{outside}:{inside}" for inside, outside in part.ports.items()],
        "mem_limit": work.memory,
        "memswap_limit": work.memory,
        "cpus": float(cores(work.cpu)),
        "shm_size": work.shm,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "healthcheck": {"test": scripts.HEALTHCHECKS[work.backend], **timing},
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
        "restart": "unless-stopped",
        "stop_signal": work.stop_signal,
        "stop_grace_period": f"{work.stop_timeout}s",
    }


def secret_files(work: Workload, password: str, key: str) -> dict[str, str]:
    """What Strata puts on the container's secrets volume, and a user of Compose into files: name -> text."""
    return {
        name: FORMS[form](key if name in work.keys else password) for name, form in sorted(work.secret_files.items())
    }


def _escaped(value: Any) -> Any:
    """Compose replaces `$NAME` in every text; a dollar that is meant is doubled."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value
