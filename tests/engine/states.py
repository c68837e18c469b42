"""Entries of a state for tests."""

from dataclasses import replace
from typing import Any

from engine.state import ResourceState

STACK = "organization/shop/dev"
PREFIX = "urn:pulumi:dev::shop::"
ROOT = f"{PREFIX}pulumi:pulumi:Stack::shop-dev"
PROVIDER = f"{PREFIX}pulumi:providers:docker::default_5_2_0"
VOLUME = f"{PREFIX}docker:index/volume:Volume::data"


def stack() -> ResourceState:
    return ResourceState(urn=ROOT, type="pulumi:pulumi:Stack", custom=False, outputs={"port": 5432})


def provider() -> ResourceState:
    return ResourceState(urn=PROVIDER, type="pulumi:providers:docker", custom=True, id="p-1")


def volume(**changes: Any) -> ResourceState:
    entry = ResourceState(
        urn=VOLUME,
        type="docker:index/volume:Volume",
        custom=True,
        id="data",
        inputs={"name": "data"},
        parent=ROOT,
        provider=f"{PROVIDER}::p-1",
    )
    return replace(entry, **changes)
