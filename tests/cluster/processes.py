"""Programs in the background, known by process id and start time: nobody else's process is ever taken for one."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.errors import ClusterError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FORK_SECONDS = 10
_RECORD_AND_EXEC = """
started=$(cut -d' ' -f22 /proc/$$/stat)@$(cat /proc/sys/kernel/random/boot_id)
echo "$$ $started" > "$0.partial" && mv "$0.partial" "$0" && exec "$@"
"""


@dataclass(frozen=True)
class Processes:
    folder: Path
    """One file per program: its process id and start time."""
    logs: Path

    def start(
        self,
        name: str,
        command: Sequence[object],
        *,
        network: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Starts `command`, in the network namespace `network`, unless the program `name` runs."""
        if self.pid(name) is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        inside = ["nsenter", f"--net={network}", "--"] if network else []
        record = self.folder / name
        record.unlink(missing_ok=True)
        # A child of this process would be left as a zombie when it ends, so it is given away. It records itself, and is
        # known even when this process is killed now.
        fork = ["setsid", "--fork", "sh", "-c", _RECORD_AND_EXEC, record]
        with (self.logs / f"{name}.log").open("ab") as log:
            subprocess.run(
                [str(word) for word in [*fork, *inside, *command]],
                env={"PATH": PATH, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
            )
        deadline = time.monotonic() + _FORK_SECONDS
        while not record.is_file():
            if time.monotonic() > deadline:
                raise ClusterError(f"{name} did not start within {_FORK_SECONDS} s; {self.log_end(name)}")
            time.sleep(0.005)

    def names(self) -> list[str]:
        """Every program that was started and not stopped, also those that ended by themselves."""
        return sorted(path.name for path in self.folder.glob("*") if path.suffix != ".partial")

    def pid(self, name: str) -> int | None:
        """The process id of a program that runs."""
        try:
            pid, _, started = (self.folder / name).read_text().strip().partition(" ")
        except FileNotFoundError:
            return None
        return int(pid) if pid and identity(int(pid)) == started else None

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM, *, seconds: float = 10) -> None:
        """Ends a program, by force when it takes longer than `seconds`."""
        for each in (how, signal.SIGKILL):
            pid = self.pid(name)
            if pid is None:
                break
            os.kill(pid, each)
            deadline = time.monotonic() + seconds
            while self.pid(name) is not None and time.monotonic() < deadline:
                time.sleep(0.02)
        else:
            if self.pid(name) is not None:
                raise ClusterError(f"{name} (process {self.pid(name)}) can't be ended")
        (self.folder / name).unlink(missing_ok=True)

    def log_end(self, name: str, lines: int = 15) -> str:
        path = self.logs / f"{name}.log"
        text = path.read_text(errors="replace").splitlines()[-lines:] if path.is_file() else []
        return "\n".join([f"the end of {path}:", *(f"  {line[:300]}" for line in text)])


def identity(pid: int) -> str | None:
    """What no other process shares with `pid`: the boot and the time in it when it started. None when it has ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if words[0] in "ZX":  # ended, and nobody has asked for its status yet
        return None
    return f"{words[19]}@{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"


def run(command: Sequence[object], *, network: Path | None = None, stdin: str = "", seconds: float = 60) -> str:
    """The output of `command`. Raises ClusterError with what it said when it fails."""
    inside = ["nsenter", f"--net={network}", "--"] if network else []
    words = [*inside, *(str(word) for word in command)]
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{PATH}"}
    try:
        done = subprocess.run(
            words, input=stdin, capture_output=True, text=True, check=False, timeout=seconds, env=environment
        )
    except subprocess.TimeoutExpired:
        raise ClusterError(f"`{' '.join(words)}` did not end within {seconds:.0f} s") from None
    if done.returncode != 0:
        raise ClusterError(f"`{' '.join(words)}` failed (exit status {done.returncode}): {done.stderr.strip()}")
    return done.stdout


def mounts_below(folder: Path) -> list[Path]:
    """Where something is mounted in `folder`, in the order in which it was."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [Path(line.split()[4].replace("\\040", " ")) for line in lines]
    return [point for point in points if point.is_relative_to(folder)]
