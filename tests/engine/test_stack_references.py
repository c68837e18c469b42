"""What one stack exports, another one can use."""

import json
from typing import Any

import pytest

from engine.backend import StackFiles
from engine.secrets import Vault
from engine.state import ResourceState, Snapshot
from engine.values import Properties, Secret
from tests.engine.stack import PASSPHRASE, Stack

PROGRAM = """
other = pulumi.StackReference("ref", stack_name="{name}")
Thing("a", host=other.get_output("host"), password=other.require_output("password"), port=other.require_output("port"))
export("host", other.get_output("host"))
export("password", other.get_output("password"))
"""
EXPORTS: Properties = {"host": "db", "port": 5432, "password": Secret("xyzzy-plugh"), "nested": {"key": Secret(["x1"])}}


@pytest.fixture
def other(stack: Stack) -> StackFiles:
    return exporting(stack, EXPORTS)


def exporting(stack: Stack, outputs: Properties, passphrase: str = PASSPHRASE) -> StackFiles:
    """The stack `prod` of the project `base`, in the same backend."""
    urn = "urn:pulumi:prod::base::pulumi:pulumi:Stack::base-prod"
    root = ResourceState(urn=urn, type="pulumi:pulumi:Stack", custom=False, outputs=outputs)
    files = StackFiles(stack.workspace.backend_url, "base", "prod")
    files.save(lambda: Snapshot(resources=(root,)), Vault.create(passphrase))
    return files


def test_its_outputs_are_read_in_the_preview_and_secrets_stay_secret(stack: Stack, other: StackFiles) -> None:
    planned = stack.preview(PROGRAM.format(name="organization/base/prod"))
    assert '+ host: "db"' in planned.text
    assert "+ password: [secret]" in planned.text
    assert ">  pulumi:pulumi:StackReference ref read" in planned.text
    assert planned.result.changes == {"create": 2, "read": 1}
    made = stack.up()
    assert made.result.exit_code == 0, made.text
    thing = stack.entry("a")
    assert (thing.inputs["host"], thing.inputs["password"]) == ("db", Secret("xyzzy-plugh"))
    assert thing.inputs["port"] == 5432
    counting = PROGRAM.format(name="organization/base/prod") + "open('runs', 'a').write('.')"
    assert stack.up(counting, expect_no_changes=True).result.changes == {"same": 2, "read": 1}
    assert (stack.folder / "runs").read_text() == ".", "a read is no reason to run the program a second time"
    assert "xyzzy-plugh" not in made.text + planned.text + stack.everything_on_disk()


def test_the_state_has_what_the_official_engine_writes(stack: Stack, other: StackFiles) -> None:
    stack.up(PROGRAM.format(name="organization/base/prod"))
    latest = json.loads(stack.files.path.read_bytes())["checkpoint"]["latest"]
    (entry,) = [entry for entry in latest["resources"] if entry["type"] == "pulumi:pulumi:StackReference"]
    (provider,) = [entry for entry in stack.snapshot.resources if entry.type == "pulumi:providers:pulumi"]
    assert provider.urn == "urn:pulumi:dev::p::pulumi:providers:pulumi::default"
    assert (provider.inputs, provider.outputs) == ({}, {})
    assert entry["urn"] == "urn:pulumi:dev::p::pulumi:pulumi:StackReference::ref"
    assert entry["provider"] == provider.reference
    assert (entry["id"], entry["external"], entry["custom"]) == ("organization/base/prod", True, True)
    assert entry["inputs"] == {"name": "organization/base/prod"}
    assert set(entry["outputs"]) == {"name", "outputs", "secretOutputNames"}
    assert entry["outputs"]["secretOutputNames"] == ["nested", "password"]
    assert entry["outputs"]["outputs"]["host"] == "db"
    assert "ciphertext" in entry["outputs"]["outputs"]["password"]


def test_a_change_there_is_a_change_here(stack: Stack, other: StackFiles) -> None:
    stack.up(PROGRAM.format(name="organization/base/prod"))
    exporting(stack, {**EXPORTS, "host": "db-2"})
    assert stack.up().result.changes == {"same": 1, "read": 1, "update": 1}
    assert stack.entry("a").inputs["host"] == "db-2"
    stack.up("")
    assert other.exists()


def test_a_refresh_reads_it_again(stack: Stack, other: StackFiles) -> None:
    stack.up(PROGRAM.format(name="organization/base/prod"))
    exporting(stack, {**EXPORTS, "host": "db-2"})
    done = stack.refresh()
    assert done.result.exit_code == 0, done.text
    assert stack.entry("ref").outputs["outputs"]["host"] == "db-2"


@pytest.mark.parametrize("name", ["prod", "organization/prod"])
def test_a_stack_of_the_same_project_needs_no_project(stack: Stack, name: str) -> None:
    files = StackFiles(stack.workspace.backend_url, "p", "prod")
    root = ResourceState(
        urn="urn:pulumi:prod::p::pulumi:pulumi:Stack::p-prod", type="pulumi:pulumi:Stack", custom=False, outputs=EXPORTS
    )
    files.save(lambda: Snapshot(resources=(root,)), Vault.create(PASSPHRASE))
    assert stack.up(PROGRAM.format(name=name)).result.exit_code == 0


def test_another_passphrase_leaves_out_the_secret_outputs_and_says_so(stack: Stack) -> None:
    exporting(stack, EXPORTS, passphrase="another one")
    done = stack.up(
        """
        other = pulumi.StackReference("organization/base/prod")
        Thing("a", host=other.get_output("host"))
        other.outputs.apply(lambda found: print("found", sorted(found)))
        """
    )
    assert done.result.exit_code == 0, done.text
    assert (
        "stack reference 'organization/base/prod': its outputs nested, password are left out, since they are secret "
        "and the passphrase of this run does not open them: give both stacks one passphrase"
    ) in done.text
    assert "found ['host', 'port']" in done.text
    failed = stack.up(PROGRAM.format(name="organization/base/prod"))
    assert failed.result.exit_code == 1
    assert "KeyError: 'password'" in failed.text


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[:40], "'organization/base/prod': "),
        (lambda text: text.replace(b'"passphrase"', b'"awskms"'), "encrypted by 'awskms'"),
    ],
)
def test_a_state_that_cannot_be_read_is_named(stack: Stack, other: StackFiles, damage: Any, says: str) -> None:
    other.path.write_bytes(damage(other.path.read_bytes()))
    failed = stack.up(PROGRAM.format(name="organization/base/prod"))
    assert failed.result.exit_code == 1
    assert says in failed.text
    assert stack.cloud.calls() == []
