"""docker:index/remoteImage:RemoteImage: an image by name, pulled if it is not on the host."""

from typing import Any

from docker.errors import APIError, ImageNotFound

from engine.providers.base import Call, Old, Properties, ProviderError
from engine.providers.bridge.plan import recorded_inputs
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema
from engine.providers.docker.daemon import Client, Daemon, found, is_conflict
from engine.providers.docker.formats import is_not_empty

_ID_LENGTH = len("sha256:") + 64  # of the image's own id, at the head of the resource's
_LOCAL = "localhost/"  # no registry has this name, and a program that builds its own images uses it


REMOTE_IMAGE: Schema = {
    "name": Attribute(kind=Kind.TEXT, required=True, rule=is_not_empty),
    "build": Attribute(kind=Kind.OBJECT, supported=False),
    "forceRemove": Attribute(kind=Kind.BOOLEAN, on_change=OnChange.RECORD),
    "imageId": Attribute(kind=Kind.TEXT, output_only=True),
    "keepLocally": Attribute(kind=Kind.BOOLEAN, on_change=OnChange.RECORD),
    "platform": Attribute(kind=Kind.TEXT),
    "pullTriggers": Attribute(kind=Kind.SET),
    "repoDigest": Attribute(kind=Kind.TEXT, output_only=True),
    "triggers": Attribute(kind=Kind.MAP),
}


class RemoteImage:
    schema: Schema = REMOTE_IMAGE
    delete_before_replace: bool | None = None

    def create(self, daemon: Daemon, call: Call, inputs: Properties) -> tuple[str, Properties]:
        name = inputs["name"]
        with daemon.client(f'image "{name}" cannot be had') as client:
            inspected = ensure_image(client, daemon, name, inputs.get("platform"))
        return inspected["Id"] + name, self._outputs(inputs, inspected)

    def read(self, daemon: Daemon, call: Call, old: Old) -> Old | None:
        name = old.inputs.get("name") or old.outputs.get("name") or old.id[_ID_LENGTH:] or old.id
        with daemon.client(f'image "{name}" cannot be read') as client:
            inspected = found(lambda: client.inspect_image(name))
            inputs = {**old.inputs, "name": name}
            return Old(inspected["Id"] + name, old.inputs, self._outputs(inputs, inspected)) if inspected else None

    def seen(self, daemon: Daemon, call: Call, old: Old) -> Old | None:
        """By its id: containers are made from the recorded one, whatever bears the name by now."""
        with daemon.client(f'image "{call.name}" cannot be read') as client:
            return old if found(lambda: client.inspect_image(old.outputs["imageId"])) else None

    def update(self, daemon: Daemon, call: Call, old: Old, inputs: Properties) -> Properties:
        return self.create(daemon, call, inputs)[1]

    def delete(self, daemon: Daemon, call: Call, old: Old) -> None:
        name = old.outputs["name"]
        if old.outputs.get("keepLocally"):
            return
        with daemon.client(f'image "{name}" cannot be removed') as client:
            try:
                client.remove_image(name, force=bool(old.outputs.get("forceRemove")))
            except ImageNotFound:
                return
            except APIError as error:
                if not is_conflict(error):
                    raise
                raise ProviderError(
                    f'image "{name}" cannot be removed: {error.explanation}. Remove that container, or set keep_locally'
                ) from error

    def _outputs(self, inputs: Properties, inspected: dict[str, Any]) -> Properties:
        name = inputs["name"]
        return {
            **recorded_inputs(self.schema, inputs),
            "id": inspected["Id"] + name,
            "imageId": inspected["Id"],
            "repoDigest": _digest(name, inspected.get("RepoDigests") or []),
            "forceRemove": inputs.get("forceRemove"),
            "keepLocally": inputs.get("keepLocally"),
        }


def ensure_image(client: Client, daemon: Daemon, name: str, platform: str | None = None) -> dict[str, Any]:
    """The inspected image, pulled first if the host lacks it. Ids and names under localhost/ are never pulled."""
    inspected: dict[str, Any] | None = found(lambda: client.inspect_image(name))
    if inspected is not None:
        return inspected
    if name.startswith((_LOCAL, "sha256:")):
        raise ProviderError(
            f'image "{name}" is not on the Docker host {daemon.described}, and ids and names under '
            f"{_LOCAL} are never pulled: build or load it there first"
        )
    repository, tag = _split(name)
    for event in client.pull(repository, tag=tag, platform=platform, stream=True, decode=True):
        if "error" in event:  # the answer's status is long sent by then
            raise ProviderError(f'image "{name}" cannot be pulled: {event["error"]}')
    pulled: dict[str, Any] = client.inspect_image(name)
    return pulled


def _split(name: str) -> tuple[str, str]:
    """Repository and tag or digest; docker-py pulls every tag if it is given none."""
    if "@" in name:
        repository, digest = name.split("@", 1)
        return repository, digest
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")


def _digest(name: str, digests: list[str]) -> str:
    """The official provider's choice: the digest whose repository the name begins with, else the first."""
    repository = name.partition(":")[0]
    return next((digest for digest in digests if digest.startswith(repository)), digests[0] if digests else "")
