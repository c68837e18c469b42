"""Probes tell the truth: a server that is starting is not killed, one that serves nobody gets no clients."""

import re
from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs, Severity

from policies.rules import health, values
from policies.rules.kubernetes import objects
from policies.rules.rule import ResourceRule

_WITHOUT = {
    "startupProbe": "a recovery that takes long is killed and begins again",
    "readinessProbe": "clients are sent to a server that cannot serve them yet",
    "livenessProbe": "a server that hangs is left so",
}
# What asks Postgres something that only a login gets an answer to.
_QUERY = re.compile(r"\bpsql\b")


def probes_present(args: ResourceValidationArgs) -> Iterator[str]:
    for container in _of_backends(args):
        for key, without in _WITHOUT.items():
            if not values.is_given(container.inputs, key):
                yield f"{container.where}.{key}: none is set, so {without}; take it from components.scripts.probes"


def probes_truthful(args: ResourceValidationArgs) -> Iterator[str]:
    for container in _of_backends(args):
        for key in objects.PROBES:
            command = _command(container, key)
            if end := health.swallows_failure(command):
                yield (
                    f'{container.where}.{key}.exec.command: "{end}" succeeds whatever happened before it; leave that '
                    "end out, so that the probe fails with its command"
                )
        ready = " ".join(_command(container, "readinessProbe"))
        if re.search(r"\bpg_isready\b", ready) and not _QUERY.search(ready):
            yield (
                f"{container.where}.readinessProbe.exec.command: pg_isready is content with a server that refuses "
                'every login; write a query over TCP, as psql -h127.0.0.1 -c"SELECT 1"'
            )


def _of_backends(args: ResourceValidationArgs) -> Iterator[objects.Container]:
    pod = objects.pod(args.resource_type, args.props)
    if pod.backend:
        yield from (container for container in pod.containers if container.serves)


def _command(container: objects.Container, key: str) -> list[str]:
    probe: values.Inputs = container.inputs.get(key) or {}
    return list(values.each(probe.get("exec") or {}, "command"))


_URL = "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/"

RULES = (
    ResourceRule(
        name="probes-present",
        description="A backend in a cluster has a startup, a readiness and a liveness probe.",
        applies_to=objects.SERVING,
        check=probes_present,
        severity=Severity.HIGH,
        remediation_steps="Use components.scripts.probes for the backend.",
        url=_URL,
    ),
    ResourceRule(
        name="probes-truthful",
        description="A probe can fail, and readiness is an answer to a login.",
        applies_to=objects.SERVING,
        check=probes_truthful,
        severity=Severity.HIGH,
        remediation_steps="Make an authenticated round trip over TCP whose failure is the command's failure.",
        url="https://www.postgresql.org/docs/17/app-pg-isready.html",
    ),
)
