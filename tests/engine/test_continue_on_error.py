"""`--continue-on-error`: what fails is left out with all that depends on it, and everything else is done."""

from typing import Any

import pytest

from engine.integrity import verify
from tests.engine.cloud import THING
from tests.engine.direct import Direct, Pass, Registering


def run(direct: Direct, program: Any) -> Pass:
    done = direct.run(program, continue_on_error=True)
    for snapshot in done.saved:
        verify(snapshot.resources)
    return done


def names(direct: Direct) -> set[str]:
    return {entry.name for entry in direct.snapshot.resources if entry.type == THING}


def broken(fail: str = "", value: int = 1) -> Any:
    """`b` depends on `a`, `c` on `b`, `z` on nothing; `a` fails."""

    def program(p: Registering) -> None:
        a = p.thing("a", {"value": value, "fail": fail})
        b = p.thing("b", of={"value": a})
        p.thing("c", {"value": value}, after=[b])
        p.thing("z", {"value": value})

    return program


def test_a_failed_creation_leaves_out_what_depends_on_it(direct: Direct) -> None:
    done = run(direct, broken("create"))
    assert done.failed
    assert direct.cloud.calls() == ["create a", "create z"]
    assert done.errors == "cannot create a with 1"
    assert [m.text for m in done.messages if m.severity == "warning"] == [
        "test:index:Thing 'b' is left as it was: a, which it depends on, failed",
        "test:index:Thing 'c' is left as it was: b, which it depends on, failed",
    ]
    assert names(direct) == {"z"}
    assert direct.run(broken()).changes == {"same": 2, "create": 3}


def test_a_failed_update_keeps_the_old_entries(direct: Direct) -> None:
    direct.run(broken())
    run(direct, broken("update", value=2))
    assert direct.cloud.calls() == ["update a", "update z"]
    assert names(direct) == {"a", "b", "c", "z"}
    assert {name: direct.entry(name).inputs["value"] for name in "acz"} == {"a": 1, "c": 1, "z": 2}
    assert not run(direct, broken(value=2)).failed


def test_without_the_option_nothing_new_is_begun(direct: Direct) -> None:
    direct.run(broken("create"))
    assert direct.cloud.calls() == ["create a"]


def test_what_is_removed_is_deleted_unless_something_left_out_refers_to_it(direct: Direct) -> None:
    def program(p: Registering, *, whole: bool) -> None:
        after = [p.thing("needed")] if whole else []
        if whole:
            p.thing("old")
        a = p.thing("a", {"value": 1} if whole else {"value": 2, "fail": "update"}, after=after)
        p.thing("b", after=[a, *after])

    direct.run(lambda p: program(p, whole=True))
    run(direct, lambda p: program(p, whole=False))
    assert direct.cloud.calls() == ["update a", "delete old"]
    assert names(direct) == {"needed", "a", "b"}


def test_a_failed_deletion_leaves_what_it_needs_and_deletes_the_rest(direct: Direct) -> None:
    def program(p: Registering) -> None:
        a = p.thing("a")
        b = p.thing("b", {"fail": "delete"}, after=[a])
        p.thing("c", after=[b])
        p.thing("z", after=[p.thing("y")])

    direct.run(program)
    done = run(direct, None)
    assert done.failed
    assert set(direct.cloud.calls()) == {"delete c", "delete b", "delete z", "delete y"}
    assert names(direct) == {"a", "b"}


@pytest.mark.parametrize("dbr", [True, False])
def test_a_failed_replacement_is_made_good_by_the_next_run(direct: Direct, dbr: bool) -> None:
    def program(kind: str, fail: str = "") -> Any:
        def run(p: Registering) -> None:
            a = p.thing("a", {"kind": kind, "dbr": dbr, "fail": fail})
            p.thing("b", of={"kind": a})
            p.thing("z", {"value": kind})

        return run

    direct.run(program("x"))
    run(direct, program("y", "create"))
    assert "update z" in direct.cloud.calls()
    assert direct.entry("a").pending_replacement == dbr
    assert names(direct) == {"a", "b", "z"}
    assert not run(direct, program("y")).failed
    assert set(direct.cloud.things()) == {direct.entry(name).id for name in "abz"}
    assert direct.run(program("y")).changes == {"same": 4}


def test_a_dependent_that_cannot_be_deleted_keeps_what_it_depends_on(direct: Direct) -> None:
    def program(kind: str, fail: str = "") -> Any:
        def run(p: Registering) -> None:
            a = p.thing("a", {"kind": kind, "dbr": True})
            p.thing("b", {"fail": fail}, of={"kind": a})
            p.thing("z", {"value": kind})

        return run

    direct.run(program("x", "delete"))
    done = run(direct, program("y"))
    assert direct.cloud.calls() == ["delete b", "update z"]
    assert "cannot delete b" in done.errors
    assert "it must be replaced, and what depends on it could not be deleted first" in done.errors
    assert direct.entry("a").inputs["kind"] == "x"


def test_a_dependent_that_was_not_deleted_is_not_made_anew(direct: Direct) -> None:
    """In the program it no longer depends on what is replaced."""
    direct.run(lambda p: p.thing("b", {"fail": "delete"}, of={"kind": p.thing("a", {"kind": "x", "dbr": True})}))
    path = direct.entry("b").inputs["kind"]
    run(direct, lambda p: (p.thing("a", {"kind": "y", "dbr": True}), p.thing("b", {"fail": "delete", "kind": path})))
    assert direct.cloud.calls() == ["delete b"]
    assert len(direct.cloud.things()) == 2


def test_a_partly_failed_creation_leaves_out_what_depends_on_it_and_is_recorded(direct: Direct) -> None:
    run(direct, broken("partly"))
    assert direct.cloud.calls() == ["create a", "create z"]
    assert direct.entry("a").init_errors == ("a is not ready",)
    assert run(direct, broken()).changes == {"same": 2, "update": 1, "create": 2}


def test_a_refusal_that_only_the_real_run_meets_leaves_the_others_alone(direct: Direct) -> None:
    run(direct, lambda p: (p.thing("a", {"value": "refused"}), p.thing("z")))
    assert direct.cloud.calls() == ["create z"]
    refused = direct.run(lambda p: (p.thing("a", {"value": "refused"}), p.thing("y")), dry=True, continue_on_error=True)
    assert refused.failed
    assert refused.changes == {"same": 1}


def test_exports_that_are_not_known_keep_their_old_values(direct: Direct) -> None:
    def program(fail: str, **more: Any) -> Any:
        def run(p: Registering) -> None:
            a = p.thing("a", {"value": 1, "fail": fail, **more})
            z = p.thing("z", {"value": fail})
            p.outputs(p.stack, {"a": p.value(a), "z": z.outputs["value"], **({"old": 1} if not fail else {})})

        return run

    direct.run(program(""))
    path = direct.snapshot.stack_outputs["a"]
    run(direct, program("update", more=1))
    assert direct.snapshot.stack_outputs == {"a": path, "z": "update", "old": 1}
    direct.run(program("x"))
    assert direct.snapshot.stack_outputs == {"a": path, "z": "x"}


def test_a_program_that_fails_keeps_the_exports_that_it_did_not_come_to(direct: Direct) -> None:
    def failing(p: Registering) -> None:
        p.outputs(p.stack, {"a": 2})
        p.thing("x", {"fail": "create"})

    direct.run(lambda p: p.outputs(p.stack, {"a": 1, "b": 1}))
    direct.run(failing)
    assert direct.snapshot.stack_outputs == {"a": 2, "b": 1}
