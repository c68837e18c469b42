"""No generated secret is where it should not be: every one is looked for in everything that the stack left behind."""

import io
import json
import stat
import tarfile
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from tests.e2e.project import Project, containers

pytestmark = [pytest.mark.e2e, pytest.mark.docker]


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for child in value.values() for text in leaves(child)]
    return [value] if isinstance(value, str) else []


@pytest.fixture(scope="module")
def generated(deployed: Project) -> dict[str, str]:
    """Where it may be -> the secret: the logins of applications, the administrators, the passphrase."""
    home = deployed.state_home / "strata"
    found = {str(p.relative_to(home)): p.read_text().strip() for p in (home / "secrets").rglob("*") if p.is_file()}
    found |= {"passphrase": (home / "passphrase" / deployed.stack).read_text().strip()}
    credentials = deployed.outputs()["credentials"]
    for application, backends in credentials.items():
        for number, text in enumerate(leaves(backends)):
            if len(text) >= 20:  # a password, not a user's name
                found[f"{application}/{number}"] = text
    assert len(found) >= 6, f"only {sorted(found)} were found: the test would prove nothing"
    return found


def assert_free(place: str, text: str, generated: dict[str, str]) -> None:
    for name, secret in generated.items():
        assert secret not in text, f"the secret {name} is in {place}"


def test_not_in_what_docker_shows(deployed: Project, generated: dict[str, str]) -> None:
    client = docker.from_env()
    for container in containers(deployed.stack):
        assert_free(f"docker inspect {container.name}", json.dumps(container.attrs), generated)
        assert_free(f"docker logs {container.name}", container.logs().decode(errors="replace"), generated)
        image = client.images.get(container.attrs["Image"])
        assert_free(f"the history of {container.name}'s image", json.dumps(image.history()), generated)
        processes = json.dumps(container.top(ps_args="-eo pid,args"))
        assert_free(f"the process list of {container.name}", processes, generated)


def test_not_in_process_lists(generated: dict[str, str]) -> None:
    for process in psutil.process_iter(["cmdline"]):
        assert_free(f"argv of {process.pid}", " ".join(process.info["cmdline"] or []), generated)


def test_not_in_what_is_printed(deployed: Project, generated: dict[str, str]) -> None:
    deployed.set("redis.memory", "272Mi")  # so that there is something to print
    assert_free("preview", deployed.run("preview").succeeded().text, generated)
    assert_free("up", deployed.up().succeeded().text, generated)
    assert_free("outputs", deployed.run("outputs", "--json").succeeded().text, generated)


def test_in_the_state_home_only_where_they_belong(deployed: Project, generated: dict[str, str]) -> None:
    home = deployed.state_home / "strata"
    belongs = {home / "passphrase", home / "secrets", home / "config"}
    for path in home.rglob("*"):
        if not path.is_file():
            continue
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, f"{path} can be read by others"
        if not belongs & set(path.parents):
            assert_free(str(path), path.read_text(errors="replace"), generated)


def test_not_in_the_checkout(deployed: Project, generated: dict[str, str]) -> None:
    for path in deployed.root.glob("Pulumi*.yaml"):
        assert_free(str(path), path.read_text(), generated)


def test_the_containers_copies_are_their_users_alone(deployed: Project) -> None:
    for container in containers(deployed.stack):
        uid = int(container.attrs["Config"]["User"].partition(":")[0])
        stream, _ = container.get_archive("/run/strata/secrets")
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
            files = [member for member in archive.getmembers() if member.isfile()]
        assert files, f"{container.name} has no secrets"
        for member in files:
            assert (member.uid, member.mode & 0o777) == (uid, 0o400), f"{container.name}: {Path(member.name).name}"
