"""`strata graph`: where the picture goes."""

import json
import webbrowser
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from infra import reader
from infra.contract import BACKENDS, StackContract
from tests.unit import contracts

SECRET = "correct horse battery staple"


@pytest.fixture
def strata(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `strata graph` on the sample contract; exit code, stdout, stderr."""

    def load(workspace: object) -> StackContract:
        return contracts.contract(SECRET)

    monkeypatch.setattr(reader, "load_from", load)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(Path(__file__).parents[2])

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["strata", "graph", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def test_the_command_writes_where_it_says(strata: Any, tmp_path: Path) -> None:
    default = tmp_path / "strata" / "graph" / "dev.html"
    assert strata() == (0, f"{default}\n", "")
    assert ET.fromstring(default.read_text()).tag == "html"  # noqa: S314 - our own
    chosen = tmp_path / "picture.html"
    assert strata("--output", str(chosen))[:2] == (0, f"{chosen}\n")
    assert strata("--output", "-")[1] == chosen.read_text()
    code, _, says = strata("--output", str(tmp_path / "missing" / "picture.html"))
    assert code == 1
    assert "No such file or directory" in says


def test_the_command_prints_nodes_and_edges(strata: Any) -> None:
    code, out, _ = strata("--json")
    document = json.loads(out)
    assert code == 0
    nodes = {node["id"] for node in document["nodes"]}
    assert nodes == {"application/alfred", *(f"backend/{name}" for name in BACKENDS)}
    assert {end for edge in document["edges"] for end in (edge["from"], edge["to"])} == nodes
    assert document["guarantees"] == {"promised": ["network_isolated"], "not_promised": ["encrypted_at_rest", "tls"]}
    assert SECRET not in out


def test_the_command_opens_the_file(strata: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[str] = []

    def no_browser(url: str) -> bool:
        opened.append(url)
        return False

    monkeypatch.setattr(webbrowser, "open", no_browser)
    code, out, says = strata("--open")
    assert opened == [Path(out.strip()).as_uri()]
    assert code == 0
    assert "no browser could be started: open" in says


@pytest.mark.parametrize("arguments", [["--json", "--open"], ["--json", "--output", "x"], ["--open", "--output", "-"]])
def test_options_that_exclude_each_other_are_refused(strata: Any, arguments: list[str]) -> None:
    code, out, says = strata(*arguments)
    assert (code, out) == (2, "")
    assert "leave" in says
