"""docker:index/container:Container: its life from create to delete."""

import contextlib
from collections.abc import Iterator

from docker.errors import APIError, DockerException, NotFound
from requests.exceptions import RequestException

from engine.providers.base import Call, Old, Properties, ProviderError
from engine.providers.bridge.plan import changed
from engine.providers.bridge.schema import OnChange, Schema
from engine.providers.docker import container_request
from engine.providers.docker.container_outputs import outputs
from engine.providers.docker.container_schema import CONTAINER
from engine.providers.docker.daemon import Client, Daemon, found, is_conflict, poll
from engine.providers.docker.image import ensure_image
from engine.providers.docker.port_conflict import explain_port_conflict
from engine.providers.docker.resource import carries, label_mapping

_REMOVAL_DEADLINE = 60.0  # seconds; a container with a large writable layer takes a while
_START_INTERVAL_API = (1, 44)  # Docker 25


class Container:
    schema: Schema = CONTAINER
    delete_before_replace: bool | None = True

    def create(self, daemon: Daemon, call: Call, inputs: Properties) -> tuple[str, Properties]:
        """A container that cannot be connected or started is removed again, so that nothing is half there."""
        name = inputs["name"]
        with daemon.client(f'container "{name}" cannot be created') as client, environment_hidden(inputs):
            refuse_start_interval(client, inputs)
            ensure_image(client, daemon, inputs["image"])
            id = self._create(client, inputs)
            try:
                connect(client, id, inputs)
                if inputs["start"]:
                    start(client, id, inputs)
                return id, outputs(inputs, client.inspect_container(id))
            except BaseException:
                with contextlib.suppress(DockerException, RequestException):  # the first error is the one to report
                    client.remove_container(id, force=True, v=True)
                raise

    def _create(self, client: Client, inputs: Properties) -> str:
        name, body = inputs["name"], container_request.creation(inputs)
        try:
            return str(client.create_container_from_config(body, name)["Id"])
        except APIError as error:
            existing = found(lambda: client.inspect_container(name)) if is_conflict(error) else None
            if existing is None:
                raise
        if not carries(existing["Config"]["Labels"], label_mapping(inputs.get("labels"))):
            raise ProviderError(
                f'container "{name}" exists already and is not of this stack. Remove it with `docker rm -f {name}`, '
                "or give this one another name"
            )
        # Left behind by an interrupted create, in an unknown state: made anew. Named volumes are never removed with it.
        remove(client, existing["Id"], volumes=inputs["removeVolumes"])
        return str(client.create_container_from_config(body, name)["Id"])

    def read(self, daemon: Daemon, call: Call, old: Old) -> Old | None:
        with daemon.client(f'container "{call.name}" cannot be read') as client:
            inspected = found(lambda: client.inspect_container(old.id))
            return Old(inspected["Id"], old.inputs, outputs(old.inputs, inspected)) if inspected else None

    def seen(self, daemon: Daemon, call: Call, old: Old) -> Old | None:
        """A container that was stopped by hand is one to start."""
        live = self.read(daemon, call, old)
        return live and Old(old.id, old.inputs, {**old.outputs, "mustRun": live.outputs["mustRun"]})

    def update(self, daemon: Daemon, call: Call, old: Old, inputs: Properties) -> Properties:
        """Limits, restart policy, and starting a container that should run; the rest is only recorded."""
        name = inputs["name"]
        with daemon.client(f'container "{name}" cannot be updated') as client:
            inspected = found(lambda: client.inspect_container(old.id))
            if inspected is None:
                raise ProviderError(f'container "{name}" is gone from Docker: run this again, and it is made anew')
            in_place = (OnChange.UPDATE, OnChange.LIMIT)
            differing = changed(self.schema, old.outputs, inputs)
            if any(self.schema[item].on_change in in_place for item in differing if item != "mustRun"):
                client.update_container(old.id, **container_request.update(inputs))
            if inputs["mustRun"] and inputs["start"] and not inspected["State"]["Running"]:
                start(client, old.id, inputs)
            return outputs(inputs, client.inspect_container(old.id))

    def delete(self, daemon: Daemon, call: Call, old: Old) -> None:
        name = old.outputs.get("name", old.id)
        with daemon.client(f'container "{name}" cannot be removed') as client:
            stop(client, old.id, old.outputs)
            remove(client, old.id, volumes=bool(old.outputs.get("removeVolumes", True)))


def refuse_start_interval(client: Client, inputs: Properties) -> None:
    asked = (inputs.get("healthcheck") or {}).get("startInterval", "0s")
    version = client.api_version
    if asked != "0s" and tuple(int(part) for part in version.split(".")) < _START_INTERVAL_API:
        raise ProviderError(
            f'container "{inputs["name"]}" cannot be created: healthcheck.startInterval needs Docker 25 or newer, '
            f"and this daemon speaks API {version}; leave it out"
        )


def connect(client: Client, id: str, inputs: Properties) -> None:
    """Networks take the place of the default one, which Docker connects a new container to."""
    networks = inputs.get("networksAdvanced") or []
    if not networks:
        return
    if inputs["networkMode"] in ("bridge", "default"):
        with contextlib.suppress(APIError):  # not connected: some daemons connect only at start
            client.disconnect_container_from_network(id, "bridge")
    for network in networks:
        client.connect_container_to_network(id, network["name"], **container_request.endpoint(network))


def start(client: Client, id: str, inputs: Properties) -> None:
    try:
        client.start(id)
    except APIError as error:
        reason = explain_port_conflict(client, inputs, str(error.explanation))
        if reason is None:
            raise
        raise ProviderError(f'container "{inputs["name"]}" cannot be started: {reason}') from error


def stop(client: Client, id: str, recorded: Properties) -> None:
    """Ask the process to end, for at most destroyGraceSeconds, else for the container's own stop timeout.

    The official provider kills at once without destroyGraceSeconds; a database deserves its stop timeout.
    """
    grace = recorded.get("destroyGraceSeconds") or recorded.get("stopTimeout") or None
    with contextlib.suppress(NotFound):
        client.stop(id, timeout=grace)


def remove(client: Client, id: str, *, volumes: bool) -> None:
    """Remove and wait until the name is free. `volumes` takes the anonymous ones with it; named ones always stay."""
    try:
        client.remove_container(id, v=volumes, force=True)
    except NotFound:
        return
    except APIError as error:
        if not is_conflict(error):  # 409: another removal is on its way
            raise
    if not poll(lambda: found(lambda: client.inspect_container(id)) is None, _REMOVAL_DEADLINE):
        raise ProviderError(f"container {id[:12]} is still being removed after {_REMOVAL_DEADLINE:.0f} s")


@contextlib.contextmanager
def environment_hidden(inputs: Properties) -> Iterator[None]:
    """Takes the values of environment variables, which may be secrets, out of what the daemon says."""
    try:
        yield
    except APIError as error:
        text = str(error.explanation)
        for entry in inputs.get("envs", ()):
            name, _, value = entry.partition("=")
            for part in filter(None, (entry, value)):
                text = text.replace(part, f"[value of {name}]")
        error.explanation = text
        raise
