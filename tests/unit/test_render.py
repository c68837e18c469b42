"""`strata render`: the same text every time, nothing secret, and no file of somebody else lost."""

from pathlib import Path

import yaml

from tests.unit.conftest import Strata

ROOT = Path(__file__).parents[2]


def test_two_runs_give_the_same_files_without_a_cluster_and_without_secrets(strata: Strata, tmp_path: Path) -> None:
    for name in ("one", "two"):
        done = strata(ROOT, "render", str(tmp_path / name), KUBECONFIG="/nowhere")
        assert done.returncode == 0, done.stderr
    one = {path.relative_to(tmp_path / "one"): path.read_text() for path in (tmp_path / "one").rglob("*.yaml")}
    two = {path.relative_to(tmp_path / "two"): path.read_text() for path in (tmp_path / "two").rglob("*.yaml")}
    assert one == two, "a reviewer would see changes that are none"
    secret = yaml.safe_load(one[Path("strata/secret-db-postgres-secrets.yaml")])
    assert "data" not in secret
    assert "stringData" not in secret
    assert secret["metadata"]["annotations"]["strata.keys"] == "admin,ca.crt,tls.crt,tls.key,verifier"
    index = yaml.safe_load(one[Path("kustomization.yaml")])
    assert {Path(name) for name in index["resources"]} == set(one) - {Path("kustomization.yaml")}


def test_files_of_an_earlier_run_go_and_those_of_others_stay(strata: Strata, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert strata(ROOT, "render", str(folder)).returncode == 0
    stale = folder / "strata" / "service-gone.yaml"
    stale.write_text("# Written by `strata render` --stack prod\n")
    assert strata(ROOT, "render", str(folder)).returncode == 0
    assert not stale.exists()
    own = folder / "notes.txt"
    own.write_text("mine")
    done = strata(ROOT, "render", str(folder))
    assert done.returncode == 1
    assert "notes.txt was not written by `strata render`" in done.stderr
    assert own.read_text() == "mine"


def test_a_stack_without_a_cluster_is_refused(strata: Strata, tmp_path: Path) -> None:
    done = strata(ROOT, "render", str(tmp_path / "out"), "--stack", "dev")
    assert done.returncode == 1
    assert "its platform is docker" in done.stderr
