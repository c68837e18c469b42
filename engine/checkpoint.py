"""The JSON of a checkpoint: the official file backend's version 3 (sdk/go/common/apitype/core.go in pulumi/pulumi).

A secret is `{<signature>: <secret>, "ciphertext": …}` whose plaintext is the JSON of the value. Assets, archives and
resource references are the same dicts in memory, on the wire and here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args
from weakref import WeakKeyDictionary

from engine.errors import EngineError
from engine.integrity import StateError, verify
from engine.sealed import expect, is_sealed, open_value, seal, to_json
from engine.secrets import CiphertextError, Vault
from engine.state import (
    ENGINE_VERSION,
    ROOT_STACK_TYPE,
    CustomTimeouts,
    OperationType,
    PendingOperation,
    ResourceState,
    Snapshot,
)
from engine.values import Properties, unwrap

_VERSION = 3

_TEXTS = {
    "urn": "urn",
    "id": "id",
    "type": "type",
    "parent": "parent",
    "provider": "provider",
    "import_id": "importID",
    "deleted_with": "deletedWith",
    "created": "created",
    "modified": "modified",
    "source_position": "sourcePosition",
}
_FLAGS = {
    "custom": "custom",
    "delete": "delete",
    "protect": "protect",
    "external": "external",
    "pending_replacement": "pendingReplacement",
    "retain_on_delete": "retainOnDelete",
}
_LISTS = {
    "dependencies": "dependencies",
    "init_errors": "initErrors",
    "additional_secret_outputs": "additionalSecretOutputs",
    "aliases": "aliases",
    "replace_with": "replaceWith",
    "ignore_changes": "ignoreChanges",
    "replace_on_changes": "replaceOnChanges",
}
_PROPERTIES = ("inputs", "outputs")
_TIMEOUTS = ("create", "update", "delete", "read")
_KNOWN = {
    *_TEXTS.values(), *_FLAGS.values(), *_LISTS.values(), *_PROPERTIES, "propertyDependencies", "customTimeouts"
}  # fmt: skip


class Writer:
    """Snapshots of one stack to JSON. An entry is turned into text, and encrypted, once: later saves reuse it."""

    def __init__(self, stack: str, vault: Vault) -> None:
        """`stack` is "organization/<project>/<stack>"."""
        self.stack = stack
        self.vault = vault
        self._entries: WeakKeyDictionary[ResourceState, str] = WeakKeyDictionary()

    def encode(self, snapshot: Snapshot) -> bytes:
        """The stack file: one line per resource."""
        secrets_provider = {"type": "passphrase", "state": {"salt": self.vault.salt}}
        latest = [f'"manifest":{to_json(_manifest())}', f'"secrets_providers":{to_json(secrets_provider)}']
        if snapshot.resources:
            latest.append('"resources":[\n' + ",\n".join(map(self.entry, snapshot.resources)) + "\n]")
        if snapshot.pending:
            latest.append('"pending_operations":[\n' + ",\n".join(map(self.operation, snapshot.pending)) + "\n]")
        extra = {"metadata": {}, **snapshot.extra}
        latest.extend(f'"{key}":{to_json(value)}' for key, value in extra.items())
        uses_replace_with = any(entry.replace_with for entry in snapshot.resources)
        version = '"version":4,"features":["replaceWith"]' if uses_replace_with else f'"version":{_VERSION}'
        body = ",\n".join(latest)
        text = f'{{{version},"checkpoint":{{"stack":{to_json(self.stack)},"latest":{{\n{body}\n}}}}}}\n'
        return text.encode("utf-8", "replace")  # "replace": half a surrogate pair, which UTF-8 can't carry

    def operation(self, pending: PendingOperation) -> str:
        return f'{{"resource":{self.entry(pending.resource)},"type":"{pending.type}"}}'

    def entry(self, resource: ResourceState) -> str:
        text = self._entries.get(resource)
        if text is None:
            text = self._entries[resource] = to_json(_encode_resource(resource, self.vault))
        return text


def shown_entry(resource: ResourceState, *, show_secrets: bool) -> dict[str, Any]:
    """The JSON of an entry for people and scripts: secrets as "[secret]", or in plain."""
    if show_secrets:
        inputs, outputs = unwrap(resource.inputs), unwrap(resource.outputs)
        resource = replace(resource, inputs=inputs, outputs=outputs)
    return _encode_resource(resource, None)


def decode(document: Any, vault: Vault | None) -> Snapshot:
    """The snapshot of a parsed stack file. `vault` may be None if `salt_of` says that nothing is encrypted.

    Raises StateError for what breaks the format, CiphertextError for a value that can't be decrypted.
    """
    try:
        return _decode_latest(_latest(document), vault)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StateError(f"an entry has an unexpected form: {error!r}") from error


def is_whole(path: Path) -> bool:
    """Whether a file holds a state that can be used; what is encrypted in it is not looked at."""
    try:
        document = json.loads(path.read_bytes())
        salt_of(document)
        verify(decode(document, _Blind(b"\0" * 32, "")).resources)
    except (OSError, ValueError, EngineError):
        return False
    return True


class _Blind(Vault):
    """Opens nothing, and says that it did."""

    def decrypt(self, ciphertext: str, *, slot: str = "") -> str:
        return "null"


def decode_outputs(document: Any, vault: Vault | None) -> tuple[Properties, tuple[str, ...]]:
    """The stack's exports, and the names of those that are left out since `vault` (None: nothing) does not open them.

    Looks at nothing else. Raises StateError.
    """
    outputs: Properties = {}
    locked = []
    for entry in expect(_latest(document).get("resources") or [], list, "resources"):
        if entry.get("type") != ROOT_STACK_TYPE or entry.get("delete"):
            continue
        for name, value in expect(entry.get("outputs") or {}, dict, "the stack's outputs").items():
            try:
                if vault is None and is_sealed(value):
                    raise CiphertextError(name)
                outputs[name] = open_value(value, vault, f"{entry['urn']}/outputs/{name}")
            except CiphertextError:
                locked.append(name)
    return outputs, tuple(sorted(locked))


def salt_of(document: Any) -> str | None:
    """The encryption salt in a parsed stack file; None if it has no secrets provider."""
    provider = expect(_latest(document).get("secrets_providers") or {}, dict, "secrets_providers")
    if not provider.get("type"):
        return None
    if provider["type"] != "passphrase":
        raise EngineError(
            f"the stack's secrets are encrypted by '{provider['type']}', the embedded engine knows only 'passphrase': "
            "use the pulumi CLI, or `pulumi stack change-secrets-provider passphrase`"
        )
    salt = expect(provider.get("state"), dict, "secrets_providers.state").get("salt")
    return str(expect(salt, str, "secrets_providers.state.salt"))


def magic(version: str) -> str:
    """The manifest's proof that it belongs to its version."""
    return sha256(version.encode()).hexdigest() if version else ""


