"""The disk below a server's data: full means errors for every writer."""

from typing import Final

from components.quantities import GIB
from components.slices.docker_client import daemon, find
from components.slices.errors import SliceError
from infra.checks.reach import FailedError
from infra.contract import Backend

FULL: Final = 90  # percent in use at which somebody has to act, as the storage document alerts


def room(server: Backend) -> str:
    """How full the file system of the container's data volume is, as `df` in it says. Raises FailedError."""
    assert server.runtime is not None
    name = server.runtime.container
    try:
        with daemon(server.runtime.docker_host) as client:
            container = find(client.containers.get, name)
            if container is None:
                raise FailedError(f"the container {name} does not exist", "`strata up` makes it again")
            mounts = container.attrs["Mounts"]
            (path,) = (mount["Destination"] for mount in mounts if mount.get("Name") == f"{name}-data")
            code, output = container.exec_run(["df", "-Pk", path])
    except SliceError as error:
        raise FailedError(str(error), "") from None
    if code != 0:
        raise FailedError(f"{name}: {output.decode(errors='replace').strip()}", "`strata up` starts it")
    _, total, used, free, *_ = output.decode().splitlines()[-1].split()
    percent = round(100 * int(used) / max(int(used) + int(free), 1))
    text = f"{path} is {percent} % full, {int(free) * 1024 / GIB:.1f} of {int(total) * 1024 / GIB:.0f} GiB are free"
    if percent >= FULL:
        raise FailedError(text, "remove what is not needed, or move the volume to a larger disk")
    return text
