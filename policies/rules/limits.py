"""What a container may take from its host."""

from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs, Severity

from policies.rules import tokens, values
from policies.rules.rule import ResourceRule


def limits_set(args: ResourceValidationArgs) -> Iterator[str]:
    if values.number(args.props, "memory") <= 0:
        yield "memory: without a limit one container can starve the host; write memory=<MiB> from the stack's settings"
    if values.number(args.props, "cpus") <= 0 and values.number(args.props, "cpuQuota") <= 0:
        yield 'cpus: without a limit one container can take every core; write cpus="<cores>" from the stack\'s settings'


def memory_swap_set(args: ResourceValidationArgs) -> Iterator[str]:
    memory, swap = values.number(args.props, "memory"), values.number(args.props, "memorySwap")
    if memory <= 0:
        return  # limits-set speaks of this
    if swap == 0:
        yield (
            f"memory_swap: without it Docker adds as much swap as memory, and a host with swap shows a difference in "
            f"every preview; write memory_swap={memory:g}, which is no swap"
        )
    elif swap < memory:
        yield (
            f"memory_swap: {swap:g} is {'unlimited swap' if swap < 0 else 'less than the memory'}; "
            f"write memory_swap={memory:g}, which is no swap"
        )


RULES = (
    ResourceRule(
        name="limits-set",
        description="A container has a memory and a CPU limit.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=limits_set,
        severity=Severity.HIGH,
        remediation_steps="Set memory and cpus from the backend's settings in Pulumi.<stack>.yaml.",
        url="https://docs.docker.com/engine/containers/resource_constraints/",
    ),
    ResourceRule(
        name="memory-swap-set",
        description="A container with a memory limit says how much swap it may use.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=memory_swap_set,
        severity=Severity.MEDIUM,
        remediation_steps="Set memory_swap to the same number as memory.",
        url="https://docs.docker.com/engine/containers/resource_constraints/#--memory-swap-details",
    ),
)
