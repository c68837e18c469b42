"""The JSON of a checkpoint: the official file backend's version 3 (sdk/go/common/apitype/core.go in pulumi/pulumi).

A secret is `{<signature>: <secret>, "ciphertext": …}` whose plaintext is the JSON of the value. Assets, archives and
resource references are the same dicts in memory, on the wire and here.
"""

import json
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, get_args
from weakref import WeakKeyDictionary

from engine.errors import EngineError
from engine.integrity import StateError
from engine.secrets import Vault
from engine.state import ENGINE_VERSION, CustomTimeouts, OperationType, PendingOperation, ResourceState, Snapshot
from engine.values import MASK, SECRET, SIGNATURE, UNKNOWN, UNKNOWN_TEXT, Secret, unwrap

_VERSION = 3
# JSON has no NaN or infinity: pkg/resource/stack/deployment.go writes the 64 bits in hexadecimal.
_FLOAT = "8ad145fe-0d11-4827-bfd7-1abcbf086f5c"

# Go's JSON escapes these, so the same plaintext here keeps the ciphertexts that the CLI wrote.
_GO_ESCAPES = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
_WHOLE = 2.0**53  # below it every whole double is exact, and written like the CLI does: 5432, not 5432.0

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
        latest = [f'"manifest":{_json(_manifest())}', f'"secrets_providers":{_json(secrets_provider)}']
        if snapshot.resources:
            latest.append('"resources":[\n' + ",\n".join(map(self._entry, snapshot.resources)) + "\n]")
        if snapshot.pending:
            operations = [
                f'{{"resource":{self._entry(pending.resource)},"type":"{pending.type}"}}'
                for pending in snapshot.pending
            ]
            latest.append('"pending_operations":[\n' + ",\n".join(operations) + "\n]")
        extra = {"metadata": {}, **snapshot.extra}
        latest.extend(f'"{key}":{_json(value)}' for key, value in extra.items())
        uses_replace_with = any(entry.replace_with for entry in snapshot.resources)
        version = '"version":4,"features":["replaceWith"]' if uses_replace_with else f'"version":{_VERSION}'
        body = ",\n".join(latest)
        text = f'{{{version},"checkpoint":{{"stack":{_json(self.stack)},"latest":{{\n{body}\n}}}}}}\n'
        return text.encode("utf-8", "replace")  # "replace": half a surrogate pair, which UTF-8 can't carry

    def _entry(self, resource: ResourceState) -> str:
        text = self._entries.get(resource)
        if text is None:
            text = self._entries[resource] = _json(_encode_resource(resource, self.vault))
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


def salt_of(document: Any) -> str | None:
    """The encryption salt in a parsed stack file; None if it has no secrets provider."""
    provider = _latest(document).get("secrets_providers")
    if provider is None or not provider.get("type"):
        return None
    if provider["type"] != "passphrase":
        raise EngineError(
            f"the stack's secrets are encrypted by '{provider['type']}', the embedded engine knows only 'passphrase': "
            "use the pulumi CLI, or `pulumi stack change-secrets-provider passphrase`"
        )
    salt = _expect(provider.get("state"), dict, "secrets_providers.state").get("salt")
    return str(_expect(salt, str, "secrets_providers.state.salt"))


def magic(version: str) -> str:
    """The manifest's proof that it belongs to its version."""
    return sha256(version.encode()).hexdigest() if version else ""


def _latest(document: Any) -> dict[str, Any]:
    top = _expect(document, dict, "the file")
    checkpoint = _expect(top.get("checkpoint"), dict, "checkpoint")
    latest = checkpoint.get("latest")
    if latest is None:
        return {}
    version, features = top.get("version"), set(top.get("features") or [])
    if version not in (_VERSION, 4) or features - {"replaceWith"}:
        needs = f", features {sorted(features)}" if features else ""
        raise StateError(f"checkpoint version {version!r}{needs}: the embedded engine reads version {_VERSION} only")
    return dict(_expect(latest, dict, "checkpoint.latest"))


def _decode_latest(latest: Mapping[str, Any], vault: Vault | None) -> Snapshot:
    known = {"manifest", "secrets_providers", "resources", "pending_operations"}
    manifest = _expect(latest.get("manifest", {}), dict, "manifest")
    if latest and manifest.get("magic", "") != magic(manifest.get("version", "")):
        raise StateError("the manifest's magic number does not belong to its version: the file was edited")
    resources = _expect(latest.get("resources") or [], list, "resources")
    pending = _expect(latest.get("pending_operations") or [], list, "pending_operations")
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
            found[key] = _seal(properties, vault, f"{resource.urn}/{key}")
    if resource.property_dependencies:
        found["propertyDependencies"] = {key: list(urns) for key, urns in resource.property_dependencies.items()}
    if resource.custom_timeouts:
        limits = {key: value for key in _TIMEOUTS if (value := getattr(resource.custom_timeouts, key))}
        found["customTimeouts"] = _seal(limits, vault, "")
    extra = {key: _seal(value, vault, f"{resource.urn}/{key}") for key, value in resource.extra.items()}
    return {**found, **extra}


