"""Policy packs in a run: what they find, what they refuse, what they change."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine import api
from tests.engine.packs import make_pack
from tests.engine.stack import Run, Stack


@pytest.fixture
def pack(tmp_path: Path) -> api.PackChoice:
    return make_pack(tmp_path / "pack")


def findings(run: Run) -> list[tuple[str, str, str]]:
    """(level, policy, resource) in the order in which they are shown."""
    (report,) = run.result.policies
    found = sorted(report.findings, key=lambda finding: (finding.level, finding.policy, finding.urn))
    return [(finding.level, finding.policy, finding.urn.split("::")[-1]) for finding in found]


def errors(run: Run) -> str:
    return "\n".join(message.text for message in run.result.messages if message.severity == "error")


def test_a_preview_reports_everything_and_ends_with_an_error(stack: Stack, pack: api.PackChoice) -> None:
    done = stack.preview('Thing("a", value=11)\nThing("b", value=6)\nThing("c", value=12)', policy_packs=(pack,))
    assert done.result.exit_code == 1
    assert done.result.changes == {"create": 4}, "a finding must not end a preview"
    assert findings(done) == [
        ("advisory", "modest", "a"),
        ("advisory", "modest", "b"),
        ("advisory", "modest", "c"),
        ("mandatory", "few", "c"),
        ("mandatory", "small", "a"),
        ("mandatory", "small", "c"),
    ]
    assert errors(done) == "3 mandatory policy violations (nothing was changed): see the policies above"


def test_findings_are_shown_as_the_official_cli_shows_them(stack: Stack, pack: api.PackChoice) -> None:
    done = stack.preview('Thing("a", value=11, kind="dear")', policy_packs=(pack,))
    block = done.text.partition("\nPolicies:\n")[2].partition("\n\n")[0]
    assert block.splitlines() == [
        f"    ❌ test-pack@v1.2.3 (local: {pack.folder})",
        "        - [remediate]  cheap  (test:index:Thing (a)) [~kind]",
        "          About cheap.",
        "        - [advisory]  modest  (test:index:Thing (a))",
        "          About modest.",
        "          value: it could be less",
        "        - [mandatory]  small  (test:index:Thing (a))",
        "          About small.",
        "          value: 11 is too much; write at most 10",
    ]


def test_an_update_is_refused_before_anything_is_changed(stack: Stack, pack: api.PackChoice) -> None:
    done = stack.up('Thing("a", value=1)\nThing("b", value=11)', policy_packs=(pack,))
    assert done.result.exit_code == 1
    assert "small" in done.text
    assert stack.cloud.calls() == []
    assert not stack.files.exists()


def test_an_advice_stops_nothing_and_is_given_once(stack: Stack, pack: api.PackChoice) -> None:
    done = stack.up('Thing("a", value=6)', policy_packs=(pack,))
    assert done.result.exit_code == 0, done.text
    assert findings(done) == [("advisory", "modest", "a")]
    assert done.text.count("it could be less") == 1
    assert stack.cloud.calls() == ["create a"]
    unchanged = stack.up(policy_packs=(pack,))
    assert unchanged.result.changes == {"same": 2}
    assert findings(unchanged) == [("advisory", "modest", "a")]


UNKNOWN_UNTIL_DONE = """
    first = Thing("first", value=1)
    size = first.path.apply(len).apply(lambda length: 100 + length)
    """


def test_a_value_that_a_preview_does_not_know_is_advice_then_and_refused_before_its_step(
    stack: Stack, pack: api.PackChoice
) -> None:
    program = UNKNOWN_UNTIL_DONE + 'Thing("second", value=size)'
    planned = stack.preview(program, policy_packs=(pack,))
    assert planned.result.exit_code == 0, planned.text
    assert ("advisory", "small", "second") in findings(planned)
    assert "can't run policy 'small'" in planned.text
    done = stack.up(policy_packs=(pack,))
    assert done.result.exit_code == 1
    assert stack.cloud.calls() == ["create first"]
    assert (
        "test:index:Thing (second):\n    error: refused by the mandatory policy small of test-pack@v1.2.3" in done.text
    )
    assert stack.entry("first").id


def test_a_remediation_replaces_the_inputs_and_is_stable(stack: Stack, pack: api.PackChoice) -> None:
    program = 'Thing("a", kind="dear", password=Output.secret("hush-hush"))'
    planned = stack.preview(program, policy_packs=(pack,))
    assert findings(planned) == [("remediate", "cheap", "a")]
    (thing,) = [step for step in planned.result.steps if step.name == "a"]
    assert thing.new is not None
    done = stack.up(policy_packs=(pack,))
    assert done.result.exit_code == 0, done.text
    assert [thing["kind"] for thing in stack.cloud.things().values()] == ["cheap"]
    assert stack.entry("a").inputs["kind"] == "cheap"
    assert "hush-hush" not in stack.everything_on_disk(), "a remediation made a secret plain"
    assert stack.up(policy_packs=(pack,)).result.changes == {"same": 2}
    without = stack.up()
    assert without.result.changes == {"replace": 1, "same": 1}, "without the pack it is as the program says"
    replaced = stack.up(policy_packs=(pack,))
    assert replaced.result.changes == {"replace": 1, "same": 1}
    assert stack.entry("a").inputs["kind"] == "cheap", "a replacement's inputs are checked anew, and so remediated anew"


def test_a_remediation_cannot_make_a_secret_plain(stack: Stack, tmp_path: Path) -> None:
    pack = make_pack(
        tmp_path / "pack",
        """
        def plain(args):
            if args.resource_type == THING:
                return {"word": "hush-hush", "label": "l"}

        fix = ResourceValidationPolicy("fix", "About fix.", remediate=plain, enforcement_level=LEVELS.REMEDIATE)
        PolicyPack("p", [fix])
        """,
    )
    done = stack.up('Thing("a", word=Output.secret("hush-hush"))', policy_packs=(pack,), details=True)
    assert done.result.exit_code == 0, done.text
    assert "hush-hush" not in stack.everything_on_disk() + done.text


def test_a_stack_policy_that_knows_all_refuses_before_any_change(stack: Stack, pack: api.PackChoice) -> None:
    done = stack.up("for name in 'abc': Thing(name)", policy_packs=(pack,))
    assert done.result.exit_code == 1
    assert findings(done) == [("mandatory", "few", "c")]
    assert stack.cloud.calls() == []


def test_a_stack_policy_about_a_value_not_known_before_is_an_error_at_the_end(stack: Stack, tmp_path: Path) -> None:
    pack = make_pack(
        tmp_path / "pack",
        """
        @stack("no-token")
        def no_token(args, report):
            for resource in args.resources:
                if resource.props.get("token"):
                    report("it has a token")

        PolicyPack("p", [no_token])
        """,
    )
    done = stack.up('Thing("a")', policy_packs=(pack,))
    assert done.result.exit_code == 1
    assert stack.cloud.calls() == ["create a"]
    assert findings(done) == [("mandatory", "no-token", "p-dev")], "without a URN it is about the stack"
    assert errors(done).startswith("1 mandatory policy violation (found after the changes were made)")
    assert stack.entry("a").id, "what was done is recorded"


def test_what_goes_is_not_judged(stack: Stack, pack: api.PackChoice) -> None:
    stack.up('Thing("a")\nThing("b", value=100)')
    done = stack.up('Thing("a")\nThing("c")', policy_packs=(pack,))
    assert done.result.exit_code == 0, done.text
    assert stack.destroy(policy_packs=(pack,)).result.policies == ()


def test_a_finding_that_quotes_a_secret_does_not_show_it(stack: Stack, tmp_path: Path) -> None:
    pack = make_pack(
        tmp_path / "pack",
        """
        @resource("chatty", LEVELS.ADVISORY)
        def chatty(args, report):
            if args.resource_type == THING:
                report(f"the word is {args.props['word']}")

        PolicyPack("p", [chatty])
        """,
    )
    done = stack.up('Thing("a", word=Output.secret("hush-hush"))', policy_packs=(pack,))
    assert done.result.exit_code == 0, done.text
    assert "the word is [secret]" in done.text
    assert "hush-hush" not in done.text + str(done.result.policies)


SEES = """
import json, os
import pulumi

