"""requirements.lock installs the same packages everywhere, and names no place to get them from."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
LOCKED = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK, re.MULTILINE))


def wanted() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    requirements += project["build-system"]["requires"]
    return {re.split(r"[^A-Za-z0-9-]", requirement)[0].lower() for requirement in requirements}


def test_everything_in_pyproject_is_locked() -> None:
    assert not wanted() - set(LOCKED), "run `make lock`"


def test_every_package_has_hashes() -> None:
    entries = re.split(r"^(?=[a-z0-9-]+==)", LOCK, flags=re.MULTILINE)[1:]
    assert len(entries) >= len(LOCKED)  # more where a package has one version for each Python
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]


def test_no_address_is_locked() -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links", LOCK), (
        "a lock file made elsewhere would not install here"
    )
