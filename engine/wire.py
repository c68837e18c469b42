"""Property values in protobuf, as programs and provider processes send and receive them."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2

from engine.values import OUTPUT_VALUE, SECRET, SIGNATURE, UNKNOWN, UNKNOWN_TEXT, Properties, Secret


def from_wire(value: struct_pb2.Value) -> Any:
    """The engine's form of a protobuf value. Wire numbers are doubles: whole ones become int, as JSON writes them."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _from_object(from_struct(value.struct_value))
    if kind == "list_value":
        return [from_wire(item) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
    if kind == "number_value":
        return int(value.number_value) if value.number_value.is_integer() else value.number_value
    return value.bool_value if kind == "bool_value" else None


def _from_object(items: Properties) -> Any:
    signature = items.get(SIGNATURE)
    if signature == SECRET:
        return Secret(items.get("value"))
    if signature == OUTPUT_VALUE:
        inner = items.get("value", UNKNOWN)
        return Secret(inner) if items.get("secret") else inner
    return items


def from_struct(struct: struct_pb2.Struct) -> Properties:
    return {key: from_wire(item) for key, item in struct.fields.items()}


def to_wire(value: Any) -> struct_pb2.Value:
    """The protobuf form, with secrets wrapped and unknowns as Pulumi's marker text."""
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=UNKNOWN_TEXT)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, Secret):
        return to_wire({SIGNATURE: SECRET, "value": value.value})
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=to_struct(value))
    if isinstance(value, list | tuple):
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[to_wire(item) for item in value]))
    raise TypeError(f"a {type(value).__name__} is not a property value")


def to_struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    return struct_pb2.Struct(fields={key: to_wire(item) for key, item in properties.items()})