@resource("sees", LEVELS.ADVISORY)
def sees(args, report):
    report(json.dumps({
        "type": args.resource_type,
        "inputs": dict(args.props),
        "protect": args.opts.protect,
        "ignore": list(args.opts.ignore_changes),
        "parent": args.opts.parent,
        "provider": args.provider and args.provider.resource_type,
        "config": pulumi.Config().get("word"),
        "dry": pulumi.runtime.is_dry_run(),
        "stack": pulumi.get_stack(),
    }))

PolicyPack("p", [sees])
"""


def seen(run: Run, name: str) -> Any:
    (finding,) = [
        finding
        for report in run.result.policies
        for finding in report.findings
        if finding.urn.endswith(f"::{name}") and finding.policy == "sees"
    ]
    return json.loads(finding.message.split("\n", 1)[1])


def test_a_pack_is_told_of_every_resource_what_the_official_engine_tells(stack: Stack, tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack", SEES)
    stack.write_config("config:\n  p:word: hello\n")
    program = """
        class Box(ComponentResource):
            def __init__(self, name, **inputs):
                super().__init__("test:index:Box", name, inputs)

        a = Thing("a", ResourceOptions(protect=True, ignore_changes=["label"]), value=Output.secret(1), __note=2)
        Thing("b", of=a)
        Box("box", size=1)
        Box("full", of=a)
        """
    planned = stack.preview(program, policy_packs=(pack,))
    thing = seen(planned, "a")
    label = thing["inputs"].pop("label")
    assert label, "policies see what the provider made of the inputs"
    assert thing == {
        "type": "test:index:Thing",
        "inputs": {"value": 1.0},
        "protect": True,
        "ignore": ["label"],
        "parent": "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev",
        "provider": "pulumi:providers:test",
        "config": "hello",
        "dry": True,
        "stack": "dev",
    }
    assert seen(planned, "box")["inputs"] == {"size": 1.0}
    assert seen(planned, "default")["type"] == "pulumi:providers:test"
    assert seen(planned, "p-dev")["type"] == "pulumi:pulumi:Stack"
    made = stack.up(policy_packs=(pack,))
    assert seen(made, "a")["dry"] is False
    for name in ("b", "full"):
        assert seen(made, name)["inputs"]["of"] == stack.entry("a").id, "an id stands in a resource's place"


def test_two_packs_are_asked_in_their_order(stack: Stack, tmp_path: Path, pack: api.PackChoice) -> None:
    other = make_pack(
        tmp_path / "other",
        """
        @resource("no-cheap-things")
        def no_cheap_things(args, report):
            if args.props.get("kind") == "cheap":
                report("it is cheap")

        PolicyPack("other", [no_cheap_things])
        """,
        "runtime: {name: python}\n",
    )
    done = stack.preview('Thing("a", kind="dear")', policy_packs=(pack, other))
    first, second = done.result.policies
    assert [finding.level for finding in first.findings] == ["remediate"]
    assert second.title == "other@v0.0.1", "without a version of its own, the SDK's"
    assert [(finding.policy, finding.urn.split("::")[-1]) for finding in second.findings] == [("no-cheap-things", "a")]
