"""A stack on the cluster, derived from Pulumi.prod.yaml: only what a small cluster without a registry needs differs."""

import os
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.kubectl import Kubectl
from tests.e2e.project import ROOT, Project, free_port

SMALL = {
    "postgres": {"memory": "512Mi", "cpu": 0.2, "storage": "1Gi", "max_connections": 60},
    "redis": {"memory": "128Mi", "cpu": 0.1, "storage": "1Gi"},
    "qdrant": {"memory": "512Mi", "cpu": 0.2, "storage": "1Gi"},
    "object_store": {"memory": "1Gi", "cpu": 0.2, "storage": "4Gi"},
}
STORAGE = {"kind": "existing", "name": "encrypted", "encrypted": True}


def derived(stack: str, applications: list[str]) -> dict[str, Any]:
    """The settings. Names and ports are those of nobody else."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
    config["strata:stage"] = "test"
    config["strata:images"] = {"source": "local"}
    config["strata:platform"] |= {"namespace": stack, "prefix": f"{stack}-", "storage": dict(STORAGE)}
    config["strata:applications"] = applications
    for backend, sizes in SMALL.items():
        config[f"strata:{backend}"] |= {**sizes, "port": free_port()}
    config["strata:qdrant"]["grpc_port"] = free_port()
    config["strata:redis"]["dedicated"] = {
        name: {"memory": "64Mi", "cpu": 0.1, "port": free_port()}
        for name in ("assistant", "praval", "trends")
        if name in applications
    }
    return config


@dataclass
class ClusterProject(Project):
    """As `Project`, in a cluster; `kubectl` is in the namespace of the backends."""

    kubectl: Kubectl = field(kw_only=True)

    @classmethod
    def on(cls, root: Path, kubectl: Kubectl, applications: list[str]) -> "ClusterProject":
        base = Project.make(root)
        stack = f"k8s-{secrets.token_hex(3)}"
        project = cls(root, stack, kubectl=replace(kubectl, namespace=stack))
        base_file = root / f"Pulumi.{base.stack}.yaml"
        base_file.unlink(missing_ok=True)
        project.config = derived(stack, applications)
        project.write()
        return project

    def env(self, **extra: str) -> dict[str, str]:
        path = f"{Path(self.kubectl.program).parent}:{os.environ['PATH']}"
        return {**super().env(), "KUBECONFIG": str(self.kubectl.kubeconfig), "PATH": path, **extra}

    def remove(self) -> None:
        """Every namespace of the stack; what is in them goes with them."""
        self.kubectl("delete", "namespace", f"--selector=strata.stack=strata.{self.stack}", "--wait=true")
