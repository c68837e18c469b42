"""Which engine is taken, and how the official CLI is driven: by a stand-in on PATH that notes what it was given."""

import json
import stat
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import deletion, state
from cli.engines import Options, choose, missing_plugins
from cli.errors import CliError
from cli.official import OfficialCli
from cli.state import Deployment
from cli.terminal import Terminal
from engine.state import ENGINE_VERSION
from engine.steps import log_of
from infra.workspace import Workspace

SALT = "v1:c2FsdA==:v1:bm9uY2U=:cHVsdW1p"
VOLUME = {
    "type": "docker:index/volume:Volume",
    "retainOnDelete": True,
    "inputs": {"name": "db-postgres-data"},
    "urn": "urn:pulumi:dev::strata::docker:index/volume:Volume::data",
}

# Writes its arguments, the chosen environment and the config file to $RECORD; `stack init` makes a state and a salt.
STAND_IN = """#!/bin/sh
{
  echo "argv: $*"
  echo "passphrase file: $PULUMI_CONFIG_PASSPHRASE_FILE"
  echo "backend: $PULUMI_BACKEND_URL"
  echo "cwd: $(pwd)"
} >> "$RECORD"
case "$1 $2" in
  "stack init") mkdir -p "$STATES" && cp "$EMPTY" "$STATES/$3.json" && echo "encryptionsalt: x" > "Pulumi.$3.yaml" ;;
esac
case "$1" in
  preview|up|destroy) echo '{"changeSummary": {"create": 3}, "steps": []}' ;;
esac
case "$1" in
  up|destroy)
    echo '{"sequence":0,"diagnosticEvent":{"urn":"u","message":"careful","severity":"warning"}}'
    echo '{"sequence":1,"diagnosticEvent":{"message":"building","severity":"info","ephemeral":true}}'
    echo '{"sequence":2,"policyEvent":{"policyName":"n","policyPackName":"p","policyPackVersion":"1","message":"m"}}'
    echo '{"sequence":3,"summaryEvent":{"durationSeconds":2,"resourceChanges":{"same":3},"result":"succeeded"}}' ;;
esac
exit "${RESULT:-0}"
"""


def checkpoint(writer: str, resources: list[dict[str, Any]] | None = None) -> str:
    latest = {
        "manifest": {"version": writer},
        "secrets_providers": {"type": "passphrase", "state": {"salt": SALT}},
        **({"resources": resources} if resources else {}),
    }
    return json.dumps({"version": 3, "checkpoint": {"stack": "organization/strata/dev", "latest": latest}})


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: strata\nruntime: python\n")
    (root / "Pulumi.dev.yaml").write_text("config:\n  strata:stage: test\n")
    environ = {
        "PATH": f"{tmp_path}/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "RECORD": str(tmp_path / "record"),
        "STATES": str(tmp_path / "states" / ".pulumi" / "stacks" / "strata"),
        "EMPTY": str(tmp_path / "empty.json"),
    }
    return Workspace(root=root, project="strata", stack="dev", backend_url=f"file://{tmp_path}/states", environ=environ)


