"""Where a cluster can't run, one message says all that is missing, before anything is changed."""

import json
import os
import shutil
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from images import chroot
from tests.cluster import host, network, parts
from tests.cluster.cluster import Cluster
from tests.cluster.errors import ClusterError
from tests.cluster.home import Home

ROOT = Path(__file__).parents[2]


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return Home(tmp_path_factory.mktemp("c"))


def test_who_is_not_root_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    cluster = Cluster(home, print)
    for refused in (partial(host.check, home), cluster.up, cluster.down):
        with pytest.raises(ClusterError, match=r"needs root .*: run it with sudo"):
            refused()
    assert list(home.root.iterdir()) == []


def test_everything_that_is_missing_is_named_at_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path: None if name in ("nft", "mkfs.xfs") else f"/usr/bin/{name}")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 10, 10**9))
    monkeypatch.setattr(host, "_has_controller", lambda name: name != "pids")
    with pytest.raises(ClusterError) as refused:
        host.check(home)
    message = str(refused.value)
    assert "apt-get install nftables xfsprogs" in message
    assert "the cgroup controllers pids are not available" in message
    assert "has 1.0 GB free and a cluster needs 3 GB" in message


def test_a_folder_with_a_long_name_is_refused(home: Home, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="has more than 60 characters: set XDG_CACHE_HOME to a shorter folder"):
        host.check(Home(tmp_path / ("long" * 20)))


def test_preflight_installs_what_is_checked() -> None:
    script = (ROOT / "scripts/preflight.sh").read_text()
    for program, package in host.PROGRAMS.items():
        if package != "util-linux":  # Debian has no system without it
            assert f"has {program} || echo {package}" in script


@pytest.mark.parametrize("taken", ["10.250.0.0/16", "10.250.0.7"])
def test_a_network_of_this_machine_is_not_taken(home: Home, monkeypatch: pytest.MonkeyPatch, taken: str) -> None:
    routes = [{"dst": "default", "dev": "eth0"}, {"dst": taken, "dev": "br-other"}]
    monkeypatch.setattr(network, "run", lambda command: json.dumps(routes if "-4" in command else []))
    with pytest.raises(ClusterError, match=r"need 10.250.0.0/24, and this machine reaches .* through br-other"):
        network.check(home)


def test_another_cluster_is_not_disturbed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of another user, or of another folder: its interface and its groups have the same names."""
    monkeypatch.setattr(network, "INTERFACE", "lo")
    monkeypatch.setattr(network, "run", lambda command: pytest.fail(f"{command} was run"))
    with pytest.raises(ClusterError, match="another cluster is up on this machine"):
        network.check(home)
    home.run.mkdir()
    Cluster(home, pytest.fail).down()


def test_its_own_network_is_no_hindrance(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = [{"dst": "10.250.0.0/24", "dev": network.INTERFACE}, {"dst": "172.17.0.0/16", "dev": "docker0"}]
    monkeypatch.setattr(network, "run", lambda command: json.dumps(routes if "-4" in command else []))
    network.check(home)


def test_a_build_without_room_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroot, "check_host", lambda: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 10, 5 * 10**9))
    with pytest.raises(ClusterError, match=r"building the cluster's programs needs 13 GB free in .*, there are 5.0 GB"):
        parts.build(home, print)
