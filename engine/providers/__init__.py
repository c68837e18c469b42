"""The providers that are built in. Each package's code is imported when a resource of it is first met."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.providers.base import Provider, Unsupported


@dataclass(frozen=True, kw_only=True)
class Host:
    """What a provider may know of the run that it belongs to."""

    project: str
    program: Path  # the program's folder
    python: Path  # the program's interpreter
    say: Callable[[str, Literal["info", "warning", "error"]], None]  # a line for the user
    pickles: tuple[str, ...] = ()  # the dynamic providers in the state


Opener = Callable[[Host], Provider]


def _docker(host: Host) -> Provider:
    from engine.providers.docker import DockerProvider

    return DockerProvider()


def _random(host: Host) -> Provider:
    from engine.providers.random import RandomProvider

    return RandomProvider()


def _dynamic(host: Host) -> Provider:
    from engine.providers.dynamic import DynamicProvider

    return DynamicProvider(host)


OPENERS: dict[str, Opener] = {"docker": _docker, "random": _random, "pulumi-python": _dynamic}

# Providers without a preview of their own: what a preview of an update shows is the new inputs, all else unknown.
WITHOUT_PREVIEW = frozenset({"pulumi-python"})


def find(package: str) -> Opener:
    """Raises Unsupported, naming what there is."""
    if package not in OPENERS:
        raise Unsupported(
            f"the embedded engine has no provider for package {package!r} (it has: {', '.join(sorted(OPENERS))}); "
            "use the pulumi CLI for this stack"
        )
    return OPENERS[package]
