"""Objects on the real daemon from create to delete, each option as `docker inspect` shows it."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from engine.providers.base import Diff, Old, Properties
from tests.engine.docker.conftest import CONTAINER, IMAGE, NETWORK, VOLUME, Workbench, call, free_port, labels

pytestmark = pytest.mark.docker


def update(bench: Workbench, made: Old, **edit: Any) -> Old:
    inputs = bench.provider.check(call(CONTAINER), made.inputs, bench.container(**edit))
    outputs = bench.provider.update(call(CONTAINER), made, inputs)
    assert bench.provider.diff(call(CONTAINER), Old(made.id, inputs, outputs), inputs) == Diff(changed=False)
    return Old(made.id, inputs, outputs)


OPTIONS: list[tuple[Properties, str, Any]] = [
    ({"entrypoints": ["/pause"], "command": ["a", "b c"]}, "Config.Entrypoint", ["/pause"]),
    ({"entrypoints": ["/pause"], "command": ["a", "b c"]}, "Config.Cmd", ["a", "b c"]),
    ({"envs": ["B=2", "A=1=1"]}, "Config.Env", ["B=2", "A=1=1"]),
    ({"user": "999:999"}, "Config.User", "999:999"),
    ({"hostname": "db"}, "Config.Hostname", "db"),
    ({"domainname": "example.org"}, "Config.Domainname", "example.org"),
    ({"workingDir": "/tmp"}, "Config.WorkingDir", "/tmp"),
    ({"stopTimeout": 7}, "Config.StopTimeout", 7),
    ({"stopSignal": "SIGINT"}, "Config.StopSignal", "SIGINT"),
    ({"labels": labels(a="b")}, "Config.Labels", {"a": "b"}),
    (
        {"healthcheck": {"tests": ["CMD", "/quit"], "interval": "1m30s", "startPeriod": "500ms", "retries": 3}},
        "Config.Healthcheck",
        {"Test": ["CMD", "/quit"], "Interval": 90 * 10**9, "StartPeriod": 5 * 10**8, "Retries": 3},
    ),
    ({"readOnly": True}, "HostConfig.ReadonlyRootfs", True),
    ({"tmpfs": {"/tmp": "rw,size=1m,uid=999"}}, "HostConfig.Tmpfs", {"/tmp": "rw,size=1m,uid=999"}),
    (
        {"volumes": [{"hostPath": "/etc", "containerPath": "/e", "readOnly": True}]},
        "HostConfig.Binds",
        ["/etc:/e:ro"],
    ),
    (
        {"mounts": [{"type": "tmpfs", "target": "/m", "tmpfsOptions": {"sizeBytes": 4096, "mode": 1023}}]},
        "HostConfig.Mounts",
        [{"Type": "tmpfs", "Target": "/m", "TmpfsOptions": {"SizeBytes": 4096, "Mode": 1023}}],
    ),
    (
        {"mounts": [{"type": "bind", "source": "/etc", "target": "/e", "bindOptions": {"propagation": "rprivate"}}]},
        "HostConfig.Mounts",
        [{"Type": "bind", "Source": "/etc", "Target": "/e", "BindOptions": {"Propagation": "rprivate"}}],
    ),
    ({"memory": 64, "memorySwap": 128}, "HostConfig.Memory", 64 * 2**20),
    ({"memory": 64, "memorySwap": 128}, "HostConfig.MemorySwap", 128 * 2**20),
    ({"memory": 64, "memorySwap": -1}, "HostConfig.MemorySwap", -1),
    ({"memory": 64, "memorySwap": 64, "memoryReservation": 32}, "HostConfig.MemoryReservation", 32 * 2**20),
    ({"cpus": "0.5"}, "HostConfig.NanoCpus", 500_000_000),
    ({"cpuPeriod": 100000, "cpuQuota": 50000}, "HostConfig.CpuQuota", 50000),
    ({"cpuShares": 512}, "HostConfig.CpuShares", 512),
    ({"cpuSet": "0"}, "HostConfig.CpusetCpus", "0"),
    ({"shmSize": 128}, "HostConfig.ShmSize", 128 * 2**20),
    ({"securityOpts": ["no-new-privileges:true"]}, "HostConfig.SecurityOpt", ["no-new-privileges:true"]),
    ({"capabilities": {"drops": ["all"], "adds": ["CHOWN"]}}, "HostConfig.CapDrop", ["ALL"]),
    ({"capabilities": {"drops": ["ALL"], "adds": ["CHOWN"]}}, "HostConfig.CapAdd", ["CAP_CHOWN"]),
    (
        {"logDriver": "json-file", "logOpts": {"max-size": "10m"}},
        "HostConfig.LogConfig",
        {"Type": "json-file", "Config": {"max-size": "10m"}},
    ),
    (
        {"restart": "on-failure", "maxRetryCount": 3},
        "HostConfig.RestartPolicy",
        {"Name": "on-failure", "MaximumRetryCount": 3},
    ),
    ({"init": True}, "HostConfig.Init", True),
    ({"privileged": True}, "HostConfig.Privileged", True),
    (
        {"ulimits": [{"name": "nofile", "soft": 1024, "hard": 2048}]},
        "HostConfig.Ulimits",
        [{"Name": "nofile", "Soft": 1024, "Hard": 2048}],
    ),
    ({"hosts": [{"host": "other", "ip": "192.0.2.1"}]}, "HostConfig.ExtraHosts", ["other:192.0.2.1"]),
    ({"dns": ["192.0.2.1"], "dnsSearches": ["example.org"]}, "HostConfig.DnsSearch", ["example.org"]),
    ({"groupAdds": ["100"]}, "HostConfig.GroupAdd", ["100"]),
    ({"sysctls": {"net.core.somaxconn": "512"}}, "HostConfig.Sysctls", {"net.core.somaxconn": "512"}),
    ({"ipcMode": "shareable"}, "HostConfig.IpcMode", "shareable"),
    ({"networkMode": "none"}, "HostConfig.NetworkMode", "none"),
    ({"start": False}, "State.Status", "created"),
]


@pytest.mark.parametrize(("inputs", "path", "expected"), OPTIONS, ids=[f"{list(o[0])}-{o[1]}" for o in OPTIONS])
def test_an_option_reaches_docker_and_needs_no_second_change(
    bench: Workbench, inputs: Properties, path: str, expected: Any
) -> None:
    made = bench.create(CONTAINER, bench.container(**{"start": False, **inputs}))
    found = bench.inspect(made)
    for step in path.split("."):
        found = found[step]
    assert found == expected
    assert bench.provider.diff(call(CONTAINER), made, made.inputs) == Diff(changed=False)


def test_networks_take_the_place_of_the_default_one(bench: Workbench) -> None:
    network = bench.create(NETWORK, {"name": bench.name("n")})
    made = bench.start(networksAdvanced=[{"name": network.id, "aliases": ["db-postgres", "pg"]}])
    networks = bench.inspect(made)["NetworkSettings"]["Networks"]
    assert set(networks) == {bench.name("n")}
    assert {"db-postgres", "pg"} <= set(networks[bench.name("n")]["Aliases"])
    assert made.outputs["networkDatas"][0]["ipAddress"] == networks[bench.name("n")]["IPAddress"] != ""


def test_a_port_is_bound_to_its_address_only(bench: Workbench) -> None:
    port = free_port()
    made = bench.start(ports=[{"internal": 5432, "external": port, "ip": "127.0.0.1"}])
    assert made.outputs["ports"] == [{"external": port, "internal": 5432, "ip": "127.0.0.1", "protocol": "tcp"}]
    assert bench.inspect(made)["NetworkSettings"]["Ports"]["5432/tcp"] == [
        {"HostIp": "127.0.0.1", "HostPort": str(port)}
    ]


def test_a_host_port_that_docker_chooses_is_recorded(bench: Workbench) -> None:
    made = bench.start(ports=[{"internal": 5432, "ip": "127.0.0.1"}])
    assert made.outputs["ports"][0]["external"] > 0
    assert bench.provider.diff(call(CONTAINER), made, made.inputs) == Diff(changed=False)


def test_memory_without_swap_needs_no_second_change(bench: Workbench) -> None:
    """Docker then sets the swap itself; the official provider plans to take it back for ever."""
    made = bench.start(memory=64)
    assert bench.provider.diff(call(CONTAINER), made, made.inputs) == Diff(changed=False)


def test_limits_and_restart_policy_change_without_a_restart(bench: Workbench) -> None:
    made = bench.start(memory=64, memorySwap=64)
    started = bench.inspect(made)["State"]["StartedAt"]
    update(bench, made, memory=128, memorySwap=128, cpuShares=512, restart="always")
    after = bench.inspect(made)
    assert after["HostConfig"]["Memory"] == 128 * 2**20
    assert after["HostConfig"]["CpuShares"] == 512
    assert after["HostConfig"]["RestartPolicy"]["Name"] == "always"
    assert after["State"]["StartedAt"] == started


def test_a_container_that_stopped_is_started_by_the_next_update(bench: Workbench) -> None:
    made = bench.start()
    bench.client.kill(made.id)
    bench.client.wait(made.id, condition="not-running")
    found = bench.provider.read(call(CONTAINER), made)
    assert found is not None
    assert found.outputs["mustRun"] is False
    assert found.outputs["exitCode"] == 137
    for old in (made, found):  # without a refresh, and after one
        assert bench.provider.diff(call(CONTAINER), old, made.inputs) == Diff(changed=True, paths=("mustRun",))
    update(bench, made)
    assert bench.inspect(made)["State"]["Running"]


def test_a_stopped_container_that_need_not_run_stays_as_it_is(bench: Workbench) -> None:
    port = free_port()
    made = bench.start(mustRun=False, ports=[{"internal": 80, "external": port}])
    bench.client.kill(made.id)
    bench.client.wait(made.id, condition="not-running")
    found = bench.provider.read(call(CONTAINER), made)
    assert found is not None
    assert bench.provider.diff(call(CONTAINER), found, made.inputs) == Diff(changed=False)


def test_what_is_gone_reads_as_gone(bench: Workbench) -> None:
    made = {
        CONTAINER: bench.start(),
        NETWORK: bench.create(NETWORK, {"name": bench.name("n")}),
        VOLUME: bench.create(VOLUME, {"name": bench.name("v")}),
    }
    for type, old in made.items():
        assert bench.provider.read(call(type), old) is not None
        bench.provider.delete(call(type), old)
        assert bench.provider.read(call(type), old) is None
        healing = bench.provider.diff(call(type), old, old.inputs)
        assert healing.replaces == ("id",), "a plain run would not heal what was removed by hand"
        assert healing.delete_before_replace, "the new object has the name of the old one"
        bench.provider.delete(call(type), old)  # again: somebody else was faster


def test_a_container_gets_its_grace_to_end(bench: Workbench) -> None:
    """`/pause` as the first process ignores SIGTERM, so a stop takes its whole grace."""
    made = bench.start(stopSignal="SIGTERM", destroyGraceSeconds=1)
    began = time.monotonic()
    bench.provider.delete(call(CONTAINER), made)
    assert time.monotonic() - began >= 1
    assert bench.client.containers(all=True, filters={"name": bench.prefix}) == []


def test_without_grace_the_stop_timeout_counts(bench: Workbench) -> None:
    """The official provider kills at once; a database would have to recover."""
    made = bench.start(stopSignal="SIGTERM", stopTimeout=1)
    began = time.monotonic()
    bench.provider.delete(call(CONTAINER), made)
    assert 1 <= time.monotonic() - began < 8


def test_named_volumes_outlive_their_container(bench: Workbench) -> None:
    volume = bench.create(VOLUME, {"name": bench.name("v")})
    made = bench.start(volumes=[{"volumeName": volume.id, "containerPath": "/v"}, {"containerPath": "/anonymous"}])
    anonymous = next(mount["Name"] for mount in bench.inspect(made)["Mounts"] if mount["Destination"] == "/anonymous")
    bench.provider.delete(call(CONTAINER), made)
    names = {item["Name"] for item in bench.client.volumes()["Volumes"]}
    assert volume.id in names
    assert anonymous not in names


def test_an_image_is_kept_or_removed_as_asked(bench: Workbench) -> None:
    name = bench.name("image") + ":1"
    bench.client.tag(bench.image, bench.name("image"), "1")
    kept = bench.create(IMAGE, {"name": name, "keepLocally": True})
    bench.provider.delete(call(IMAGE), kept)
    assert bench.provider.read(call(IMAGE), kept) is not None
    removed = bench.create(IMAGE, {"name": name})
    bench.provider.delete(call(IMAGE), removed)
    assert bench.provider.read(call(IMAGE), removed) is None
    assert bench.provider.diff(call(IMAGE), removed, removed.inputs) == Diff(changed=False), "its id is still there"


def test_many_threads_share_one_provider(bench: Workbench) -> None:
    def life(index: int) -> None:
        made = bench.create(VOLUME, {"name": bench.name(f"v{index}")})
        bench.provider.delete(call(VOLUME), made)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(life, range(48)))
    assert bench.client.volumes(filters={"name": bench.prefix})["Volumes"] in (None, [])
