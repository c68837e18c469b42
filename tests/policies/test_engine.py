"""The pack in the embedded engine: what it prints about a violating program is what direct calls find."""

import io
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import api, providers
from tests.policies.cases import CASES, Case
from tests.policies.harness import Example, Findings, evaluate

_PACK = Path(__file__).parents[2] / "policies"

# Registers examples as they are, without the SDK classes that spell inputs.
_PROGRAM = """
import json
from pathlib import Path
import pulumi

made = {}
for type, name, inputs, protect, sources in json.loads(Path("examples.json").read_text()):
    inputs |= {key: made[source].id for key, source in sources.items()}
    made[name] = pulumi.CustomResource(type, name, inputs, pulumi.ResourceOptions(protect=protect))
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
        uses = {key: tuple(rename(urn) for urn in urns) for key, urns in example.uses.items()}
        return replace(example, name=rename(example.name), inputs=inputs, uses=uses)

    new = [of(example) for example in case.examples]
    urns = {f"{case}/{old.urn}": example.urn for old, example in zip(case.examples, new, strict=True)}
    return tuple(
        replace(example, uses={key: tuple(urns[u] for u in found) for key, found in example.uses.items()})
        for example in new
    )


VIOLATIONS = {str(case): _renamed(number, case) for number, case in enumerate(CASES) if case.violates}


def _preview(root: Path) -> tuple[api.Result, str]:
    """Of one program that holds every violating case."""
    (root / "Pulumi.yaml").write_text("name: strata\nruntime: python\n")
    (root / "__main__.py").write_text(_PROGRAM)
    examples = [
        (example.type, example.name, example.inputs, example.protect, _sources(example))
        for examples in VIOLATIONS.values()
        for example in examples
    ]
    (root / "examples.json").write_text(json.dumps(examples))
    workspace = api.Workspace(root=root, stack="test", backend_url=(root / "b").as_uri(), passphrase="x")
    options = api.Options(policy_packs=(api.PackChoice(folder=_PACK),))
    out = io.StringIO()
    return api.preview(workspace, options, api.TextDisplay(out)), out.getvalue()


def _sources(example: Example) -> dict[str, str]:
    return {key: urn.split("::", 3)[-1] for key, (urn,) in example.uses.items()}


def test_it_prints_what_direct_calls_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("docker", "pulumi-python", "random"):
        monkeypatch.setitem(providers.OPENERS, package, lambda host: _Permissive())
    result, text = _preview(tmp_path)
    (report,) = result.policies
    assert report.title == "strata@v0.1.0"
    printed: dict[str, Findings] = defaultdict(dict)
    for finding in report.findings:
        assert finding.level == "mandatory", finding
        case = finding.urn.split("::", 3)[-1].rpartition("/")[0]
        printed[case].setdefault(finding.policy, []).append(finding.message.split("\n", 1)[1])
    direct = {case: evaluate(*examples)[0] for case, examples in VIOLATIONS.items()}
    assert printed == direct
    messages = [message for found in direct.values() for several in found.values() for message in several]
    assert len(messages) > 40
    assert [message for message in messages if message not in text] == []
    assert result.exit_code == 1
