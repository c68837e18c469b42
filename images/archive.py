"""Writes an image as the archive that `docker load` reads.

`docker import` would be shorter, and knows neither STOPSIGNAL (Docker 20.10) nor a fixed identity.
"""

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def write(archive: Path, layer: Path, image: str, config: Mapping[str, Any], labels: Mapping[str, str]) -> None:
    """Writes `archive`: the one-layer image named `image` with the root in the tar `layer`.

    `config`: the fields of the OCI image specification's `config`, without Labels.
    """
    created = datetime.fromtimestamp(int(layer.stat().st_mtime), UTC).isoformat()
    description = json.dumps(
        {
            "architecture": _architecture(),
            "os": "linux",
            "created": created,
            "config": {**config, "Labels": dict(labels)},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(layer)}"]},
            "history": [{"created": created, "created_by": "strata images build"}],
        }
    ).encode()
    name = f"{hashlib.sha256(description).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": [image], "Layers": ["layer.tar"]}]
    with tarfile.open(archive, "w") as tar:
        tar.add(layer, arcname="layer.tar")
        _add(tar, name, description)
        _add(tar, "manifest.json", json.dumps(manifest).encode())


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _architecture() -> str:
    """Debian's name for this machine, which is Docker's too where Docker has official images (amd64, arm64, …)."""
    command = ["dpkg", "--print-architecture"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
