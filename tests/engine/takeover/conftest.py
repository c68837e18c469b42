"""A stack that either engine can act on, and another one that it refers to."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.engine.docker.conftest import client, image  # noqa: F401 - fixtures
from tests.engine.takeover.engines import EMBEDDED, OFFICIAL, Engine

NEEDED = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-resource-docker",
    "pulumi-resource-random",
    "pulumi-resource-pulumi-python",
)
_OTHER = 'import pulumi\npulumi.export("told", pulumi.Output.secret("by the other stack"))\n'


@pytest.fixture(autouse=True, scope="session")
def _installed() -> None:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not on PATH: {', '.join(missing)}. Install the pulumi CLI 3.260 and these plugins to run them")


@dataclass
class Shared:
    """One file backend with the stacks `dev` and `other` of the project `takeover`."""

    folder: Path
    prefix: str
    image: str
    step: int = 1
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, prefix: str, picture: str) -> "Shared":
        shutil.copytree(Path(__file__).with_name("program"), folder / "program")
        (folder / "other").mkdir()
        text = (folder / "program" / "Pulumi.yaml").read_text().replace("${VIRTUALENV}", sys.prefix)
        for name in ("program", "other"):
            (folder / name / "Pulumi.yaml").write_text(text)
        (folder / "other" / "__main__.py").write_text(_OTHER)
        (folder / "program" / "Pulumi.dev.yaml").write_text('config:\n  takeover:word: "1234567"\n')
        (folder / "state").mkdir()
        made = cls(folder, prefix, picture)
        OFFICIAL.run(made, "up", project="other", stack="other")
        return made

    def env(self) -> dict[str, str]:
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")},
            "PULUMI_BACKEND_URL": (self.folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "correct horse",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "TAKEOVER_PREFIX": self.prefix,
            "TAKEOVER_IMAGE": self.image,
            "TAKEOVER_STEP": str(self.step),
        }


@pytest.fixture
def shared(tmp_path: Path, client: Any, image: str) -> Iterator[Shared]:  # noqa: F811 - the fixtures above
    prefix = f"strata-takeover-{os.urandom(3).hex()}"
    client.create_volume(f"{prefix}-of-others", labels={"owner": prefix})
    made = Shared.make(tmp_path, prefix, image)
    yield made
    for container in client.containers(all=True, filters={"label": f"owner={prefix}"}):
        client.remove_container(container["Id"], force=True, v=True)
    for network in client.networks(filters={"label": f"owner={prefix}"}):
        client.remove_network(network["Id"])
    for volume in client.volumes(filters={"label": f"owner={prefix}"})["Volumes"] or ():
        client.remove_volume(volume["Name"], force=True)


ENGINES: dict[str, Engine] = {"official": OFFICIAL, "embedded": EMBEDDED}
