"""What is recorded as an exception excuses what it names, for as long as it says, and nothing else."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from policies.rules import RULES, exceptions
from policies.rules.exceptions import ExceptionsError, Recorded
from tests.policies.cases import CASES, Case
from tests.policies.harness import evaluate

ENTRY = """
- rule: public-bucket
  resources: shop-object-store-public-*
  reason: Pictures of what is for sale
  owner: owner of the shop
  expires: 2030-01-31
"""
LAST_DAY = date(2030, 1, 31)
NAMES = [rule.name for rule in RULES]


def load(tmp_path: Path, text: str) -> tuple[Recorded, ...]:
    file = tmp_path / "exceptions.yaml"
    file.write_text(text, encoding="utf-8")
    return exceptions.load(NAMES, file)


def test_an_entry_holds_until_its_last_day(tmp_path: Path) -> None:
    recorded = load(tmp_path, ENTRY)
    assert exceptions.active(recorded, LAST_DAY) == recorded
    assert exceptions.active(recorded, LAST_DAY + timedelta(days=1)) == ()


def test_an_entry_excuses_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    (recorded,) = load(tmp_path, ENTRY)
    assert recorded.excuses("public-bucket", "shop-object-store-public-pictures")
    assert not recorded.excuses("public-bucket", "shop-object-store-bucket-pictures")
    assert not recorded.excuses("bucket-keeps-versions", "shop-object-store-public-pictures")


@pytest.mark.parametrize("case", [case for case in CASES if case.violates], ids=str)
def test_every_rule_knows_exceptions(case: Case) -> None:
    """Of a resource, and of the whole stack, whose findings have the resource in their URN."""
    named = [example.name for example in case.examples]
    recorded = [Recorded(rule=case.rule, resources=name, reason="r", owner="o", expires=LAST_DAY) for name in named]
    assert evaluate(*case.examples, exceptions=recorded) == ({}, set())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("- rule", "rule"), "cannot be read"),
        ((ENTRY, "rule: x"), "write a list"),
        (("reason:", "reasons:"), "entry 1: needs exactly rule, resources, reason, owner, expires"),
        (("rule: public-bucket", "rule: public"), "there is no rule public. There are: "),
        (("shop-object-store-public-*", '"*"'), "would end the rule"),
        (("2030-01-31", "soon"), "expires must be a day, such as"),
        (("owner of the shop", '""'), "owner must be a text"),
    ],
)
def test_a_mistake_is_named_and_no_entry_counts(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    with pytest.raises(ExceptionsError, match=r"exceptions\.yaml") as caught:
        load(tmp_path, ENTRY.replace(*change))
    assert says in str(caught.value)
