"""Which level and which values every policy of a pack gets: the pack's own, and on top what a stack's file says."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format

from engine.errors import EngineError
from engine.policy_pack import PolicyConfig
from engine.proto import analyzer_pb2
from engine.values import plain
from engine.wire import from_struct, to_struct

LEVELS: Final = {
    "advisory": analyzer_pb2.ADVISORY,
    "mandatory": analyzer_pb2.MANDATORY,
    "remediate": analyzer_pb2.REMEDIATE,
    "disabled": analyzer_pb2.DISABLED,
}
_ALL: Final = "all"
_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def reconcile(
    info: analyzer_pb2.AnalyzerInfo, given: Mapping[str, PolicyConfig], file: Path | None
) -> dict[str, analyzer_pb2.PolicyConfig]:
    """As the official engine does, but a name that no policy has is an error: a misspelled one would do nothing.

    Raises EngineError. Of a schema it checks `required`, `type` and `enum`.
    """
    if given and not info.supportsConfig:
        raise EngineError(f"{file}: the policy pack {info.name} takes no configuration")
    known = {policy.name: policy for policy in info.policies}
    if unknown := sorted(set(given) - set(known) - {_ALL}):
        names = ", ".join(sorted(known))
        raise EngineError(f"{file}: the policy pack {info.name} has no policy {', '.join(unknown)}; it has: {names}")
    initial = {name: _of(config) for name, config in info.initialConfig.items()}
    result = {}
    for name, policy in known.items():
        level: int = policy.enforcementLevel
        values = {key: schema["default"] for key, schema in _schemas(policy).items() if "default" in schema}
        for layer in (initial, {key: _numbered(config) for key, config in given.items()}):
            for key in (_ALL, name):
                chosen, properties = layer.get(key, (None, {}))
                level = level if chosen is None else chosen
                values |= properties if key == name else {}
        if problems := list(_problems(policy, values)):
            where = file or f"the configuration of the policy pack {info.name}"
            raise EngineError(f"{where}: '{name}': {'; '.join(problems)}")
        config = analyzer_pb2.PolicyConfig(properties=to_struct(values))
        config.enforcementLevel = level  # type: ignore[assignment]
        result[name] = config
    return result


def _of(config: analyzer_pb2.PolicyConfig) -> tuple[int | None, dict[str, Any]]:
    return config.enforcementLevel, plain(from_struct(config.properties))


def _numbered(config: PolicyConfig) -> tuple[int | None, dict[str, Any]]:
    return LEVELS[config.level] if config.level else None, dict(config.properties)


def _schemas(policy: analyzer_pb2.PolicyInfo) -> dict[str, dict[str, Any]]:
    return json_format.MessageToDict(policy.configSchema.properties)


def _problems(policy: analyzer_pb2.PolicyInfo, values: Mapping[str, Any]) -> Iterator[str]:
    for name in policy.configSchema.required:
        if name not in values:
            yield f"{name} is required"
    for name, schema in _schemas(policy).items():
        if name not in values:
            continue
        value, wanted = values[name], schema.get("type")
        if isinstance(wanted, str) and not _is(value, wanted):
            yield f"{name} must be of type {wanted}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{name} must be one of: {', '.join(map(str, schema['enum']))}"


def _is(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    if wanted == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(wanted, object))
