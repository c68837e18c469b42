"""What a pod is promised of its node, and what it may take at most."""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from pulumi_policy import ResourceValidationArgs, Severity

from policies.rules import values
from policies.rules.kubernetes import objects
from policies.rules.rule import ResourceRule
from policies.rules.values import Inputs

_RESOURCES = ("cpu", "memory")
_SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
}


def resources_set(args: ResourceValidationArgs) -> Iterator[str]:
    for container in objects.pod(args.resource_type, args.props).containers:
        for key, without in (
            ("requests", "its node may not have it when it is needed"),
            ("limits", "one pod can starve its whole node"),
        ):
            given = _of(container, key)
            if missing := [name for name in _RESOURCES if not values.is_given(given, name)]:
                yield (
                    f"{container.where}.resources.{key}: {' and '.join(missing)} not set, so {without}; write "
                    f"{key}: {{cpu: …, memory: …}} from the stack's settings"
                )


def postgres_guaranteed(args: ResourceValidationArgs) -> Iterator[str]:
    pod = objects.pod(args.resource_type, args.props)
    if pod.backend != "postgres":
        return
    for container in pod.containers:
        requests, limits = _of(container, "requests"), _of(container, "limits")
        for name in _RESOURCES:
            request, limit = requests.get(name), limits.get(name)
            if request and limit and _amount(request) != _amount(limit):
                yield (
                    f"{container.where}.resources.requests.{name}: {request} and not the limit of {limit}, so Postgres "
                    f"is ended first when its node is short of memory; write {name}: {limit} for both"
                )


def _of(container: objects.Container, key: str) -> Inputs:
    return (container.inputs.get("resources") or {}).get(key) or {}


def _amount(quantity: object) -> object:
    """As a number, since `1` and `1000m` are the same; what is no quantity is itself, and the API's to refuse."""
    number, suffix = re.fullmatch(r"(.*?)([A-Za-z]*)", str(quantity), re.DOTALL).groups()  # type: ignore[union-attr]
    try:
        return Decimal(number) * _SUFFIXES[suffix]
    except (InvalidOperation, KeyError):
        return quantity


_URL = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"

RULES = (
    ResourceRule(
        name="pod-limits-set",
        description="A pod's containers request CPU and memory, and have limits of both.",
        applies_to=objects.PODS,
        check=resources_set,
        severity=Severity.HIGH,
        remediation_steps="Set requests and limits from the backend's settings in Pulumi.<stack>.yaml.",
        url=_URL,
    ),
    ResourceRule(
        name="postgres-guaranteed",
        description="Postgres gets all of its limits promised, so that it is the last to be evicted.",
        applies_to=objects.PODS,
        check=postgres_guaranteed,
        severity=Severity.HIGH,
        remediation_steps="Make requests the same as limits.",
        url="https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/#guaranteed",
    ),
)
