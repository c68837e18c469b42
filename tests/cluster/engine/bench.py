"""A provider on the cluster, without a program: what takes a run of the engine seconds takes milliseconds here."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.providers import Host
from engine.providers.base import Call, Diff, Old, PartialFailure, Properties
from engine.providers.kubernetes.provider import KubernetesProvider
from engine.values import plain
from tests.cluster.kubectl import Kubectl

Manifest = dict[str, Any]


def token(manifest: Manifest) -> str:
    api_version = manifest["apiVersion"]
    return f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{manifest['kind']}"


@dataclass
class Bench:
    """Objects are in the namespace of `kubectl`."""

    kubectl: Kubectl
    image: str
    config: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        def say(line: str, severity: str) -> None:
            self.said.append(line)

        host = Host(project="p", program=Path(), python=Path("python"), say=say, stopping=self.stop.is_set)
        self.provider = KubernetesProvider(host)
        self.provider.configure(
            {"kubeconfig": str(self.kubectl.kubeconfig), "namespace": self.kubectl.namespace, **self.config}
        )

    def call(self, manifest: Manifest, **more: Any) -> Call:
        name = manifest["metadata"].get("name", "thing")
        urn = f"urn:pulumi:test::{self.kubectl.namespace}::{token(manifest)}::{name}"
        return Call(urn=urn, type=token(manifest), name=name, random_seed=b"seed", **more)

    def check(self, manifest: Manifest, old: Old | None = None) -> Properties:
        before = old.inputs if old else None
        checked: Properties = plain(self.provider.check(self.call(manifest), before, manifest))
        return checked

    def create(self, manifest: Manifest, **call: Any) -> Old:
        checked = self.check(manifest)
        id, outputs = self.provider.create(self.call(manifest, **call), checked)
        return Old(id, checked, plain(outputs))

    def update(self, old: Old, manifest: Manifest, **call: Any) -> Old:
        checked = self.check(manifest, old)
        outputs = self.provider.update(self.call(manifest, **call), old, checked)
        return Old(old.id, checked, plain(outputs))

    def diff(self, old: Old, manifest: Manifest, **call: Any) -> Diff:
        return self.provider.diff(self.call(manifest, **call), old, self.check(manifest, old))

    def read(self, old: Old) -> Old | None:
        seen = self.provider.read(self.call(old.inputs), old)
        return None if seen is None else Old(seen.id, plain(seen.inputs), plain(seen.outputs))

    def read_unready(self, old: Old) -> Old:
        return self.failed(lambda: self.read(old), old.inputs)[0]

    def delete(self, old: Old, **call: Any) -> None:
        self.provider.delete(self.call(old.inputs, **call), old)

    def failed(self, act: Callable[[], object], inputs: Manifest) -> tuple[Old, str]:
        """What is recorded of an object that is there and is not as asked, and the reasons as one text."""
        try:
            act()
        except PartialFailure as failure:
            return Old(failure.id, self.check(inputs), plain(failure.outputs)), "\n".join(failure.reasons)
        raise AssertionError("it did not fail")
