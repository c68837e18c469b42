"""The pack in the embedded engine: what it prints about a violating program is what direct calls find."""

import io
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import api, providers
from policies.rules import tokens
from tests.policies.cases import CASES, Case
from tests.policies.harness import Example, Findings, evaluate, remediate

_PACK = Path(__file__).parents[2] / "policies"

# Registers examples as they are, without the SDK classes that spell inputs.
_PROGRAM = """
import json
from pathlib import Path
import pulumi

SIGNATURE = "4dabf18193072939515e22adb298388d"

def value_of(value):
    return pulumi.Output.secret(value["value"]) if isinstance(value, dict) and SIGNATURE in value else value

made = {None: None}
for type, name, inputs, protect, sources, parent in json.loads(Path("examples.json").read_text()):
    if type == "pulumi:pulumi:Stack":
        for key, value in inputs.items():
            pulumi.export(key, value)
    elif type == "strata:slices:Slice":
        made[name] = pulumi.ComponentResource(type, name)
    else:
        inputs = {key: value_of(value) for key, value in inputs.items()}
        inputs |= {key: made[source].id for key, source in sources.items()}
        options = pulumi.ResourceOptions(protect=protect, parent=made[parent])
        made[name] = pulumi.CustomResource(type, name, inputs, options)
"""


class _Permissive:
    """A provider that takes any input as it is. Those that are built in would refuse some violations by themselves."""

    def check(self, call: Any, old_inputs: Any, inputs: Any) -> Any:
        return inputs

    def configure(self, config: Any) -> None: ...

    def close(self) -> None: ...


def _renamed(number: int, case: Case) -> tuple[Example, ...]:
    """Its examples under names and on a server that no other case has, since one program shall hold them all."""

    def rename(name: str) -> str:
        return f"{case}/{name}"

    def of(example: Example) -> Example:
        name = example.inputs.get("name", "")  # one that the provider made begins with the resource's
        inputs = {**example.inputs, "name": rename(name)} if name.startswith(f"{example.name}-") else example.inputs
        if "admin" in inputs:
            inputs = {**inputs, "admin": {**inputs["admin"], "port": inputs["admin"]["port"] + 10_000 * number}}
        if example.type.startswith("kubernetes:"):
            # Each case has a namespace of its own.
            key = "name" if example.type == tokens.NAMESPACE else "namespace"
            metadata = inputs["metadata"]
            if metadata.get("name", "").startswith(f"{example.name}-"):
                metadata = {**metadata, "name": rename(metadata["name"])}
            inputs = {**inputs, "metadata": {**metadata, key: f"{metadata.get(key)}-{number}"}}
        return replace(example, name=rename(example.name), inputs=inputs)

    new = [of(example) for example in case.examples]
    urns = {old.urn: example.urn for old, example in zip(case.examples, new, strict=True)}
    return tuple(
        replace(
            example,
            uses={key: tuple(urns[urn] for urn in found) for key, found in example.uses.items()},
            parent=urns.get(example.parent, ""),
        )
        for example in new
    )


Cases = Mapping[str, tuple[Example, ...]]


def _programs() -> Mapping[str, Cases]:
    """The violating cases, those together that have the same outputs of the stack."""
    found: defaultdict[str, dict[str, tuple[Example, ...]]] = defaultdict(dict)
    for number, case in enumerate(CASES):
        if case.violates:
            outputs = next((example.inputs for example in case.examples if example.type == tokens.STACK), {})
            found[json.dumps(outputs)][str(case)] = _renamed(number, case)
    return found


PROGRAMS = _programs()


def _preview(root: Path, cases: Cases) -> tuple[api.Result, str]:
    """Of one program that holds these cases."""
    (root / "Pulumi.yaml").write_text("name: strata\nruntime: python\n")
    (root / "__main__.py").write_text(_PROGRAM)
    examples = [
        (example.type, example.name, example.inputs, example.protect, _sources(example), _name(example.parent) or None)
        for examples in cases.values()
        for example in examples
    ]
    (root / "examples.json").write_text(json.dumps(examples))
    workspace = api.Workspace(root=root, stack="test", backend_url=(root / "b").as_uri(), passphrase="x")
    options = api.Options(policy_packs=(api.PackChoice(folder=_PACK),))
    out = io.StringIO()
    return api.preview(workspace, options, api.TextDisplay(out)), out.getvalue()


def _sources(example: Example) -> dict[str, str]:
    return {key: _name(urn) for key, (urn,) in example.uses.items()}


def _name(urn: str) -> str:
    return urn.split("::", 3)[-1]


@pytest.mark.parametrize("outputs", PROGRAMS)
def test_it_prints_what_direct_calls_find(outputs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = PROGRAMS[outputs]
    for package in ("docker", "kubernetes", "pulumi-python", "random", "tls"):
        monkeypatch.setitem(providers.OPENERS, package, lambda host: _Permissive())
    result, text = _preview(tmp_path, cases)
    (report,) = result.policies
    assert report.title == "strata@v0.1.0"
    printed: dict[str, Findings] = defaultdict(dict)
    remediated: dict[str, list[str]] = defaultdict(list)
    for finding in report.findings:
        case = _name(finding.urn).rpartition("/")[0] or next(iter(cases))  # about the stack
        if finding.level == "remediate":
            remediated[case].append(finding.policy)
            assert f"[remediate]  {finding.policy}" in text
            continue
        assert finding.level == "mandatory", finding
        printed[case].setdefault(finding.policy, []).append(finding.message.split("\n", 1)[1])
    # What was remediated is found no more.
    mended = {case: [remediate(example) for example in examples] for case, examples in cases.items()}
    assert remediated == {case: names for case, made in mended.items() if (names := [n for _, c in made for n in c])}
    direct = {case: evaluate(*(example for example, _ in made))[0] for case, made in mended.items()}
    assert printed == {case: found for case, found in direct.items() if found}
    messages = [message for found in direct.values() for several in found.values() for message in several]
    assert len(messages) > (40 if outputs == "{}" else 0)
    assert [message for message in messages if message not in text] == []
    assert result.exit_code == 1
