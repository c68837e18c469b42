"""Containers that only a measurement needs: the same image with its own defaults, and clients. All carry a label."""

import io
import secrets
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.types import Mount

from bench.errors import BenchError
from components.workloads.workload import Workload

LABEL: Final = "strata.bench"
_MOUNT: Final = "/strata-bench"
_READY: Final = 60  # seconds
_POLL: Final = 0.1


@contextmanager
def client() -> Iterator[docker.DockerClient]:
    made = docker.from_env(timeout=300)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def container(
    image: str,
    name: str,
    *,
    owner: str,
    network: str,
    command: list[str] | None = None,
    entrypoint: list[str] | None = None,
    environment: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    user: int | None = None,
    **options: Any,
) -> Iterator[Container]:
    """A running container, labelled with its `owner`, gone at the end with its volumes.

    `files` (path -> text) are `user`'s alone; `options` are others of `docker.containers.create`.
    """
    with client() as docker_client:
        made = docker_client.containers.create(
            image,
            command,
            entrypoint=entrypoint,
            name=name,
            network=network,
            environment=dict(environment or {}),
            labels={LABEL: owner},
            **options,
        )
        try:
            if files:
                made.put_archive("/", _archive(files, user or 0))
            made.start()
            yield made
        finally:
            made.remove(force=True, v=True)


def fill_volume(name: str, image: str, files: Mapping[str, str], *, owner: str, user: int) -> None:
    """A volume with `files` (name -> text), which are `user`'s alone: written through a container that never starts."""
    with client() as docker_client:
        docker_client.volumes.create(name, labels={LABEL: owner})
        mounts = [Mount(target=_MOUNT, source=name, type="volume", no_copy=True)]
        helper = docker_client.containers.create(image, ["true"], labels={LABEL: owner}, mounts=mounts)
        try:
            helper.put_archive(_MOUNT, _archive(files, user))
        finally:
            helper.remove(force=True, v=True)


def limits(workload: Workload) -> dict[str, Any]:
    """Those of one of our containers, for another one."""
    return {
        "mem_limit": workload.memory,
        "memswap_limit": workload.memory,
        "nano_cpus": round(workload.cpu * 1e9),
        "shm_size": workload.shm,
    }


def run(inside: Container, command: list[str]) -> str:
    """What `command` prints in the container. Raises BenchError if it fails."""
    code, output = inside.exec_run(command)
    text = bytes(output).decode(errors="replace")  # type: ignore[arg-type]  # a stream only where one is asked for
    if code != 0:
        raise BenchError(f"`{command[0]}` failed in the container {inside.name}:\n{text.strip()[-2000:]}")
    return text


def until(works: Callable[[], object]) -> None:
    """Repeats `works` until it raises no BenchError. Raises its last one after a minute."""
    deadline = time.monotonic() + _READY
    while True:
        try:
            works()
        except BenchError as error:
            if time.monotonic() > deadline:
                raise BenchError(f"not within {_READY} s: {error}") from None
            time.sleep(_POLL)
        else:
            return


def remove(label: str) -> None:
    """Containers, networks and volumes with `label`."""
    with client() as docker_client:
        wanted: dict[str, Any] = {"label": label}
        for each in docker_client.containers.list(all=True, filters=wanted):
            _forgiving(partial(each.remove, force=True, v=True))
        for network in docker_client.networks.list(filters=wanted):
            _forgiving(network.remove)
        for volume in docker_client.volumes.list(filters=wanted):
            _forgiving(partial(volume.remove, force=True))


def password() -> str:
    return secrets.token_urlsafe(24)


def _forgiving(removal: Callable[[], object]) -> None:
    try:
        removal()
    except NotFound:  # somebody was faster
        return
    except APIError as error:
        raise BenchError(f"could not be removed: {error.explanation}") from None


def _archive(files: Mapping[str, str], user: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode, entry.uid, entry.gid = len(content), 0o400, user, user
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