def put(path: Path, text: str = "#!/bin/sh\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def whole_cli(tmp_path: Path) -> Path:
    """A `pulumi` with everything that the program needs."""
    put(tmp_path / "bin" / "pulumi", STAND_IN)
    put(tmp_path / "bin" / "pulumi-language-python")
    put(tmp_path / "bin" / "pulumi-resource-pulumi-python")
    for plugin in ("docker", "random"):
        (tmp_path / ".pulumi" / "plugins" / f"resource-{plugin}-v{version(f'pulumi-{plugin}')}").mkdir(parents=True)
    (tmp_path / "empty.json").write_text(checkpoint("v3.260.0"))
    return tmp_path / "bin" / "pulumi"


def deployment(writer: str) -> Deployment:
    return Deployment(json.loads(checkpoint(writer, [VOLUME]))["checkpoint"]["latest"])


def write_state(workspace: Workspace, text: str) -> None:
    assert workspace.state_file
    workspace.state_file.parent.mkdir(parents=True, exist_ok=True)
    workspace.state_file.write_text(text)


def test_without_a_cli_the_embedded_engine_is_taken(workspace: Workspace) -> None:
    assert choose(workspace, None, None) == "embedded"


def test_a_whole_cli_is_taken(workspace: Workspace, whole_cli: Path) -> None:
    assert choose(workspace, None, None) == "pulumi"


def test_a_cli_without_a_plugin_of_the_right_version_is_not_whole(workspace: Workspace, whole_cli: Path) -> None:
    plugins = whole_cli.parents[1] / ".pulumi" / "plugins"
    (folder,) = plugins.glob("resource-random-*")
    folder.rename(plugins / "resource-random-v0.0.1")
    assert missing_plugins(whole_cli, workspace) == [folder.name]
    assert choose(workspace, None, None) == "embedded"
    put(whole_cli.with_name("pulumi-resource-random"))
    assert choose(workspace, None, None) == "pulumi", "a plugin on PATH counts, as for the CLI"


def test_a_stack_in_a_cluster_needs_other_plugins(workspace: Workspace, whole_cli: Path) -> None:
    workspace.config_file.write_text("config:\n  strata:platform: {kind: kubernetes}\n")
    missing = missing_plugins(whole_cli, workspace)
    assert [name.rpartition("-v")[0] for name in missing] == ["resource-kubernetes", "resource-tls"]


def test_a_stack_of_the_other_engine_needs_the_word_once(workspace: Workspace, whole_cli: Path) -> None:
    with pytest.raises(CliError, match=r"last written by the embedded engine.*\n.*--engine embedded.*--engine pulumi"):
        choose(workspace, deployment(ENGINE_VERSION), None)
    assert choose(workspace, deployment(ENGINE_VERSION), "pulumi") == "pulumi"
    assert choose(workspace, deployment(ENGINE_VERSION), "embedded") == "embedded"
    assert choose(workspace, deployment("v3.260.0"), None) == "pulumi"


def test_without_the_cli_a_stack_of_the_cli_needs_the_word_too(workspace: Workspace) -> None:
    with pytest.raises(CliError, match=r"last written by the official CLI, and no whole `pulumi` CLI is here"):
        choose(workspace, deployment("v3.260.0"), None)


def test_an_empty_state_binds_nobody(workspace: Workspace) -> None:
    empty = Deployment(json.loads(checkpoint("v3.260.0"))["checkpoint"]["latest"])
    assert choose(workspace, empty, None) == "embedded"


def test_shared_state_is_the_clis_alone(workspace: Workspace, whole_cli: Path) -> None:
    shared = Workspace(**{**vars(workspace), "backend_url": "s3://states"})
    assert choose(shared, None, None) == "pulumi"
    with pytest.raises(CliError, match="s3://states is shared state: use the pulumi CLI"):
        choose(shared, None, "embedded")
    whole_cli.unlink()
    with pytest.raises(CliError, match="install the `pulumi` command"):
        choose(shared, None, None)


def test_asking_for_a_cli_that_is_not_there_says_so(workspace: Workspace) -> None:
    with pytest.raises(CliError, match="there is no `pulumi` on PATH"):
        choose(workspace, None, "pulumi")


def test_the_cli_gets_a_private_config_with_the_states_salt_and_the_checkout_stays_clean(
    workspace: Workspace, whole_cli: Path, tmp_path: Path
) -> None:
    committed = workspace.config_file.read_text()
    outcome = OfficialCli(workspace, Terminal(json_output=True)).up(Options(parallel=3, json_output=True))
    assert outcome.exit_code == 0
    assert outcome.report == {
        "steps": [],
        "changeSummary": {"same": 3},
        "result": "succeeded",
        "duration": 2_000_000_000,
        "diagnostics": [{"urn": "u", "message": "careful", "severity": "warning"}],
        "policies": [
            {
                "policyPackName": "p",
                "policyPackVersion": "1",
                "violations": [{"policyName": "n", "enforcementLevel": "", "resourceUrn": "", "message": "m"}],
            }
        ],
    }
    record = (tmp_path / "record").read_text()
    copy = tmp_path / "home" / "strata" / "pulumi" / "strata" / "Pulumi.dev.yaml"
    assert f"argv: up --stack dev --config-file {copy} --yes --non-interactive --parallel 3 --json" in record
    assert f"passphrase file: {workspace.passphrase_file}" in record
    assert f"backend: {workspace.backend_url}" in record
    assert yaml.safe_load(copy.read_text()) == {"config": {"strata:stage": "test"}, "encryptionsalt": SALT}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert workspace.config_file.read_text() == committed
    assert sorted(path.name for path in workspace.root.iterdir()) == ["Pulumi.dev.yaml", "Pulumi.yaml"]


def test_the_cli_refreshes_by_its_own_means(workspace: Workspace, whole_cli: Path, tmp_path: Path) -> None:
    cli = OfficialCli(workspace, Terminal(json_output=True))
    cli.refresh(Options(clear_pending_creates=True))
    cli.up(Options(refresh=True))
    record = (tmp_path / "record").read_text()
    copy = tmp_path / "home" / "strata" / "pulumi" / "strata" / "Pulumi.dev.yaml"
    for command, option in (("refresh", " --clear-pending-creates"), ("up", " --refresh")):
        assert f"argv: {command} --stack dev --config-file {copy} --yes --non-interactive{option}\n" in record


def test_the_cli_is_told_of_targets_and_errors_in_its_own_words(
    workspace: Workspace, whole_cli: Path, tmp_path: Path
) -> None:
    part = Options(targets=("urn:a", "**::b"), target_dependents=True, continue_on_error=True)
    OfficialCli(workspace, Terminal(json_output=True)).up(part)
    record = (tmp_path / "record").read_text()
    assert "--non-interactive --target urn:a --target **::b --target-dependents --continue-on-error\n" in record


def test_the_cli_gets_what_a_killed_run_of_the_other_engine_had_finished(workspace: Workspace, whole_cli: Path) -> None:
    write_state(workspace, checkpoint(ENGINE_VERSION, [VOLUME]))
    assert workspace.state_file
    base = {"base": sha256(workspace.state_file.read_bytes()).hexdigest(), "finished": 1, "older": [], "begun": []}
    step = [{"put": {**VOLUME, "urn": "urn:new"}}]
    log_of(workspace.state_file).write_text(f"{json.dumps(base)}\n{json.dumps(step)}\n")
    OfficialCli(workspace, Terminal(json_output=True)).preview(Options(json_output=True))
    resources = json.loads(workspace.state_file.read_bytes())["checkpoint"]["latest"]["resources"]
    assert [entry["urn"] for entry in resources] == [VOLUME["urn"], "urn:new"]
    assert not log_of(workspace.state_file).exists()


def test_retention_is_lifted_for_one_run_only(workspace: Workspace, whole_cli: Path, tmp_path: Path) -> None:
    committed = workspace.config_file.read_text()
    with deletion.lifted(workspace, ["redis-data"]) as once:
        assert yaml.safe_load(once.config_file.read_text())["config"]["strata:delete_data"] == ["redis-data"]
        OfficialCli(once, Terminal(json_output=True)).up(Options(json_output=True))
    assert not once.config_file.exists()
    assert workspace.config_file.read_text() == committed


def test_a_new_stack_is_made_outside_the_checkout_and_only_once(
    workspace: Workspace, whole_cli: Path, tmp_path: Path
) -> None:
    cli = OfficialCli(workspace, Terminal(json_output=True))
    cli.preview(Options(json_output=True))
    cli.up(Options(json_output=True))
    record = (tmp_path / "record").read_text()
    assert record.count("argv: stack init dev --no-select --non-interactive") == 1
    made_in = record.splitlines()[3].removeprefix("cwd: ")
    assert Path(made_in) != workspace.root


def test_the_clis_exit_code_is_passed_on(workspace: Workspace, whole_cli: Path) -> None:
    write_state(workspace, checkpoint("v3.260.0"))
    failing = Workspace(**{**vars(workspace), "environ": {**workspace.environ, "RESULT": "7"}})
    outcome = OfficialCli(failing, Terminal(json_output=True)).up(Options(expect_no_changes=True, json_output=True))
    assert outcome.exit_code == 7


def test_a_state_tells_its_writer_its_salt_and_what_it_retains(workspace: Workspace) -> None:
    assert state.read(workspace) is None
    removable = {**VOLUME, "retainOnDelete": False, "inputs": {"name": "scratch"}}
    write_state(workspace, checkpoint(ENGINE_VERSION, [VOLUME, removable]))
    found = state.read(workspace)
    assert found
    assert (found.last_writer, found.salt, found.retained_volumes) == ("embedded", SALT, ["db-postgres-data"])


def test_all_volumes_but_those_of_secrets_hold_data_retained_or_not() -> None:
    def volume(name: str) -> dict[str, Any]:
        return {**VOLUME, "retainOnDelete": False, "inputs": {"name": f"x-{name}"}, "urn": f"{VOLUME['urn']}-{name}"}

    found = Deployment({"resources": [VOLUME, volume("redis-secrets"), volume("alfred-volumes-models")]})
    assert found.data_volumes == ["db-postgres-data", "x-alfred-volumes-models"]


def test_a_damaged_state_is_named_with_its_copy(workspace: Workspace) -> None:
    write_state(workspace, "{")
    with pytest.raises(CliError, match=r"dev\.json is not a state file .*dev\.json\.bak"):
        state.read(workspace)
