"""scripts/preflight.sh says what is missing before it changes anything. What it installs is seen on fresh machines."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Machine:
    """A checkout without .venv on a machine whose programs can be replaced or made to fail."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.programs = folder / "bin"
        self.home = folder / "home"
        for path in (self.checkout / "scripts", self.programs, self.home):
            path.mkdir(parents=True)
        shutil.copy(ROOT / "scripts/preflight.sh", self.checkout / "scripts")
        for file in ("pyproject.toml", "requirements.lock"):
            shutil.copy(ROOT / file, self.checkout)

    def replace(self, program: str, script: str) -> None:
        path = self.programs / program
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def preflight(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": str(self.home), "PATH": f"{self.programs}:/usr/sbin:/usr/bin:/sbin:/bin", **variables}
        command = [str(self.checkout / "scripts/preflight.sh"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.checkout.iterdir())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.replace("apt-get", "echo apt-get must not run >&2; exit 1")
    machine.replace("dockerd", "echo dockerd must not run >&2; exit 1")
    return machine


def test_a_full_disk_is_refused_first(machine: Machine) -> None:
    machine.replace("df", "echo head; echo /dev/sda 100000000 98000000 2000000 98% /")
    result = machine.preflight("--python-only")
    assert result.returncode == 1
    assert "has 2 GB free and Strata needs 8 GB" in result.stderr
    assert machine.files() == ["pyproject.toml", "requirements.lock", "scripts"]


def test_a_user_who_may_not_install_gets_the_command(machine: Machine) -> None:
    machine.replace("id", "echo 1000")
    machine.replace("python3", "exit 1")
    result = machine.preflight("--python-only")
    assert result.returncode == 1
    assert result.stderr.endswith("sudo apt-get install python3-venv \n")


def test_another_system_than_debian_gets_the_list(machine: Machine) -> None:
    machine.programs.joinpath("apt-get").unlink()
    for program in ("dirname", "df", "awk", "id", "tr", "mkdir", "cat"):
        machine.programs.joinpath(program).symlink_to(shutil.which(program) or program)
    machine.replace("python3", "exit 1")
    script = (machine.checkout / "scripts/preflight.sh").read_text()
    outside = "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin"
    assert outside in script
    (machine.checkout / "scripts/preflight.sh").write_text(script.replace(outside, ""))
    result = machine.preflight("--python-only", PATH=str(machine.programs))
    assert result.returncode == 1
    assert "install what Debian calls: python3-venv" in result.stderr


def test_an_old_python_is_named(machine: Machine) -> None:
    python = shutil.which("python3", path="/usr/bin")
    machine.replace(
        "python3", f'case "$*" in *version_info*) exit 1;; --version) echo Python 3.9.2;; *) {python} "$@";; esac'
    )
    result = machine.preflight("--python-only")
    assert result.returncode == 1
    assert "Python 3.11 or newer is needed" in result.stderr
    assert "Python 3.9.2" in result.stderr


@pytest.mark.docker
def test_a_docker_elsewhere_is_never_started(machine: Machine) -> None:
    result = machine.preflight(DOCKER_HOST=f"unix://{machine.home}/docker.sock")
    assert result.returncode == 1
    assert "docker.sock does not answer (No such file or directory): start it" in result.stderr


@pytest.mark.docker
def test_a_dockerd_that_fails_shows_the_end_of_its_log(machine: Machine) -> None:
    machine.replace("dockerd", "echo failed to start containerd; exit 1")
    # The socket of the script's own default, which this machine may well have.
    path = machine.checkout / "scripts/preflight.sh"
    socket = f"unix://{machine.home}/docker.sock"
    path.write_text(path.read_text().replace("unix:///var/run/docker.sock", socket).replace("/run/systemd", "/no"))
    path.write_text(path.read_text().replace("/var/run/docker.pid", f"{machine.home}/docker.pid"))
    result = machine.preflight()
    if os.geteuid() != 0:
        assert "start its daemon, sudo systemctl start docker" in result.stderr
        return
    assert result.returncode == 1
    assert "dockerd ended" in result.stderr
    assert "failed to start containerd" in result.stderr


def test_an_unknown_option_is_named(machine: Machine) -> None:
    result = machine.preflight("--fast")
    assert result.returncode == 1
    assert "unknown option --fast; known: --python-only" in result.stderr


def test_a_prepared_machine_costs_nothing(machine: Machine) -> None:
    (machine.checkout / ".venv/bin").mkdir(parents=True)
    (machine.checkout / ".venv/bin/python").symlink_to(sys.executable)
    (machine.checkout / ".venv/bin/pip").write_text(f"#!{machine.checkout}/.venv/bin/python\n")
    stamp = hashlib.sha256(b"".join((ROOT / file).read_bytes() for file in ("requirements.lock", "pyproject.toml")))
    (machine.checkout / ".venv/.strata-stamp").write_text(f"{stamp.hexdigest()}  -\n")
    machine.replace("df", "exit 1")  # nothing is checked that would not be used
    result = machine.preflight("--python-only")
    assert (result.returncode, result.stderr) == (0, "")

    machine.replace("df", "echo head; echo /dev/sda 100000000 98000000 2000000 98% /")
    (machine.checkout / "requirements.lock").write_text("changed")
    assert "Strata needs 8 GB" in machine.preflight("--python-only").stderr, "changed requirements must be installed"


def test_a_moved_checkout_gets_a_new_venv(machine: Machine) -> None:
    (machine.checkout / ".venv/bin").mkdir(parents=True)
    (machine.checkout / ".venv/bin/python").symlink_to(sys.executable)
    (machine.checkout / ".venv/bin/pip").write_text("#!/somewhere/else/.venv/bin/python\n")
    machine.replace("python3", f'case "$*" in *"-m venv"*) echo made; exit 1;; *) exec {sys.executable} "$@";; esac')
    result = machine.preflight("--python-only")
    assert "making .venv failed" in result.stderr, "its programs would start the old folder's Python"


def test_the_venv_of_another_checkout_is_left_alone(machine: Machine) -> None:
    other = machine.home / "other"
    (other / "bin").mkdir(parents=True)
    (machine.checkout / ".venv").symlink_to(other)
    machine.replace("python3", f'case "$*" in *"-m venv"*) exit 1;; *) exec {sys.executable} "$@";; esac')
    assert "making .venv failed" in machine.preflight("--python-only").stderr
    assert (other / "bin").is_dir()
    assert not (machine.checkout / ".venv").is_symlink(), "`python3 -m venv --clear` would have emptied it"


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_the_shell_scripts_are_clean() -> None:
    scripts = [*ROOT.glob("scripts/*.sh"), *ROOT.glob("images/stages/*/*.sh"), ROOT / ".ci/run"]
    assert len(scripts) >= 8
    result = subprocess.run(
        ["shellcheck", "--exclude=SC1091", *map(str, scripts)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
