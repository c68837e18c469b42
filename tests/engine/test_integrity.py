"""A state that the official CLI would refuse must be refused, and named."""

from dataclasses import replace

import pytest

from engine.integrity import StateError, verify
from engine.state import ResourceState
from tests.engine.states import PROVIDER, ROOT, VOLUME, provider, stack, volume


def test_the_official_rules_hold_for_a_good_state() -> None:
    verify([stack(), provider(), volume(), volume(delete=True)])


PENDING = volume(provider=f"{PROVIDER}::gone", pending_replacement=True)


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ([provider(), volume()], f"its parent {ROOT} is missing"),
        ([provider(), volume(), stack()], f"its parent {ROOT} comes after it"),
        ([stack(), volume()], "its provider .* is not an earlier entry"),
        ([stack(), provider(), volume(provider=f"{PROVIDER}::p-2")], "its provider .*p-2 is not an earlier entry"),
        ([stack(), replace(provider(), urn=VOLUME)], "a provider's URN"),
        ([stack(), provider(), volume(dependencies=("urn:x",))], "its dependency urn:x is missing"),
        ([stack(), provider(), volume(dependencies=(VOLUME,))], f"its dependency {VOLUME} comes after it"),
        ([stack(), provider(), volume(property_dependencies={"a": ("urn:x",)})], r"property dependency \(a\) urn:x"),
        ([stack(), provider(), volume(deleted_with="urn:x")], "its deletedWith urn:x is missing"),
        ([stack(), provider(), volume(replace_with=("urn:x",))], "its replaceWith urn:x is missing"),
        ([replace(stack(), id="x")], "a component .* must not have an id"),
        ([stack(), provider(), volume(), volume()], "two entries of that URN"),
        ([replace(stack(), type="")], "'type' is missing"),
        ([replace(stack(), urn="")], r"resources\[0\]: 'urn' is missing"),
    ],
)
def test_a_broken_rule_is_named(resources: list[ResourceState], message: str) -> None:
    with pytest.raises(StateError, match=message):
        verify(resources)


def test_an_entry_that_waits_for_its_replacement_needs_no_provider() -> None:
    verify([stack(), PENDING])
