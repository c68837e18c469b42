"""Pulumi.yaml means what it means to the official CLI, and its mistakes have a line."""

import sys
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.project import load_project
from tests.engine.projects import project


def test_the_parts_of_a_project(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        head="name: shop\ndescription: All\nmain: infra\nstackConfigDir: stacks\n"
        "runtime:\n  name: python\n  options: {virtualenv: .venv, toolchain: pip}\n",
    )
    assert (found.name, found.root, found.program, found.virtualenv) == (
        "shop",
        tmp_path,
        tmp_path / "infra",
        tmp_path / ".venv",
    )
    assert found.config_file("dev") == tmp_path / "stacks/Pulumi.dev.yaml"
    with pytest.raises(EngineError, match=rf"{tmp_path}/\.venv, which has no bin/python"):
        _ = found.python
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").touch()
    assert found.python == tmp_path / ".venv/bin/python"
    assert project(tmp_path).python == Path(sys.executable)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [\n", r"Pulumi\.yaml:2: not valid YAML"),
        ("runtime: python\n", r"Pulumi\.yaml: 'name' must be text"),
        ("name: 5\nruntime: python\n", r"Pulumi\.yaml:1: 'name' must be text"),
        ("name: a\nname: b\n", r"Pulumi\.yaml:2: 'name' is given twice, first in line 1"),
        ("name: a/b\nruntime: python\n", r"Pulumi\.yaml:1: 'name'"),
        ("- a\n", r"Pulumi\.yaml: expected a mapping"),
        ("name: a\nruntime: nodejs\n", r"Pulumi\.yaml:2: runtime 'nodejs'.*'python' programs only"),
        ("name: a\n\nruntime:\n  name: python\n  options:\n    toolchain: uv\n", r"Pulumi\.yaml:6: .*toolchain"),
        ("name: a\nruntime: python\nmain: [x]\n", r"Pulumi\.yaml:3: 'main' must be text"),
        ("name: a\nruntime: python\nconfig: stacks\n", r"Pulumi\.yaml:3: .*stackConfigDir"),
    ],
)
def test_a_mistake_in_a_project_has_its_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(text)
    with pytest.raises(EngineError, match=message):
        load_project(tmp_path)


def test_no_project_is_said(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=rf"no Pulumi\.yaml in {tmp_path}"):
        load_project(tmp_path)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("  a: {type: number}\n", r":4: 'a': unknown type 'number'; known: string, integer, boolean, object, array"),
        ("  b: 1\n  aws:region: {type: string}\n", r":5: 'aws:region' is of another namespace"),
        ("  aws:region: {default: x}\n", r":4: 'aws:region': 'default'"),
        ("  aws:region: {description: x}\n", r":4: 'aws:region' .* must give a 'value'"),
        ("  a: {type: array}\n", r":4: 'a': an array must declare the type of its 'items'"),
        ("  a: {type: array, items: {type: integer}, default: [x]}\n", r":4: 'a': .*not of type array<integer>"),
        ("  a: {default: 1, value: 2}\n", r":4: 'a': 'default'"),
        ("  a: 1\n  shop:a: 2\n", r":5: 'shop:a' is declared twice"),
        ("  a:b:c:d: 1\n", r":4: 'a:b:c:d' is no configuration key"),
    ],
)
def test_a_mistake_in_a_declaration_has_its_line(config: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=message):
        project(tmp_path, config)
