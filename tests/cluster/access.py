"""The cluster that tests run on: a kubeconfig of yours, one of kind, or the one that this package makes."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from images.chroot import Progress
from tests.cluster.cluster import Cluster
from tests.cluster.errors import ClusterError
from tests.cluster.home import Home
from tests.cluster.kubectl import Kubectl
from tests.cluster.processes import run

KUBECONFIG = "STRATA_TEST_KUBECONFIG"
IMAGE = "STRATA_TEST_IMAGE"
OFFICIAL_IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.53"
KIND_CLUSTER = "strata"
_KIND_CONFIG = """\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes: [{role: control-plane}, {role: worker}, {role: worker}, {role: worker}]
"""


@dataclass(frozen=True)
class Access:
    kubectl: Kubectl
    image: str
    """Kubernetes' own image for tests, agnhost."""
    built: Cluster | None
    """None for a cluster that somebody else made."""


@contextmanager
def cluster_for_tests(home: Home, progress: Progress) -> Iterator[Access]:
    """Gives a cluster to test on; one of this folder is left as it was found: up, down or none. Raises ClusterError."""
    if os.environ.get(KUBECONFIG):
        path = Path(os.environ[KUBECONFIG])
        if not path.is_file():
            raise ClusterError(f"{KUBECONFIG} is {path}, and there is no such file")
        yield _foreign(path)
    elif shutil.which("kind"):
        yield _foreign(_kind(home, progress))
    else:
        cluster = Cluster(home, progress)
        was_there, was_up = bool(cluster.nodes), cluster.is_up()
        cluster.up()
        kubectl = Kubectl(cluster.parts.bin / "kubectl", home.kubeconfig)
        try:
            yield Access(kubectl, cluster.parts.image("agnhost"), cluster)
        finally:
            if not was_there:
                cluster.wipe()
            elif not was_up:
                cluster.down()


def _foreign(kubeconfig: Path) -> Access:
    program = shutil.which("kubectl")
    if program is None:
        raise ClusterError("kubectl is not on PATH, and tests on a cluster of yours need it")
    return Access(Kubectl(program, kubeconfig), os.environ.get(IMAGE, OFFICIAL_IMAGE), None)


def _kind(home: Home, progress: Progress) -> Path:
    """The kubeconfig of kind's cluster `strata`, which is made if it is not there and stays."""
    home.root.mkdir(parents=True, exist_ok=True)
    if KIND_CLUSTER not in run(["kind", "get", "clusters"]).split():
        progress(f"kind makes its cluster {KIND_CLUSTER!r}; it stays (kind delete cluster --name {KIND_CLUSTER})")
        command = ["kind", "create", "cluster", f"--name={KIND_CLUSTER}", "--config=-", "--wait=180s"]
        run([*command, f"--kubeconfig={home.root}/kind.created"], stdin=_KIND_CONFIG, seconds=600)
    path = home.root / "kind.kubeconfig"
    content = run(["kind", "get", "kubeconfig", f"--name={KIND_CLUSTER}"])
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(content)
    return path
