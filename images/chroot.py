"""Runs the steps of a build in a Debian root of their own.

Every command gets its own mount and process namespace. So mounts and daemons vanish with it, also when this process is
killed, and nothing of a build can be left mounted on the host.
"""

import os
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from images.errors import ImageError

Progress = Callable[[str], None]

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
WORKSHOP = Path("run/strata-build")
"""Where a stage finds its files inside the root. It is gone before the root is packed."""

_HEARTBEAT = 5.0
_TAIL = 15


@dataclass(frozen=True, kw_only=True)
class Mirrors:
    """Where Debian packages come from."""

    main: str = "http://deb.debian.org/debian"
    security: str = "http://deb.debian.org/debian-security"


def check_host() -> None:
    """Raises ImageError unless this host can make a Debian root."""
    lacking = {
        "debootstrap": not shutil.which("debootstrap", path=_path()),
        "debian-archive-keyring": not KEYRING.is_file(),
        "util-linux": not (shutil.which("unshare") and shutil.which("setpriv")),
    }
    if missing := [package for package, absent in lacking.items() if absent]:
        raise ImageError(f"building images needs: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        raise ImageError(
            "building images needs root (debootstrap and chroot): run `sudo .venv/bin/strata images build`, "
            "or set `strata:images.source: registry` where a registry can be reached"
        )


def host_mirrors() -> Mirrors:
    """The mirrors that this host's own apt uses, Debian's public ones where it names none (or is not Debian)."""
    found: dict[str, str] = {}
    if shutil.which("apt-get"):
        listing = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"],
            capture_output=True,
            text=True,
            check=False,
        )
        for line in listing.stdout.splitlines():
            origin, label, uri = line.split("|", 2)
            if origin == "Debian" and uri.startswith(("http://", "https://")):
                found.setdefault(label, uri.rstrip("/"))
    return Mirrors(main=found.get("Debian", Mirrors.main), security=found.get("Debian-Security", Mirrors.security))


def bootstrap(root: Path, suite: str, mirrors: Mirrors, log: Path, progress: Progress) -> None:
    """Makes a minimal Debian in `root`. The archive's signature is checked against the host's keyring, always."""
    _run(
        "debootstrap",
        [
            *_isolated(),
            *("debootstrap", "--variant=minbase", "--force-check-gpg", f"--keyring={KEYRING}"),
            *(suite, str(root), mirrors.main),
        ],
        log,
        progress,
        env={**os.environ, "PATH": _path()},
    )


def run_stage(
    root: Path,
    folder: Path,
    sources: Sequence[Path],
    suite: str,
    mirrors: Mirrors,
    log: Path,
    progress: Progress,
) -> None:
    """Runs `folder/run.sh` inside `root`; the folder's files and `sources` are in /run/strata-build meanwhile."""
    workshop = root / WORKSHOP
    shutil.copytree(folder, workshop)
    for source in sources:
        shutil.copytree(source, workshop / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    (workshop / "mirrors").write_text(
        f"SUITE={suite}\nDEBIAN_MIRROR={mirrors.main}\nDEBIAN_SECURITY_MIRROR={mirrors.security}\n"
    )
    (workshop / "apt.conf").write_text(_host_apt_settings(workshop))
    shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
    # Where the host gets Go's modules and Python's packages from is as much its own affair as its proxies are.
    shared = ("GOPROXY", "GOSUMDB", "PIP_INDEX_URL")
    environment = {n: v for n, v in os.environ.items() if n.lower().endswith("_proxy") or n in shared}
    environment |= {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
        "APT_CONFIG": f"/{WORKSHOP}/apt.conf",
        "SSL_CERT_FILE": f"/{WORKSHOP}/{CA_BUNDLE.name}",
        "PIP_CERT": f"/{WORKSHOP}/{CA_BUNDLE.name}",
    }
    _run(
        f"the stage {folder.name}",
        [*_isolated(), f"--root={root}", "/bin/sh", f"/{WORKSHOP}/run.sh"],
        log,
        progress,
        env=environment,
    )
    shutil.rmtree(workshop)


def pack(root: Path, tar: Path, log: Path, progress: Progress) -> None:
    """Writes `root` as `tar`, without what a kernel or a container engine brings. It appears complete or not at all."""
    partial = tar.with_suffix(".partial")
    excluded = [f"--exclude=./{folder}/*" for folder in ("dev", "proc", "sys", "tmp")]
    command = ["tar", "--numeric-owner", "--one-file-system", "--sort=name", *excluded]
    _run("packing", [*command, "-C", str(root), "-cf", str(partial), "."], log, progress, env=dict(os.environ))
    partial.replace(tar)


def unpack(tar: Path, root: Path, log: Path, progress: Progress) -> None:
    root.mkdir(parents=True)
    _run(
        "unpacking", ["tar", "--numeric-owner", "-C", str(root), "-xpf", str(tar)], log, progress, env=dict(os.environ)
    )


def _host_apt_settings(workshop: Path) -> str:
    """apt's configuration inside the root: the host's proxies, and its certificates for mirrors behind TLS."""
    settings = ""
    if shutil.which("apt-config"):
        dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
        settings = "".join(
            f"{line}\n"
            for line in dump.splitlines()
            if line.startswith(("Acquire::http::Proxy", "Acquire::https::Proxy"))
        )
    if CA_BUNDLE.is_file():
        shutil.copyfile(CA_BUNDLE, workshop / CA_BUNDLE.name)
        settings += f'Acquire::https::CaInfo "/{WORKSHOP}/{CA_BUNDLE.name}";\n'
    return settings


def _isolated() -> list[str]:
    """The words before a command that give it namespaces, which end with it, and it with this process."""
    words = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    if any(mount.split()[4] == "/" for mount in mounts):
        return [*words, "--mount-proc"]
    # Inside a plain chroot the root is no mount point, so its mounts can't be made private. Then nothing is mounted.
    return [*words, "--propagation", "unchanged"]


def _path() -> str:
    """PATH with the folders of debootstrap and its helpers, which `su` leaves out."""
    return f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"


def _run(what: str, command: Sequence[str], log: Path, progress: Progress, *, env: dict[str, str]) -> None:
    """Runs `command` with its output in `log`, and shows the current line every few seconds."""
    tail: deque[str] = deque(maxlen=_TAIL)
    shown = time.monotonic()
    with (
        log.open("a") as file,
        subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                file.write(line)
                tail.append(line.rstrip())
                if time.monotonic() - shown >= _HEARTBEAT:
                    shown = time.monotonic()
                    progress(f"  … {line.strip()[:100]}")
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        lines = "\n".join(f"  {line}" for line in tail)
        raise ImageError(f"{what} failed (exit status {process.returncode}); the end of {log}:\n{lines}")