def _decode_resource(entry: Any, place: str, vault: Vault | None) -> ResourceState:
    entry = _expect(entry, dict, place)
    place = f"{place} ({entry['urn']})" if isinstance(entry.get("urn"), str) else place
    fields: dict[str, Any] = {}

    def take(names: Mapping[str, str], kind: type, make: Callable[[Any], Any]) -> None:
        for attribute, key in names.items():
            if entry.get(key) is not None:
                fields[attribute] = make(_expect(entry[key], kind, f"{place}.{key}"))

    for required in ("urn", "type", "custom"):
        if entry.get(required) is None:
            raise StateError(f"{place}: '{required}' is missing")
    take(_TEXTS, str, str)
    take(_FLAGS, bool, bool)
    take(_LISTS, list, lambda texts: tuple(_expect(text, str, f"{place}: a list's item") for text in texts))
    urn = fields["urn"]
    for key in _PROPERTIES:
        properties = _expect({} if entry.get(key) is None else entry[key], dict, f"{place}.{key}")
        fields[key] = {name: _open(value, vault, f"{urn}/{key}/{name}") for name, value in properties.items()}
    property_dependencies = _expect(entry.get("propertyDependencies") or {}, dict, f"{place}.propertyDependencies")
    fields["property_dependencies"] = {key: tuple(urns or ()) for key, urns in property_dependencies.items()}
    if limits := entry.get("customTimeouts"):
        fields["custom_timeouts"] = CustomTimeouts(**{key: limits.get(key, 0) for key in _TIMEOUTS})
    extra = {key: _open(value, vault, f"{urn}/{key}") for key, value in entry.items() if key not in _KNOWN}
    return ResourceState(**fields, extra=extra)


def _decode_operation(entry: Any, index: int, vault: Vault | None) -> PendingOperation:
    place = f"pending_operations[{index}]"
    kind = _expect(entry, dict, place).get("type")
    if kind not in get_args(OperationType):
        raise StateError(f"{place}: unknown operation {kind!r}")
    return PendingOperation(_decode_resource(entry.get("resource"), f"{place}.resource", vault), kind)


def _seal(value: Any, vault: Vault | None, slot: str) -> Any:
    """The JSON form of a property value; without a vault, one that shows no secret."""
    if isinstance(value, Secret):
        if vault is None:
            return MASK
        plaintext = _json(_seal(unwrap(value.value), vault, "")).translate(_GO_ESCAPES)
        return {SIGNATURE: SECRET, "ciphertext": vault.encrypt(plaintext, slot=slot)}
    if isinstance(value, Mapping):
        return {key: _seal(item, vault, f"{slot}/{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_seal(item, vault, f"{slot}/{index}") for index, item in enumerate(value)]
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if isinstance(value, float):
        if not math.isfinite(value):
            return {SIGNATURE: _FLOAT, "value": struct.pack(">d", value).hex()}
        return int(value) if value.is_integer() and abs(value) < _WHOLE else value
    return value


def _open(value: Any, vault: Vault | None, slot: str) -> Any:
    """The property value of its JSON form."""
    if isinstance(value, list):
        return [_open(item, vault, f"{slot}/{index}") for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return UNKNOWN if value == UNKNOWN_TEXT else value
    if value.get(SIGNATURE) == SECRET:
        return Secret(_open(_plaintext(value, vault, slot), None, slot))
    if value.get(SIGNATURE) == _FLOAT:
        return struct.unpack(">d", bytes.fromhex(value["value"]))[0]
    return {key: _open(item, vault, f"{slot}/{key}") for key, item in value.items()}


def _plaintext(secret: Mapping[str, Any], vault: Vault | None, slot: str) -> Any:
    """The JSON value in a secret. `pulumi stack export --show-secrets` leaves a "plaintext" instead of a ciphertext.

    Inside of another secret (no vault) the "ciphertext" is not encrypted once more.
    """
    text = secret.get("plaintext")
    if text is None and isinstance(secret.get("ciphertext"), str):
        text = vault.decrypt(secret["ciphertext"], slot=slot) if vault else secret["ciphertext"]
    try:
        return json.loads(text or "")
    except ValueError:
        raise StateError(f"{slot}: the secret has no readable value") from None


def _expect(value: Any, kind: type, place: str) -> Any:
    if not isinstance(value, kind):
        raise StateError(f"{place}: expected {kind.__name__}, found {type(value).__name__}")
    return value


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True, allow_nan=False)
