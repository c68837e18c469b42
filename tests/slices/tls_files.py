"""A certificate in a server's folder of secrets: as on a volume of Docker, and as a Secret of Kubernetes is mounted."""

import io
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime

from tests.certificates import Tls
from tests.slices.servers import LABEL, Server

FOLDER = "/secrets"


def maker() -> Tls:
    made = Tls()
    made.now = datetime.now(UTC)
    return made


def give(server: Server, files: Mapping[str, str]) -> Server:
    """For the next start. An empty text removes nothing and leaves an empty file."""
    server.ca = files.get("ca.crt")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid, entry.gid = len(text), 0o400, server.kind.uid, server.kind.uid
            archive.addfile(entry, io.BytesIO(text.encode()))
    helper = server.client.containers.create(
        server.image, ["true"], labels={LABEL: "1"}, volumes={server.secrets: {"bind": FOLDER, "mode": "rw"}}
    )
    try:
        helper.put_archive(FOLDER, buffer.getvalue())
    finally:
        helper.remove(force=True, v=True)
    return server


# All files in a folder of one version, root's and readable for the group; links to it through `..data`, which the
# kubelet replaces in one step.
MOUNTED = """
set -eu
cd "$1"
version=..$(date +%s%N)
mkdir "$version"
for file in *; do
    cp "$file" "$version/"
    chown "0:$2" "$version/$file"
    chmod 0440 "$version/$file"
done
ln -s "$version" ..data_tmp
mv -T ..data_tmp ..data
for file in *; do
    ln -sf "..data/$file" "$file.new"
    mv -T "$file.new" "$file"
done
"""


def as_mounted_by_kubernetes(server: Server) -> Server:
    """Called again, the files that `give` has replaced since are the next version."""
    server.client.containers.run(
        server.image,
        [FOLDER, str(server.kind.uid)],
        entrypoint=["sh", "-c", MOUNTED, "sh"],
        user="0:0",
        labels={LABEL: "1"},
        network_mode="none",
        remove=True,
        volumes={server.secrets: {"bind": FOLDER, "mode": "rw"}},
    )
    return server
