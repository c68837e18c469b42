"""The JSON of a run is what `pulumi preview --json` gives, with secrets masked."""

import io
import json
from pathlib import Path
from typing import Any

from engine import api
from tests.engine.packs import make_pack
from tests.engine.stack import Stack


def document(stack: Stack, command: str, program: str, **options: Any) -> Any:
    stack.write(program)
    out = io.StringIO()
    getattr(api, command)(stack.workspace, api.Options(**options), api.JsonDisplay(out))
    return json.loads(out.getvalue())


PROGRAM = """
    a = Thing("a", value=Output.secret("hush-hush"), size=1)
    Thing("b", of=a, kind="x", note="no hush-hush")
    export("x", Output.secret("hush-hush"))
    """


def test_a_preview_tells_configuration_steps_and_their_states(stack: Stack) -> None:
    stack.write_config("config:\n  p:word: hello\n")
    found = document(stack, "preview", PROGRAM)
    assert found["config"] == {"p:word": "hello"}
    assert found["changeSummary"] == {"create": 3}
    assert isinstance(found["duration"], int)
    assert found["duration"] > 1_000_000, "nanoseconds"
    steps = {step["urn"].split("::")[-1]: step for step in found["steps"]}
    assert set(steps) == {"p-dev", "a", "b"}
    assert set(steps["a"]) == {"op", "urn", "provider", "newState"}
    state = steps["a"]["newState"]
    assert {key: state[key] for key in ("urn", "custom", "type", "parent")} == {
        "urn": steps["a"]["urn"],
        "custom": True,
        "type": "test:index:Thing",
        "parent": steps["p-dev"]["urn"],
    }
    assert state["inputs"]["value"] == "[secret]"
    assert steps["b"]["newState"]["dependencies"] == [steps["a"]["urn"]]
    assert found["outputs"] == {"x": "[secret]"}
    assert "hush-hush" not in json.dumps(found)


def test_an_update_has_both_states_and_the_paths_that_differ(stack: Stack) -> None:
    stack.up(PROGRAM)
    found = document(stack, "preview", PROGRAM.replace("size=1", "size=2").replace('kind="x"', 'kind="y"'))
    assert found["changeSummary"] == {"same": 1, "update": 1, "replace": 1}
    assert [step["op"] for step in found["steps"] if step["urn"].endswith("::p-dev")] == ["same"], "as the CLI has it"
    steps = {(step["op"], step["urn"].split("::")[-1]): step for step in found["steps"]}
    update = steps["update", "a"]
    assert update["oldState"]["inputs"]["size"] == 1
    assert update["newState"]["inputs"]["size"] == 2
    assert update["oldState"]["id"] == stack.entry("a").id
    assert update["diffReasons"] == ["size"]
    assert update["detailedDiff"] == {"size": {"kind": "update", "inputDiff": True}}
    replaced = steps["replace", "b"]
    assert replaced["replaceReasons"] == ["kind"]
    assert replaced["detailedDiff"]["kind"] == {"kind": "update-replace", "inputDiff": True}
    assert ("same", "b") not in steps
    assert "hush-hush" not in json.dumps(found)


def test_what_is_done_has_the_outputs(stack: Stack) -> None:
    found = document(stack, "up", PROGRAM)
    (made,) = [step for step in found["steps"] if step["urn"].endswith("::a")]
    assert made["newState"]["id"] == stack.entry("a").id
    assert made["newState"]["outputs"]["path"]
    assert "hush-hush" not in json.dumps(found)


def test_a_deletion_has_only_the_old_state(stack: Stack) -> None:
    stack.up('Thing("a")')
    found = document(stack, "preview", "")
    (gone,) = [step for step in found["steps"] if step["op"] == "delete"]
    assert "newState" not in gone
    assert gone["oldState"]["id"] == stack.entry("a").id


def test_findings_of_policies_are_there(stack: Stack, tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack")
    found = document(stack, "preview", 'Thing("a", value=11, kind="dear")', policy_packs=(pack,))
    (report,) = found["policies"]
    assert (report["policyPackName"], report["policyPackVersion"]) == ("test-pack", "1.2.3")
    assert [policy["description"] for policy in report["policies"]][:2] == ["About small.", "About modest."]
    assert {(entry["policyName"], entry["enforcementLevel"]) for entry in report["violations"]} == {
        ("small", "mandatory"),
        ("modest", "advisory"),
    }
    urn = "urn:pulumi:dev::p::test:index:Thing::a"
    assert report["remediations"] == [{"policyName": "cheap", "resourceUrn": urn, "changed": ["~kind"]}]
    assert {entry["resourceUrn"] for entry in report["violations"]} == {urn}
    assert found["result"] == "failed"
