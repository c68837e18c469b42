"""Which policy packs a command runs, and what the official CLI is told of them."""

from pathlib import Path

import pytest

from cli import policies
from cli.engines import Options
from cli.errors import CliError
from cli.official import OfficialCli
from cli.terminal import Terminal
from engine.policy_pack import PackChoice
from infra.workspace import Workspace
from tests.unit.test_cli_engines import put, whole_cli, workspace

__all__ = ["whole_cli", "workspace"]  # fixtures


@pytest.fixture
def own(workspace: Workspace) -> Path:
    """The project's own pack."""
    put(workspace.root / "policies" / "PulumiPolicy.yaml", "runtime: python\n")
    return workspace.root / "policies"


def test_the_projects_own_pack_is_run_unless_another_is_named(workspace: Workspace, own: Path, tmp_path: Path) -> None:
    assert policies.choose(workspace, [], []) == (PackChoice(folder=own),)
    put(tmp_path / "other" / "PulumiPolicy.yaml")
    assert policies.choose(workspace, [tmp_path / "other"], []) == (PackChoice(folder=tmp_path / "other"),)


def test_a_project_without_a_pack_runs_none(workspace: Workspace) -> None:
    assert policies.choose(workspace, [], []) == ()


def test_a_configuration_belongs_to_the_pack_in_its_place(workspace: Workspace, own: Path, tmp_path: Path) -> None:
    put(tmp_path / "other" / "PulumiPolicy.yaml")
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    put(first)
    put(second)
    assert policies.choose(workspace, [], [first]) == (PackChoice(folder=own, config=first),)
    assert policies.choose(workspace, [own, tmp_path / "other"], [first, second]) == (
        PackChoice(folder=own, config=first),
        PackChoice(folder=tmp_path / "other", config=second),
    )


def test_mistakes_are_named(workspace: Workspace, tmp_path: Path) -> None:
    config = tmp_path / "1.json"
    put(config)
    with pytest.raises(CliError, match="given 1 times, for 0 policy packs"):
        policies.choose(workspace, [], [config])
    with pytest.raises(CliError, match=r"--policy-pack .*: there is no PulumiPolicy\.yaml in that folder"):
        policies.choose(workspace, [tmp_path], [])
    put(tmp_path / "other" / "PulumiPolicy.yaml")
    with pytest.raises(CliError, match=r"--policy-pack-config .*2\.json: there is no such file"):
        policies.choose(workspace, [tmp_path / "other"], [tmp_path / "2.json"])


def test_the_official_cli_is_given_the_same(
    workspace: Workspace, whole_cli: Path, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    packs = (PackChoice(folder=own.relative_to(tmp_path), config=Path("1.json")),)
    OfficialCli(workspace, Terminal(json_output=True)).up(Options(policy_packs=packs, json_output=True))
    record = (tmp_path / "record").read_text()
    assert f" --policy-pack {own} --policy-pack-config {tmp_path}/1.json --json\n" in record