def _latest(document: Any) -> dict[str, Any]:
    top = expect(document, dict, "the file")
    checkpoint = expect(top.get("checkpoint"), dict, "checkpoint")
    latest = checkpoint.get("latest")
    if latest is None:
        return {}
    version, features = top.get("version"), set(top.get("features") or [])
    if version not in (_VERSION, 4) or features - {"replaceWith"}:
        needs = f", features {sorted(features)}" if features else ""
        raise StateError(f"checkpoint version {version!r}{needs}: the embedded engine reads version {_VERSION} only")
    return dict(expect(latest, dict, "checkpoint.latest"))


def _decode_latest(latest: Mapping[str, Any], vault: Vault | None) -> Snapshot:
    known = {"manifest", "secrets_providers", "resources", "pending_operations"}
    manifest = expect(latest.get("manifest", {}), dict, "manifest")
    if latest and manifest.get("magic", "") != magic(manifest.get("version", "")):
        raise StateError("the manifest's magic number does not belong to its version: the file was edited")
    resources = expect(latest.get("resources") or [], list, "resources")
    pending = expect(latest.get("pending_operations") or [], list, "pending_operations")
    return Snapshot(
        resources=tuple(_decode_resource(entry, f"resources[{index}]", vault) for index, entry in enumerate(resources)),
        pending=tuple(_decode_operation(entry, index, vault) for index, entry in enumerate(pending)),
        version=manifest.get("version", ""),
        extra={key: value for key, value in latest.items() if key not in known},
    )


