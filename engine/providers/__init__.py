"""The providers that are built in. Each package's code is imported when a resource of it is first met."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.providers.base import Provider, ProviderError, Unsupported
from engine.providers.builtin import BuiltinProvider, StackOutputs


def _no_other_stacks(reference: str) -> StackOutputs:
    raise ProviderError(f"stack reference {reference!r}: there are no other stacks here")


@dataclass(frozen=True, kw_only=True)
class Host:
    """What a provider may know of the run that it belongs to."""

    project: str
    program: Path  # the program's folder
    python: Path  # the program's interpreter
    say: Callable[[str, Literal["info", "warning", "error"]], None]  # a line for the user
    pickles: tuple[str, ...] = ()  # the dynamic providers in the state
    outputs_of: Callable[[str], StackOutputs] = _no_other_stacks
    idle: Callable[[], AbstractContextManager[None]] = nullcontext  # around a wait: others may work meanwhile
    stopping: Callable[[], bool] = lambda: False  # whether the user asked to stop: what only waits then ends its wait


Opener = Callable[[Host], Provider]


def _aws(host: Host) -> Provider:
    from engine.providers.aws import AwsProvider

    return AwsProvider()


def _docker(host: Host) -> Provider:
    from engine.providers.docker import DockerProvider

    return DockerProvider()


def _kubernetes(host: Host) -> Provider:
    from engine.providers.kubernetes.provider import KubernetesProvider

    return KubernetesProvider(host)


def _random(host: Host) -> Provider:
    from engine.providers.random import RandomProvider

    return RandomProvider()


def _tls(host: Host) -> Provider:
    from engine.providers.tls import TlsProvider

    return TlsProvider(host.say)


def _dynamic(host: Host) -> Provider:
    from engine.providers.dynamic import DynamicProvider

    return DynamicProvider(host)


def _builtin(host: Host) -> Provider:
    return BuiltinProvider(host.outputs_of)


OPENERS: dict[str, Opener] = {
    "aws": _aws,
    "docker": _docker,
    "kubernetes": _kubernetes,
    "random": _random,
    "tls": _tls,
    "pulumi": _builtin,
    "pulumi-python": _dynamic,
}

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
