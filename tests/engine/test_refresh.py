"""Drift: what was changed or removed behind the engine's back, and what the state says of it after a refresh."""

import json

import pytest

from engine.errors import EngineError
from tests.engine.stack import Stack

PROGRAM = """
server = Thing("server", value=1, label="1")
login = Thing("login", value=Output.secret("hidden!"), behind="server", opts=ResourceOptions(deleted_with=server))
data = Thing("data", value=2, behind="server", opts=ResourceOptions(depends_on=[server, login], retain_on_delete=True))
other = Thing("other", value=3)
"""


def remove(stack: Stack, name: str) -> None:
    (stack.cloud.folder / f"{stack.entry(name).id}.json").unlink()


def change(stack: Stack, name: str, **values: object) -> None:
    path = stack.cloud.folder / f"{stack.entry(name).id}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def names(stack: Stack) -> set[str]:
    return {entry.name for entry in stack.snapshot.resources if entry.type == "test:index:Thing"}


def test_what_is_as_recorded_stays_as_it_is(stack: Stack) -> None:
    stack.up(PROGRAM)
    done = stack.refresh()
    assert done.result.changes == {"same": 5}, done.text
    assert stack.cloud.calls() == []
    assert stack.up().result.changes == {"same": 5}


def test_what_is_gone_leaves_the_state_and_up_makes_it_again(stack: Stack) -> None:
    stack.up(PROGRAM)
    remove(stack, "login")
    done = stack.refresh()
    assert done.result.changes == {"delete": 1, "same": 4}, done.text
    assert "login deleted" in done.text
    assert names(stack) == {"server", "data", "other"}
    assert not [urn for urn in stack.entry("data").dependencies if urn.endswith("::login")]
    assert stack.up().result.changes == {"create": 1, "same": 4}


def test_what_was_changed_is_recorded_and_shown_without_its_secret(stack: Stack) -> None:
    stack.up(PROGRAM)
    change(stack, "login", value="changed by hand")
    done = stack.refresh()
    assert "login updated" in done.text
    assert "[diff: ~value]" in done.text
    assert stack.entry("login").outputs["value"].value == "changed by hand"
    assert "changed by hand" not in done.text + stack.everything_on_disk()


def test_an_unanswered_read_leaves_the_state_byte_for_byte(stack: Stack) -> None:
    stack.up(PROGRAM)
    remove(stack, "other")
    (stack.cloud.folder / "down").touch()
    before = stack.files.path.read_bytes()
    for failed in (stack.refresh(), stack.up(refresh=True), stack.preview(refresh=True)):
        assert failed.result.exit_code == 1
        assert "server does not answer" in failed.text
        assert stack.files.path.read_bytes() == before


def test_up_repairs_what_is_behind_a_thing_that_is_gone(stack: Stack) -> None:
    """Neither `login` nor `data` can be asked: one went with the server, the other may have stayed."""
    stack.up(PROGRAM)
    remove(stack, "server")
    remove(stack, "login")
    change(stack, "data", value="by hand")
    done = stack.up(refresh=True)
    assert done.result.exit_code == 0, done.text
    assert set(stack.cloud.calls()) == {"create server", "create login"}
    assert stack.entry("data").outputs["value"] == "by hand", "it was not read once the server was there again"
    assert stack.up(refresh=True, expect_no_changes=True).result.exit_code == 0


def test_up_makes_again_what_turns_out_to_be_gone_with_its_server(stack: Stack) -> None:
    stack.up(PROGRAM)
    remove(stack, "server")
    remove(stack, "data")
    done = stack.up(refresh=True)
    assert done.result.exit_code == 0, done.text
    assert "create data" in stack.cloud.calls()
    assert names(stack) == {"server", "login", "data", "other"}
    assert not any(entry.pending_replacement for entry in stack.snapshot.resources)


def test_what_is_behind_a_gone_thing_does_not_keep_destroy_from_ending(stack: Stack) -> None:
    stack.up(PROGRAM)
    remove(stack, "server")
    assert stack.refresh().result.exit_code == 0
    assert names(stack) == {"data", "other"}
    assert stack.destroy().result.exit_code == 0
    assert "delete login" not in stack.cloud.calls()


def test_preview_refreshes_in_memory_only(stack: Stack) -> None:
    stack.up(PROGRAM)
    remove(stack, "other")
    before = stack.files.path.read_bytes()
    planned = stack.preview(refresh=True)
    assert planned.result.changes == {"create": 1, "same": 4}, planned.text
    assert "refresh: test:index:Thing other: it is gone" in planned.text
    assert stack.files.path.read_bytes() == before


def test_nothing_is_recorded_without_a_yes(stack: Stack) -> None:
    stack.up(PROGRAM)
    remove(stack, "other")
    before = stack.files.path.read_bytes()
    stack.refresh(confirm=lambda result: False)
    assert stack.files.path.read_bytes() == before


def test_a_read_without_complaint_settles_an_earlier_partial_failure(stack: Stack) -> None:
    stack.up('Thing("a", fail="partly")')
    assert stack.entry("a").init_errors == ("a is not ready",)
    stack.refresh()
    assert stack.entry("a").init_errors == ()
    assert stack.up(expect_no_changes=True).result.exit_code == 0


def test_a_refresh_is_in_the_history(stack: Stack) -> None:
    stack.up(PROGRAM)
    stack.refresh()
    kinds = [json.loads(path.read_text())["kind"] for path in stack.backend.rglob("*.history.json")]
    assert sorted(kinds) == ["refresh", "update"]


def test_a_stack_that_is_not_there_is_named(stack: Stack) -> None:
    with pytest.raises(EngineError, match="no stack named 'dev'"):
        stack.refresh()
