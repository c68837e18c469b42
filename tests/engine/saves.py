"""Whole snapshots, saved and read back, for tests."""

import json
import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

from engine.backend import StackFiles
from engine.checkpoint import decode
from engine.secrets import Vault
from engine.state import ResourceState, Snapshot
from engine.values import Secret

SALT = "v1:c2FsdA==:v1:bm9uY2U=:cHJvb2Y="
ROOT = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"


def snapshot(generation: int, size: int = 3) -> Snapshot:
    root = ResourceState(urn=ROOT, type="pulumi:pulumi:Stack", custom=False, outputs={"key": Secret(generation)})
    others = (
        ResourceState(
            urn=f"urn:pulumi:dev::shop::a:b:C::{index}",
            type="a:b:C",
            custom=True,
            id=str(index),
            inputs={"generation": generation, "password": Secret(f"s3cr3t-{index}"), "text": "x" * 500},
            outputs={"generation": generation, "password": Secret(f"s3cr3t-{index}"), "text": "x" * 500},
            parent=ROOT,
        )
        for index in range(size - 1)
    )
    return Snapshot(resources=(root, *others))


def die_at(moment: int, names: Iterable[str]) -> None:
    """The call of that number, counted from 1, of these functions of `os` is never made: SIGKILL comes first."""
    remaining = moment

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal remaining
            remaining -= 1
            if remaining == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    for name in names:
        setattr(os, name, dying(getattr(os, name)))


def save(files: StackFiles, generation: int, vault: Vault) -> None:
    files.save(lambda: snapshot(generation), vault)


def saved_generation(files: StackFiles, vault: Vault) -> int:
    return int(decode(json.loads(files.path.read_bytes()), vault).stack_outputs["key"].value)
