"""Which cluster the tests get. A script stands in for `kind`, and one for `kubectl`: neither is asked for pods."""

from pathlib import Path

import pytest

from tests.cluster import access
from tests.cluster.errors import ClusterError
from tests.cluster.home import Home

KIND = """#!/bin/sh
echo "$@" >> "$KIND_LOG"
case "$1 $2" in
  "get clusters") cat "$KIND_CLUSTERS" ;;
  "create cluster") cat > "$KIND_CONFIG"; echo strata >> "$KIND_CLUSTERS" ;;
  "get kubeconfig") echo "a kubeconfig" ;;
esac
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in {"kubectl": "#!/bin/sh\n", "kind": KIND}.items():
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.delenv(access.KUBECONFIG, raising=False)
    monkeypatch.delenv(access.IMAGE, raising=False)
    for variable, name in {"KIND_LOG": "log", "KIND_CLUSTERS": "clusters", "KIND_CONFIG": "config"}.items():
        monkeypatch.setenv(variable, str(tmp_path / name))
        (tmp_path / name).touch()
    return Home(tmp_path / "home")


def test_a_kubeconfig_of_yours_comes_first(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    mine.touch()
    monkeypatch.setenv(access.KUBECONFIG, str(mine))
    with access.cluster_for_tests(home, print) as found:
        assert found.kubectl.kubeconfig == mine
        assert found.image == access.OFFICIAL_IMAGE
        assert found.built is None
    assert (tmp_path / "log").read_text() == ""


def test_a_kubeconfig_that_is_not_there_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(access.KUBECONFIG, "/nowhere")
    with pytest.raises(ClusterError, match="STRATA_TEST_KUBECONFIG is /nowhere"), access.cluster_for_tests(home, print):
        pass


def test_kind_is_asked_for_a_cluster_once(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(access.IMAGE, "an-image-of-mine")
    for _ in range(2):
        with access.cluster_for_tests(home, print) as found:
            assert found.kubectl.kubeconfig.read_text() == "a kubeconfig\n"
            assert oct(found.kubectl.kubeconfig.stat().st_mode & 0o777) == "0o600"
            assert found.image == "an-image-of-mine"
    calls = (tmp_path / "log").read_text().splitlines()
    assert [call.split()[:3] for call in calls].count(["create", "cluster", "--name=strata"]) == 1
    assert (tmp_path / "config").read_text().count("role: worker") == 3
