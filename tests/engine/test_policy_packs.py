"""Packs that cannot be asked, and their configuration: never a silent pass, always one clear error."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from engine import api
from engine.errors import EngineError
from engine.policy_config import reconcile
from engine.policy_pack import read_config
from engine.proto import analyzer_pb2
from tests.engine.packs import make_pack
from tests.engine.stack import Stack

ONE = """
@resource("never")
def never(args, report):
    {body}

PolicyPack("p", [never])
"""
OFFENDING = 'Thing("a", value=11, kind="dear")'


@pytest.mark.parametrize(
    ("command", "policies", "text"),
    [
        ("preview", "this is no Python", "did not start (exit code 1): SyntaxError: invalid syntax"),
        ("up", "raise ValueError('broken')", "did not start (exit code 1): ValueError: broken"),
        ("up", "", "did not start (exit code 0): its __main__.py has to make a pulumi_policy.PolicyPack"),
        ("preview", ONE.format(body="raise KeyError('ink')"), "failed on pulumi:pulumi:Stack 'p-dev': 'ink'"),
        ("preview", ONE.format(body="import os; os._exit(3)"), "ended (exit code 3)"),
        ("up", ONE.format(body="import os; os._exit(3)"), "ended (exit code 3)"),
    ],
)
def test_a_pack_that_cannot_be_asked_refuses_everything(
    stack: Stack, tmp_path: Path, command: str, policies: str, text: str
) -> None:
    pack = make_pack(tmp_path / "pack", policies)
    stack.write('Thing("a")')
    done = getattr(stack, command)(policy_packs=(pack,))
    assert done.result.exit_code == 1
    errors = [message.text for message in done.result.messages if message.severity == "error"]
    assert len(errors) == 1, errors
    assert f"pack {pack.folder} {text}" in errors[0]
    assert stack.cloud.calls() == []
    assert not stack.files.exists()


def test_a_policy_that_fails_leaves_its_traceback(stack: Stack, tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack", ONE.format(body="raise KeyError('ink')"))
    done = stack.preview('Thing("a")', policy_packs=(pack,))
    assert "in never" in done.text


def test_a_pack_that_ends_in_the_real_pass_stops_it(stack: Stack, tmp_path: Path) -> None:
    """Killed between two resources: the second is not made without a word about it."""
    body = "import os; args.resource_type == THING and args.props.get('value') == 'end' and os._exit(3)"
    pack = make_pack(tmp_path / "pack", ONE.format(body=body))
    program = """
        first = Thing("first")
        Thing("second", value=first.path.apply(lambda path: "end"))
        """
    done = stack.up(program, policy_packs=(pack,))
    assert done.result.exit_code == 1
    assert "ended (exit code 3)" in done.text
    assert stack.cloud.calls() == ["create first"]


@pytest.mark.parametrize(
    ("project", "text"),
    [
        (None, "no policy pack in {folder}: there is no PulumiPolicy.yaml"),
        ("runtime: nodejs\n", "{folder}/PulumiPolicy.yaml:1: runtime 'nodejs': the embedded engine runs 'python'"),
        ("runtime: {name: python, options: {virtualenv: gone}}\n", "gone, which has no bin/python: create it"),
        ("version: [1]\nruntime: python\n", "{folder}/PulumiPolicy.yaml:1: 'version' must be text"),
    ],
)
def test_a_folder_that_is_no_pack_is_named(stack: Stack, tmp_path: Path, project: str | None, text: str) -> None:
    pack = make_pack(tmp_path / "pack", project=project or "")
    if project is None:
        (pack.folder / "PulumiPolicy.yaml").unlink()
    with pytest.raises(api.EngineError) as refused:
        stack.preview('Thing("a")', policy_packs=(pack,))
    assert text.format(folder=pack.folder) in str(refused.value)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"small": "advisory"}, [("advisory", "modest"), ("advisory", "small"), ("remediate", "cheap")]),
        ({"small": {"limit": 20}, "cheap": "disabled"}, [("advisory", "modest")]),
        ({"all": "disabled", "modest": {"enforcementLevel": "mandatory"}}, [("mandatory", "modest")]),
    ],
    ids=str,
)
def test_a_file_lowers_and_raises_policies(
    stack: Stack, tmp_path: Path, config: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    file = tmp_path / "policies.json"
    file.write_text(json.dumps(config))
    pack = replace(make_pack(tmp_path / "pack"), config=file)
    done = stack.preview(OFFENDING, policy_packs=(pack,))
    (report,) = done.result.policies
    assert sorted((finding.level, finding.policy) for finding in report.findings) == expected
    assert done.result.exit_code == any(level == "mandatory" for level, _ in expected)


def test_a_mistake_in_that_file_ends_the_run(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "policies.json"
    file.write_text('{"smal": "advisory"}')
    pack = replace(make_pack(tmp_path / "pack"), config=file)
    done = stack.up('Thing("a")', policy_packs=(pack,))
    assert done.result.exit_code == 1
    assert f"{file}: the policy pack test-pack has no policy smal; it has: cheap, few, modest, small" in done.text
    assert stack.cloud.calls() == []


INFO = analyzer_pb2.AnalyzerInfo(name="p", supportsConfig=True)
json_format.ParseDict(
    {
        "initialConfig": {"tuned": {"enforcementLevel": "DISABLED", "properties": {"colour": "red"}}},
        "policies": [
            {"name": "plain", "enforcementLevel": "MANDATORY"},
            {
                "name": "tuned",
                "enforcementLevel": "MANDATORY",
                "configSchema": {
                    "properties": {
                        "limit": {"type": "integer", "default": 3},
                        "colour": {"enum": ["red", "green"]},
                        "on": {"type": "boolean"},
                    },
                    "required": ["on"],
                },
            },
        ],
    },
    INFO,
)


def reconciled(tmp_path: Path, text: str) -> dict[str, analyzer_pb2.PolicyConfig]:
    file = tmp_path / "policies.json"
    file.write_text(text)
    return reconcile(INFO, read_config(file), file)


def test_defaults_initial_values_and_the_file_come_in_this_order(tmp_path: Path) -> None:
    found = reconciled(tmp_path, '{"tuned": {"on": true, "colour": "green"}, "all": "advisory"}')
    assert found["plain"].enforcementLevel == analyzer_pb2.ADVISORY
    assert found["tuned"].enforcementLevel == analyzer_pb2.ADVISORY
    assert dict(found["tuned"].properties) == {"limit": 3, "colour": "green", "on": True}
    own = reconciled(tmp_path, '{"tuned": {"on": false}}')
    assert own["plain"].enforcementLevel == analyzer_pb2.MANDATORY
    assert own["tuned"].enforcementLevel == analyzer_pb2.DISABLED
    assert own["tuned"].properties["colour"] == "red"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not valid JSON"),
        ("[]", 'write an object such as {"<policy>": "advisory"}'),
        ('{"plain": "strict"}', "'plain': 'strict' is no enforcement level; write one of: advisory, mandatory"),
        ('{"plain": 1}', "'plain' must be a level"),
        ('{"environments": ["a"]}', "'environments' needs Pulumi Cloud"),
        ("", "'tuned': on is required"),
        ('{"tuned": {"on": true, "limit": "ten"}}', "'tuned': limit must be of type integer"),
        ('{"tuned": {"on": true, "limit": 1.5}}', "'tuned': limit must be of type integer"),
        ('{"tuned": {"on": true, "colour": "blue"}}', "'tuned': colour must be one of: red, green"),
    ],
)
def test_a_mistake_in_that_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(EngineError) as refused:
        reconciled(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'policies.json'}: ")
    assert says in str(refused.value)


def test_a_pack_ends_with_the_engine(stack: Stack, tmp_path: Path) -> None:
    """Even if the engine is killed: a pack that stays would be one process more with every interrupted run."""
    pid = tmp_path / "pid"
    policies = f"import os\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\n" + ONE.format(body="pass")
    pack = make_pack(tmp_path / "pack", policies)
    gate = tmp_path / "a.gate"
    run = stack.start("up", f'Thing("a", at="create", gate={str(gate)!r})', policy_pack=pack.folder)
    run.wait_for(gate.with_suffix(".reached"))
    process = int(pid.read_text())
    os.kill(process, 0)
    run.kill()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and is_running(process):
        time.sleep(0.02)
    assert not is_running(process)


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
