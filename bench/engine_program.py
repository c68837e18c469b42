"""The Pulumi program of a given size that the engine is measured with; run by an engine, as any program is.

A tenth are components, a tenth dynamic resources, the others of the provider `random`: what this project's own stack
has many of. `BENCH_SLOW` makes as many resources of a test provider instead, each of which takes a second.
"""

import os

import pulumi
import pulumi_random as random
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider


class NothingProvider(ResourceProvider):
    """Makes nothing."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, object]) -> CreateResult:
        return CreateResult(str(props["name"]), props)

    def diff(self, _id: str, _olds: dict[str, object], _news: dict[str, object]) -> DiffResult:
        return DiffResult(changes=_olds["name"] != _news["name"])


class Nothing(Resource, module="bench", name="Nothing"):
    """A dynamic resource."""


def declare(size: int) -> None:
    for group in range(size // 10):
        component = pulumi.ComponentResource("bench:index:Group", f"group-{group}")
        inside = pulumi.ResourceOptions(parent=component)
        first = random.RandomPassword(f"password-{group}", length=24, opts=inside)
        for number in range(7):
            after = pulumi.ResourceOptions(parent=component, depends_on=[first] if number % 2 else None)
            random.RandomId(f"id-{group}-{number}", byte_length=8, opts=after)
        Nothing(NothingProvider(), f"nothing-{group}", {"name": f"n{group}"}, inside)
        component.register_outputs({})


def declare_slow(count: int) -> None:
    for number in range(count):
        pulumi.CustomResource("bench:index:Slow", f"slow-{number}", {"number": number})


if __name__ == "__main__":
    if "BENCH_SLOW" in os.environ:
        declare_slow(int(os.environ["BENCH_SLOW"]))
    else:
        declare(int(os.environ["BENCH_SIZE"]))
