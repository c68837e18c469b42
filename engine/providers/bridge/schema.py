"""What a resource type's properties are, as data, and the one `check` that works on that data.

The tables stand for the schema of an official provider that is a Terraform provider behind Pulumi's bridge; `check`
fills in defaults as the bridge records them, so that a state can change hands.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import Any

from engine.providers.base import Call, CheckFailed, Properties, Unsupported
from engine.values import UNKNOWN

Rule = Callable[[Any], str | None]
"""Takes a value and returns what is wrong with it, or None."""

DEFAULTS = "__defaults"  # the bridge's list of the properties that it filled in, in every object


class Kind(Enum):
    TEXT = "text"
    INTEGER = "a whole number"
    BOOLEAN = "true or false"
    MAP = "a mapping of text to text"
    LIST = "a list"
    SET = "a list (its order does not matter)"
    OBJECT = "a mapping"


class OnChange(Enum):
    REPLACE = "the object must be made anew"
    UPDATE = "the server changes it in place"
    LIMIT = "the server changes it in place, but cannot take it away"
    RECORD = "only this provider looks at it"


@dataclass(frozen=True, kw_only=True)
class Attribute:
    kind: Kind
    required: bool = False
    default: Any = None  # filled in by check; the bridge leaves out defaults that are false, 0 or empty
    computed: bool = False  # the server chooses when the program does not say
    output_only: bool = False
    autonamed: bool = False
    supported: bool = True  # False: known, refused by name, but part of the recorded shape
    on_change: OnChange = OnChange.REPLACE
    rule: Rule | None = None  # for texts and numbers, also as members of lists and values of mappings
    spelling: Callable[[str], str] | None = None  # brings texts that mean the same to one form before they are compared
    fields: Mapping[str, "Attribute"] | None = None  # of an OBJECT, or of the objects in a LIST or SET


Schema = Mapping[str, Attribute]


def check(schema: Schema, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
    """Inputs with defaults and a name filled in. Raises Unsupported, or CheckFailed with every wrong value."""
    refuse_unsupported(schema, call, inputs)
    failures: list[tuple[str, str]] = []
    checked = _check_object(schema, inputs, old_inputs, "", failures, call)
    if failures:
        raise CheckFailed(failures)
    return checked


def refuse_unsupported(schema: Schema, call: Call, inputs: Properties) -> None:
    """An option set to false, 0 or nothing asks for nothing and passes."""
    refused = sorted(_unsupported(schema, inputs))
    if refused:
        raise Unsupported(
            f'{call.type} "{call.name}": this engine does not carry out {", ".join(refused)}; '
            "leave it out, or use the official pulumi CLI"
        )


def _unsupported(schema: Schema, given: Mapping[str, Any]) -> Iterator[str]:
    for name, value in given.items():
        attribute = schema.get(name)
        if attribute is None or not value:
            continue
        if not attribute.supported:
            yield name
        elif attribute.fields and isinstance(value, Mapping):
            yield from (f"{name}.{inner}" for inner in _unsupported(attribute.fields, value))
        elif attribute.fields and isinstance(value, list):
            for index, member in enumerate(value):
                if isinstance(member, Mapping):
                    yield from (f"{name}[{index}].{inner}" for inner in _unsupported(attribute.fields, member))


def _check_object(
    schema: Schema,
    given: Any,
    old: Any,
    path: str,
    failures: list[tuple[str, str]],
    call: Call | None = None,
) -> Properties:
    checked: Properties = {}
    old = old if isinstance(old, Mapping) else {}
    for name, value in given.items():
        if name == DEFAULTS or value is None:
            continue
        where = f"{path}.{name}" if path else name
        attribute = schema.get(name)
        if attribute is None or attribute.output_only:
            failures.append((where, f"unknown property; there are {', '.join(_inputs(schema))}"))
            continue
        checked[name] = _check_value(attribute, value, old.get(name), where, failures)
    filled = []
    for name, attribute in schema.items():
        if name in checked or attribute.output_only:
            continue
        value = _default(name, attribute, old, call)
        if value is not None:
            checked[name] = value
            filled.append(name)
        elif attribute.required:
            failures.append((f"{path}.{name}" if path else name, "is required"))
    return {DEFAULTS: sorted(filled), **checked}


def _inputs(schema: Schema) -> Iterator[str]:
    return (name for name, attribute in sorted(schema.items()) if attribute.supported and not attribute.output_only)


def _default(name: str, attribute: Attribute, old: Mapping[str, Any], call: Call | None) -> Any:
    """An old value is kept if it was itself filled in, or if nothing says which values were."""
    filled_before = old.get(DEFAULTS)
    if attribute.default or attribute.autonamed:
        kept = old.get(name) if filled_before is None or name in filled_before else None
        if kept is not None:
            return kept
    if attribute.autonamed and call:
        return f"{call.name}-{blake2b(call.urn.encode(), key=call.random_seed[:64], digest_size=4).hexdigest()[:7]}"
    return attribute.default or None


def _check_value(attribute: Attribute, value: Any, old: Any, path: str, failures: list[tuple[str, str]]) -> Any:
    if value is UNKNOWN:
        return value
    match attribute.kind:
        case Kind.OBJECT if isinstance(value, Mapping):
            return _check_object(attribute.fields or {}, value, old, path, failures)
        case Kind.MAP if isinstance(value, Mapping):
            members = {key: item for key, item in value.items() if item is not None}
            return {
                key: _scalar(Kind.TEXT, attribute, item, f"{path}.{key}", failures) for key, item in members.items()
            }
        case Kind.LIST | Kind.SET if isinstance(value, list):
            olds = old if isinstance(old, list) else []
            return [
                _check_member(attribute, item, olds[index] if index < len(olds) else None, f"{path}[{index}]", failures)
                for index, item in enumerate(value)
            ]
        case Kind.TEXT | Kind.INTEGER | Kind.BOOLEAN:
            return _scalar(attribute.kind, attribute, value, path, failures)
    failures.append((path, f"must be {attribute.kind.value}"))
    return value


def _check_member(attribute: Attribute, value: Any, old: Any, path: str, failures: list[tuple[str, str]]) -> Any:
    if value is UNKNOWN:
        return value
    if attribute.fields is None:
        return _scalar(Kind.TEXT, attribute, value, path, failures)
    if isinstance(value, Mapping):
        return _check_object(attribute.fields, value, old, path, failures)
    failures.append((path, f"must be {Kind.OBJECT.value}"))
    return value


def _scalar(kind: Kind, attribute: Attribute, value: Any, path: str, failures: list[tuple[str, str]]) -> Any:
    if value is UNKNOWN:
        return value
    converted = _convert(kind, value)
    if converted is None:
        failures.append((path, f"must be {kind.value}"))
        return value
    problem = attribute.rule(converted) if attribute.rule else None
    if problem:
        failures.append((path, problem))
    return converted


def _convert(kind: Kind, value: Any) -> Any:
    """The value as its kind, with the conversions that the bridge makes; None if there is none."""
    match kind, value:
        case (Kind.BOOLEAN, bool()) | (Kind.TEXT, str()):
            return value
        case (Kind.BOOLEAN, "true" | "false"):
            return value == "true"
        case (Kind.TEXT, bool()):
            return str(value).lower()
        case (Kind.TEXT, int() | float()):
            return str(value)
        case (Kind.INTEGER, bool()):
            return None
        case (Kind.INTEGER, int()):
            return value
        case (Kind.INTEGER, float()) if value.is_integer():
            return int(value)
        case (Kind.INTEGER, str()) if value.removeprefix("-").isdecimal():
            return int(value)
    return None
