"""docker:index/network:Network."""

from typing import Any

from docker.errors import APIError, NotFound

from engine.providers.base import Call, Old, Properties, ProviderError
from engine.providers.bridge.plan import changed, recorded_inputs
from engine.providers.bridge.schema import Attribute, Kind, Schema
from engine.providers.docker.daemon import Client, Daemon, found, poll
from engine.providers.docker.formats import is_not_empty
from engine.providers.docker.resource import (
    BUSY_DEADLINE,
    LABELS,
    carries,
    label_list,
    label_mapping,
)

_ADDRESSES: Schema = {
    "auxAddress": Attribute(kind=Kind.MAP),
    "gateway": Attribute(kind=Kind.TEXT),
    "ipRange": Attribute(kind=Kind.TEXT),
    "subnet": Attribute(kind=Kind.TEXT),
}


NETWORK: Schema = {
    "name": Attribute(kind=Kind.TEXT, autonamed=True, rule=is_not_empty),
    "attachable": Attribute(kind=Kind.BOOLEAN),
    "driver": Attribute(kind=Kind.TEXT, computed=True),
    "ingress": Attribute(kind=Kind.BOOLEAN, supported=False),
    "internal": Attribute(kind=Kind.BOOLEAN, computed=True),
    "ipamConfigs": Attribute(kind=Kind.SET, computed=True, fields=_ADDRESSES),
    "ipamDriver": Attribute(kind=Kind.TEXT, default="default"),
    "ipamOptions": Attribute(kind=Kind.MAP),
    "ipv6": Attribute(kind=Kind.BOOLEAN),
    "labels": Attribute(kind=Kind.SET, fields=LABELS),
    "options": Attribute(kind=Kind.MAP, computed=True),
    "scope": Attribute(kind=Kind.TEXT, output_only=True),
}


class Network:
    schema: Schema = NETWORK
    delete_before_replace: bool | None = None

    def create(self, daemon: Daemon, call: Call, inputs: Properties) -> tuple[str, Properties]:
        name = inputs["name"]
        with daemon.client(f'network "{name}" cannot be created') as client:
            # Docker up to 24 allows two networks of one name, and containers then join either: look first.
            for existing in client.networks(names=[name]):
                if existing["Name"] == name:
                    return existing["Id"], self._adopt(client, inputs, existing["Id"])
            created = client.create_network(
                name,
                driver=inputs.get("driver"),
                options=inputs.get("options") or None,
                ipam=_address_management(inputs),
                check_duplicate=True,
                internal=inputs.get("internal", False),
                labels=label_mapping(inputs.get("labels")),
                enable_ipv6=inputs.get("ipv6", False),
                attachable=inputs.get("attachable"),
            )
            return created["Id"], self._outputs(inputs, client.inspect_network(created["Id"]))

    def _adopt(self, client: Client, inputs: Properties, id: str) -> Properties:
        inspected = client.inspect_network(id)
        outputs = self._outputs(inputs, inspected)
        name = inputs["name"]
        remove = f"Remove it with `docker network rm {name}`, or give this one another name"
        if not carries(inspected["Labels"], label_mapping(inputs.get("labels"))):
            raise ProviderError(f'network "{name}" exists already and is not of this stack. {remove}')
        differing = [item for item in changed(self.schema, outputs, inputs) if item != "labels"]
        if differing:
            raise ProviderError(f'network "{name}" exists already with another {", ".join(differing)}. {remove}')
        return outputs

    def read(self, daemon: Daemon, call: Call, old: Old) -> Old | None:
        with daemon.client(f'network "{call.name}" cannot be read') as client:
            inspected = found(lambda: client.inspect_network(old.id))
            return Old(inspected["Id"], old.inputs, self._outputs(old.inputs, inspected)) if inspected else None

    def seen(self, daemon: Daemon, call: Call, old: Old) -> Old | None:
        return old if self.read(daemon, call, old) else None

    def update(self, daemon: Daemon, call: Call, old: Old, inputs: Properties) -> Properties:
        raise AssertionError("every property of a network forces a replacement")

    def delete(self, daemon: Daemon, call: Call, old: Old) -> None:
        name = old.outputs.get("name", old.id)
        with daemon.client(f'network "{name}" cannot be removed') as client:

            def removed() -> bool:
                try:
                    client.remove_network(old.id)
                except NotFound:
                    return True
                except APIError as error:
                    if "has active endpoints" in str(error.explanation):
                        return False
                    raise
                return True

            if not poll(removed, call.timeout or BUSY_DEADLINE):
                inspected = found(lambda: client.inspect_network(old.id)) or {}
                users = sorted(item["Name"] for item in (inspected.get("Containers") or {}).values())
                raise ProviderError(
                    f'network "{name}" cannot be removed: {", ".join(users) or "a container"} is still connected. '
                    f"Disconnect it (`docker network disconnect {name} NAME`), then run this again"
                )

    def _outputs(self, inputs: Properties, inspected: dict[str, Any]) -> Properties:
        management = inspected["IPAM"]
        return {
            **recorded_inputs(self.schema, inputs),
            "id": inspected["Id"],
            "name": inspected["Name"],
            "attachable": inspected["Attachable"],
            "driver": inspected["Driver"],
            "ingress": inspected["Ingress"],
            "internal": inspected["Internal"],
            "ipamConfigs": [
                {
                    "auxAddress": config.get("AuxiliaryAddresses") or {},
                    "gateway": config.get("Gateway", ""),
                    "ipRange": config.get("IPRange", ""),
                    "subnet": config.get("Subnet", ""),
                }
                for config in management.get("Config") or ()
            ],
            "ipamDriver": management["Driver"],
            "ipamOptions": management.get("Options") or None,
            "ipv6": inspected["EnableIPv6"],
            "labels": label_list(inspected["Labels"]),
            "options": inspected["Options"] or {},
            "scope": inspected["Scope"],
            "__meta": '{"schema_version":"1"}',
        }


def _address_management(inputs: Properties) -> dict[str, Any]:
    return {
        "Driver": inputs["ipamDriver"],
        "Options": inputs.get("ipamOptions") or None,
        "Config": [
            {
                "Subnet": config.get("subnet", ""),
                "IPRange": config.get("ipRange", ""),
                "Gateway": config.get("gateway", ""),
                "AuxiliaryAddresses": config.get("auxAddress") or {},
            }
            for config in inputs.get("ipamConfigs") or ()
        ],
    }