def _manifest() -> dict[str, str]:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"time": now, "magic": magic(ENGINE_VERSION), "version": ENGINE_VERSION}


def _encode_resource(resource: ResourceState, vault: Vault | None) -> dict[str, Any]:
    found: dict[str, Any] = {"urn": resource.urn, "custom": resource.custom}
    for names in (_FLAGS, _TEXTS, _LISTS):
        for attribute, key in names.items():
            if value := getattr(resource, attribute):
                found[key] = list(value) if names is _LISTS else value
    for key in _PROPERTIES:
        if properties := getattr(resource, key):
            found[key] = seal(properties, vault, f"{resource.urn}/{key}")
    if resource.property_dependencies:
        found["propertyDependencies"] = {key: list(urns) for key, urns in resource.property_dependencies.items()}
    if resource.custom_timeouts:
        limits = {key: value for key in _TIMEOUTS if (value := getattr(resource.custom_timeouts, key))}
        found["customTimeouts"] = seal(limits, vault, "")
    extra = {key: seal(value, vault, f"{resource.urn}/{key}") for key, value in resource.extra.items()}
    return {**found, **extra}


def _decode_resource(entry: Any, place: str, vault: Vault | None) -> ResourceState:
    entry = expect(entry, dict, place)
    place = f"{place} ({entry['urn']})" if isinstance(entry.get("urn"), str) else place
    fields: dict[str, Any] = {}

    def take(names: Mapping[str, str], kind: type, make: Callable[[Any], Any]) -> None:
        for attribute, key in names.items():
            if entry.get(key) is not None:
                fields[attribute] = make(expect(entry[key], kind, f"{place}.{key}"))

    for required in ("urn", "type", "custom"):
        if entry.get(required) is None:
            raise StateError(f"{place}: '{required}' is missing")
    take(_TEXTS, str, str)
    take(_FLAGS, bool, bool)
    take(_LISTS, list, lambda texts: tuple(expect(text, str, f"{place}: a list's item") for text in texts))
    urn = fields["urn"]
    for key in _PROPERTIES:
        properties = expect({} if entry.get(key) is None else entry[key], dict, f"{place}.{key}")
        fields[key] = {name: open_value(value, vault, f"{urn}/{key}/{name}") for name, value in properties.items()}
    property_dependencies = expect(entry.get("propertyDependencies") or {}, dict, f"{place}.propertyDependencies")
    fields["property_dependencies"] = {
        key: tuple(expect(urn, str, f"{place}.propertyDependencies.{key}") for urn in urns or ())
        for key, urns in property_dependencies.items()
    }
    if limits := entry.get("customTimeouts"):
        fields["custom_timeouts"] = CustomTimeouts(**{key: limits.get(key, 0) for key in _TIMEOUTS})
    extra = {key: open_value(value, vault, f"{urn}/{key}") for key, value in entry.items() if key not in _KNOWN}
    return ResourceState(**fields, extra=extra)


def _decode_operation(entry: Any, index: int, vault: Vault | None) -> PendingOperation:
    place = f"pending_operations[{index}]"
    kind = expect(entry, dict, place).get("type")
    if kind not in get_args(OperationType):
        raise StateError(f"{place}: unknown operation {kind!r}")
    return PendingOperation(_decode_resource(entry.get("resource"), f"{place}.resource", vault), kind)
