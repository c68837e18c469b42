"""What a cluster is compiled from: one version of Kubernetes, for Debian's Go, and a key that covers it all."""

import re
import shutil
from pathlib import Path

import pytest

from tests.cluster import parts
from tests.cluster.home import Home

GO = parts.SOURCES[0]
DEBIAN_GO = (1, 24)
"""Of trixie, whose root the programs are compiled in."""


def test_debians_go_is_enough() -> None:
    wanted = re.search(r"^go (\d+)\.(\d+)", (GO / "go.mod").read_text(), re.MULTILINE)
    assert wanted is not None
    assert (int(wanted[1]), int(wanted[2])) <= DEBIAN_GO
    assert "\ntoolchain" not in (GO / "go.mod").read_text()


def test_every_module_of_kubernetes_is_of_one_version() -> None:
    """Its own go.mod points them at folders that only its repository has."""
    text = (GO / "go.mod").read_text()
    kubernetes = re.search(r"^\tk8s.io/kubernetes v1\.(\S+)", text, re.MULTILINE)
    assert kubernetes is not None
    replaced = dict(re.findall(r"^\t(k8s.io/\S+) => k8s.io/\S+ (\S+)$", text, re.MULTILINE))
    assert set(replaced.values()) == {f"v0.{kubernetes[1]}"}
    assert len(replaced) >= 30


def test_every_download_is_pinned() -> None:
    sums = (GO / "go.sum").read_text()
    for module, version in re.findall(r"^\t(\S+) (v\S+)(?: // indirect)?$", (GO / "go.mod").read_text(), re.MULTILINE):
        if not module.startswith("k8s.io/") or module in ("k8s.io/kubernetes", "k8s.io/klog/v2"):
            assert f"{module} {version} h1:" in sums


@pytest.mark.parametrize("changed", ["go/enforcer/rules.go", "go/go.sum", "stage/run.sh"])
def test_whatever_is_compiled_decides_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str) -> None:
    before = parts.find(Home(tmp_path)).key
    copy = tmp_path / "cluster"
    for folder in ("go", "stage"):
        shutil.copytree(parts.FOLDER / folder, copy / folder)
    monkeypatch.setattr(parts, "SOURCES", (copy / "go",))
    monkeypatch.setattr(parts, "STAGE", copy / "stage")
    assert parts.find(Home(tmp_path)).key == before
    with (copy / changed).open("a") as file:
        file.write("\n")
    assert parts.find(Home(tmp_path)).key != before


def test_what_is_built_is_not_built_again(tmp_path: Path) -> None:
    home = Home(tmp_path)
    there = parts.find(home)
    there.folder.mkdir(parents=True)
    (there.folder.parent / "0123456789ab").mkdir()
    said: list[str] = []
    assert parts.build(home, said.append) == there
    assert said == []
