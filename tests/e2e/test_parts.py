"""A part of a stack, and a stack as a part of something else."""

import io
import sys
from pathlib import Path

import pytest

from engine import api
from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.docker]

CONSUMER = """
import pulumi

storage = pulumi.StackReference("organization/strata/{stack}")
pulumi.export("port", storage.get_output("backends").apply(lambda b: b["postgres"]["views"]["host"]["port"]))
pulumi.export("credentials", storage.require_output("credentials"))
"""


def test_only_the_target_is_touched(deployed: Project) -> None:
    before = deployed.ids()
    deployed.set("redis.memory", "320Mi")
    deployed.set("postgres.max_connections", 120)
    deployed.up("--target", "**::redis-container").succeeded()
    after = deployed.ids()
    assert after["db-postgres"] == before["db-postgres"]
    assert after["redis"] != before["redis"]
    deployed.up().succeeded()
    assert deployed.ids()["db-postgres"] != before["db-postgres"]


def test_a_part_can_be_destroyed_and_comes_back(deployed: Project) -> None:
    before = deployed.ids()
    backend = "**strata:docker:Redis**"
    deployed.run("destroy", "--yes", "--target", backend).refused("--target-dependents", "**::alfred-redis-user")
    assert deployed.ids() == before
    deployed.run("destroy", "--yes", "--target", backend, "--target-dependents").succeeded()
    assert deployed.ids().keys() == before.keys() - {"redis"}
    deployed.run("up", "--yes").succeeded()
    after = deployed.ids()
    assert {name for name in before if after[name] != before[name]} == {"redis"}


def test_another_program_uses_what_the_stack_exports(deployed: Project, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: consumer\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(CONSUMER.format(stack=deployed.stack))
    home = deployed.state_home / "strata"
    workspace = api.Workspace(
        root=tmp_path,
        stack="dev",
        backend_url=home.as_uri(),
        passphrase=(home / "passphrase" / deployed.stack).read_text().strip(),
    )
    text = io.StringIO()
    done = api.up(workspace, api.Options(), api.TextDisplay(text))
    assert done.exit_code == 0, text.getvalue()
    found = api.outputs(workspace, show_secrets=True)
    exported = deployed.outputs()
    assert found["port"] == deployed.get("postgres.port")
    assert found["credentials"] == exported["credentials"]
    assert api.outputs(workspace, show_secrets=False)["credentials"] == "[secret]"
    assert api.destroy(workspace, api.Options(), api.TextDisplay(sys.stdout)).exit_code == 0
    assert deployed.outputs() == exported
