"""Under which former names a resource is looked for. A wrong answer replaces what holds data."""

import pytest

from engine.aliases import Alias, former_urns
from tests.engine.direct import Direct, Registering

PREFIX = "urn:pulumi:dev::shop::"
WEB = f"{PREFIX}my:index:Web::web"
SITE = f"{PREFIX}my:index:Site::site"
CHILD = f"{PREFIX}my:index:Web$a:b:C::web-data"


@pytest.mark.parametrize(
    ("alias", "former"),
    [
        (Alias(name="old"), f"{PREFIX}my:index:Web$a:b:C::old"),
        (Alias(type="a:b:Old"), f"{PREFIX}my:index:Web$a:b:Old::web-data"),
        (Alias(no_parent=True), f"{PREFIX}a:b:C::web-data"),
        (Alias(parent=SITE), f"{PREFIX}my:index:Site$a:b:C::web-data"),
        (Alias(parent=f"{PREFIX}pulumi:pulumi:Stack::shop-dev"), f"{PREFIX}a:b:C::web-data"),
        (Alias(project="old", stack="prod"), "urn:pulumi:prod::old::my:index:Web$a:b:C::web-data"),
        (Alias(urn="urn:x"), "urn:x"),
        ("urn:x", "urn:x"),
    ],
)
def test_what_an_alias_does_not_say_is_as_it_is_now(alias: Alias | str, former: str) -> None:
    assert list(former_urns(CHILD, WEB, (alias,), {})) == [former]


def test_children_follow_the_former_parent_and_its_name() -> None:
    used = {WEB: f"{PREFIX}my:index:Old::app"}
    assert list(former_urns(CHILD, WEB, (Alias(name="web-db"), Alias(name="x")), used)) == [
        f"{PREFIX}my:index:Web$a:b:C::web-db",
        f"{PREFIX}my:index:Web$a:b:C::x",
        f"{PREFIX}my:index:Old$a:b:C::app-data",
        f"{PREFIX}my:index:Old$a:b:C::app-db",
        f"{PREFIX}my:index:Old$a:b:C::x",
    ]


def test_an_alias_of_a_parent_that_has_an_alias() -> None:
    used = {SITE: f"{PREFIX}my:index:Old::old"}
    assert list(former_urns(CHILD, WEB, (Alias(parent=SITE),), used)) == [f"{PREFIX}my:index:Old$a:b:C::web-data"]


@pytest.mark.parametrize("taker", ["second", "old"])
def test_one_entry_is_taken_over_once(direct: Direct, taker: str) -> None:
    """Which of two would get it is a matter of chance, and the other would be made anew, without its data."""
    direct.run(lambda p: p.thing("old"))
    urn = direct.entry("old").urn

    def program(p: Registering) -> None:
        p.thing(taker, aliases=() if taker == "old" else (urn,))
        p.thing("new", aliases=(urn,))

    refused = direct.run(program, dry=True)
    assert f"'new' has the alias {urn}, which " in refused.errors
    assert f"Thing::{taker} has taken over already" in refused.errors
