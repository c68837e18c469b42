"""What must happen to an object so that it is as its inputs say: a comparison of inputs with recorded outputs.

It follows Terraform's rules, since the official provider is asked the same question: what the program leaves out and
the server chooses is no difference, nor is absent against false, 0 or empty, nor the order of what has none.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.providers.base import Call, Diff, Old, Properties
from engine.providers.bridge.schema import DEFAULTS, Attribute, Kind, OnChange, Schema
from engine.values import contains_unknown

_ABSENT_FIELD: Mapping[Kind, Callable[[], Any]] = {Kind.TEXT: str, Kind.LIST: list, Kind.SET: list}


def plan(schema: Schema, call: Call, old: Old, inputs: Properties, *, delete_before_replace: bool) -> Diff:
    differing = [
        name
        for name in changed(schema, old.outputs, inputs)
        if name not in call.ignore_changes and "*" not in call.ignore_changes
    ]
    replaces = tuple(name for name in differing if _needs_replacement(schema[name], inputs.get(name)))
    return Diff(
        changed=bool(differing),
        replaces=replaces,
        paths=tuple(differing),
        delete_before_replace=bool(replaces) and delete_before_replace,
    )


def _needs_replacement(attribute: Attribute, given: Any) -> bool:
    taken_away = attribute.on_change is OnChange.LIMIT and not given
    return taken_away or attribute.on_change is OnChange.REPLACE


def keeps_given_name(schema: Schema, inputs: Properties) -> bool:
    """Whether the program names the object itself: two of that name cannot be at the same time."""
    filled = inputs.get(DEFAULTS, ())
    return any(attribute.autonamed and name in inputs and name not in filled for name, attribute in schema.items())


def changed(schema: Schema, recorded: Mapping[str, Any], inputs: Mapping[str, Any]) -> list[str]:
    """Names of the inputs that differ from what is recorded, in the schema's order."""
    return [
        name
        for name, attribute in schema.items()
        if not attribute.output_only and _differs(attribute, recorded.get(name), inputs.get(name))
    ]


def _differs(attribute: Attribute, recorded: Any, given: Any) -> bool:
    if contains_unknown(given):
        return True
    if attribute.computed and (given is None or given == ""):
        return False
    if attribute.kind in (Kind.LIST, Kind.SET) and attribute.fields:
        given = with_chosen_values(attribute.fields, recorded or (), given or ())
    return bool(comparable(attribute, given) != comparable(attribute, recorded))


def comparable(attribute: Attribute, value: Any) -> Any:
    """A form in which equal values are equal: absent and empty alike, sets without an order."""
    match attribute.kind:
        case Kind.TEXT:
            return _normal(attribute, value or "")
        case Kind.INTEGER | Kind.BOOLEAN:
            return value or 0
        case Kind.MAP:
            return dict(value or {})
        case Kind.OBJECT:
            return _comparable_object(attribute.fields or {}, value or {})
    members = [_comparable_member(attribute, member) for member in value or ()]
    return sorted(members, key=repr) if attribute.kind is Kind.SET else members


def _comparable_member(attribute: Attribute, member: Any) -> Any:
    if attribute.fields is None:
        return _normal(attribute, member or "")
    return _comparable_object(attribute.fields, member or {})


def _comparable_object(fields: Schema, value: Mapping[str, Any]) -> dict[str, Any]:
    """Without the fields that say nothing, so that nothing at all equals an object of empty fields."""
    compared = ((name, comparable(attribute, value.get(name))) for name, attribute in fields.items())
    return {name: item for name, item in compared if item}


def _normal(attribute: Attribute, text: str) -> str:
    return attribute.spelling(text) if attribute.spelling else text


def with_chosen_values(fields: Schema, recorded: Iterable[Any], given: Iterable[Any]) -> list[Any]:
    """Objects as given, with the fields that the server chose (a free host port) taken from the recorded twin."""
    chosen = [name for name, attribute in fields.items() if attribute.computed]
    said = {name: attribute for name, attribute in fields.items() if not attribute.computed}
    completed = []
    for item in given:
        missing = [name for name in chosen if not item.get(name)]
        same = (twin for twin in recorded if _comparable_object(said, twin) == _comparable_object(said, item))
        twin: Mapping[str, Any] = next(same, {})
        completed.append({**item, **{name: twin[name] for name in missing if name in twin}})
    return completed


def record(attribute: Attribute, value: Any) -> Any:
    """An input as the bridge records it in the outputs: without `__defaults`, nested objects with all their fields."""
    if value is None:
        always = attribute.computed or attribute.fields is not None
        if attribute.kind in (Kind.LIST, Kind.SET):
            return [] if always else None
        return False if attribute.kind is Kind.BOOLEAN else None
    match attribute.kind:
        case Kind.OBJECT:
            return _record_object(attribute.fields or {}, value)
        case Kind.LIST | Kind.SET if attribute.fields is not None:
            return [_record_object(attribute.fields, member) for member in value]
    return value


def _record_object(fields: Schema, value: Mapping[str, Any]) -> dict[str, Any]:
    recorded = {}
    for name, attribute in fields.items():
        item = value.get(name)
        absent = _ABSENT_FIELD.get(attribute.kind, lambda: None)
        recorded[name] = absent() if item is None else record(attribute, item)
    return recorded


def recorded_inputs(schema: Schema, inputs: Properties) -> Properties:
    """The outputs that follow from the inputs alone: every property of the type, absent ones as the bridge has them."""
    return {name: record(attribute, inputs.get(name)) for name, attribute in schema.items()}
