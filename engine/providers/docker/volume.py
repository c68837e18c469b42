"""docker:index/volume:Volume. A volume holds data: one that exists under the wanted name is adopted, never emptied."""

from typing import Any

from docker.errors import APIError, NotFound

from engine.providers.base import Call, Old, Properties, ProviderError
from engine.providers.bridge.plan import changed, recorded_inputs
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema
from engine.providers.docker.daemon import Client, Daemon, found, is_conflict, poll
from engine.providers.docker.formats import is_name
from engine.providers.docker.resource import BUSY_DEADLINE, LABELS, label_list, label_mapping

VOLUME: Schema = {
    "name": Attribute(kind=Kind.TEXT, autonamed=True, rule=is_name),
    "cluster": Attribute(kind=Kind.OBJECT, supported=False, on_change=OnChange.RECORD),
    "driver": Attribute(kind=Kind.TEXT, computed=True),
    "driverOpts": Attribute(kind=Kind.MAP),
    "labels": Attribute(kind=Kind.SET, fields=LABELS),
    "mountpoint": Attribute(kind=Kind.TEXT, output_only=True),
}


class Volume:
    schema: Schema = VOLUME
    delete_before_replace: bool | None = None

    def create(self, daemon: Daemon, call: Call, inputs: Properties) -> tuple[str, Properties]:
        """Docker's create returns an existing volume as it is: its live labels are recorded, not the asked ones."""
        name = inputs["name"]
        with daemon.client(f'volume "{name}" cannot be created') as client:
            existing = found(lambda: client.inspect_volume(name))
            if existing is None:
                client.create_volume(
                    name,
                    driver=inputs.get("driver"),
                    driver_opts=inputs.get("driverOpts") or None,
                    labels=label_mapping(inputs.get("labels")),
                )
                existing = client.inspect_volume(name)
            outputs = self._outputs(inputs, existing)
        differing = [item for item in changed(self.schema, outputs, inputs) if item != "labels"]
        if differing:
            raise ProviderError(
                f'volume "{name}" exists already with another {", ".join(differing)}, so it is not adopted. '
                f"Give this one another name, or, if its data is not needed, remove it with `docker volume rm {name}`"
            )
        return name, outputs

    def read(self, daemon: Daemon, call: Call, old: Old) -> Old | None:
        with daemon.client(f'volume "{old.id}" cannot be read') as client:
            inspected = found(lambda: client.inspect_volume(old.id))
            return Old(old.id, old.inputs, self._outputs(old.inputs, inspected)) if inspected else None

    def seen(self, daemon: Daemon, call: Call, old: Old) -> Old | None:
        return old if self.read(daemon, call, old) else None

    def update(self, daemon: Daemon, call: Call, old: Old, inputs: Properties) -> Properties:
        raise AssertionError("every property of a volume forces a replacement")

    def delete(self, daemon: Daemon, call: Call, old: Old) -> None:
        with daemon.client(f'volume "{old.id}" cannot be removed') as client:

            def removed() -> bool:
                try:
                    client.remove_volume(old.id)
                except NotFound:
                    return True
                except APIError as error:
                    if is_conflict(error):
                        return False
                    raise
                return True

            if not poll(removed, call.timeout or BUSY_DEADLINE):
                users = ", ".join(_users(client, old.id)) or "a container"
                raise ProviderError(
                    f'volume "{old.id}" cannot be removed: {users} still uses it. '
                    "Remove that (`docker rm NAME`), then run this again"
                )

    def _outputs(self, inputs: Properties, inspected: dict[str, Any]) -> Properties:
        return {
            **recorded_inputs(self.schema, inputs),
            "id": inspected["Name"],
            "name": inspected["Name"],
            "driver": inspected["Driver"],
            "driverOpts": inspected["Options"] or None,
            "labels": label_list(inspected["Labels"]),
            "mountpoint": inspected["Mountpoint"],
            "__meta": '{"schema_version":"1"}',
        }


def _users(client: Client, volume: str) -> list[str]:
    containers = client.containers(all=True, filters={"volume": volume})
    return sorted(name.removeprefix("/") for container in containers for name in container["Names"][:1])
