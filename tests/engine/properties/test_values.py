"""Any value survives the checkpoint, and what is secret in it stands nowhere in plain."""

import json
from typing import Any

from hypothesis import given

from engine.checkpoint import Writer, decode
from engine.secrets import Vault
from engine.state import ResourceState, Snapshot
from engine.values import Properties, Secret, unwrap
from tests.engine.properties.strategies import properties
from tests.engine.saves import SALT

URN = "urn:pulumi:dev::p::a:b:C::x"


@given(properties, properties)
def test_inputs_and_outputs_survive(inputs: Properties, outputs: Properties) -> None:
    entry = ResourceState(urn=URN, type="a:b:C", custom=True, id="x", inputs=inputs, outputs=outputs)
    vault = Vault(bytes(32), SALT)
    text = Writer("organization/p/dev", vault).encode(Snapshot(resources=(entry,)))
    (read,) = decode(json.loads(text), Vault(bytes(32), SALT)).resources
    assert _shape(read.inputs) == _shape(inputs)
    assert _shape(read.outputs) == _shape(outputs)


def _shape(value: Any) -> Any:
    """Comparable: JSON has one kind of number, and a secret in a secret is nothing more."""
    if isinstance(value, Secret):
        return ("secret", _shape(unwrap(value.value)))
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shape(item) for item in value]
    return ("number", float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value
