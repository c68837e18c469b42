"""A container that nobody looks at: it comes back, stops cleanly, does not fill the disk, and says whose it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from pulumi_policy import ResourceValidationArgs, Severity

from policies.rules import container, tokens, values
from policies.rules.rule import ResourceRule

# Seconds a clean shutdown may need: a Postgres checkpoint takes more than 90 s on slow disks (the official image's own
# Dockerfile says so), Redis writes its last AOF within its shutdown-timeout of 10 s and some.
SHUTDOWN_SECONDS = {"postgres": 120, "redis": 30}
ANY_SHUTDOWN_SECONDS = 10

# Log drivers that keep files on the host without an end unless told otherwise; `local` rotates by itself.
_FILES_WITHOUT_END = frozenset({"", "json-file"})
_ROTATION = {"max-size": "10m", "max-file": "3"}

_LABEL = "strata.stack"


def restarts(args: ResourceValidationArgs) -> Iterator[str]:
    policy = args.props.get("restart") or "no"
    if policy not in ("always", "unless-stopped"):
        yield f'restart: "{policy}" leaves a backend down after a crash or a reboot; write restart="unless-stopped"'


def logs_rotated(args: ResourceValidationArgs) -> Iterator[str]:
    if missing := _missing_rotation(args):
        yield (
            f"log_opts: {' and '.join(missing)} not set, so the log grows until the disk is full; write "
            'log_driver="json-file", log_opts={"max-size": "10m", "max-file": "3"}'
        )


def rotate_logs(args: ResourceValidationArgs, _: frozenset[str]) -> Mapping[str, Any]:
    missing = _missing_rotation(args)
    if not missing:
        return {}
    added = {key: _ROTATION[key] for key in missing}
    return {"logDriver": "json-file", "logOpts": {**(args.props.get("logOpts") or {}), **added}}


def _missing_rotation(args: ResourceValidationArgs) -> list[str]:
    if (args.props.get("logDriver") or "") not in _FILES_WITHOUT_END:
        return []
    options = args.props.get("logOpts") or {}
    return [key for key in _ROTATION if not options.get(key)]


def labelled(args: ResourceValidationArgs) -> Iterator[str]:
    label = _stack_label(args)
    found = [entry.get("value") for entry in values.each(args.props, "labels") if entry.get("label") == _LABEL]
    if found == [label]:
        return
    whose = f"says {found[0]}" if found else "is missing"
    yield f"labels: {_LABEL} {whose}, so nobody finds what belongs to {label}; write labels=context.labels(…)"


def label(args: ResourceValidationArgs, _: frozenset[str]) -> Mapping[str, Any]:
    # Labels cannot be changed: a volume would lose its data, and a network would take its containers with it.
    if args.resource_type != tokens.CONTAINER or not any(labelled(args)):
        return {}
    others = [entry for entry in values.each(args.props, "labels") if entry.get("label") != _LABEL]
    return {"labels": [*others, {"label": _LABEL, "value": _stack_label(args)}]}


def _stack_label(args: ResourceValidationArgs) -> str:
    """Project and stack, which stand in every URN: `urn:pulumi:<stack>::<project>::…`."""
    prefix, project, _ = args.urn.split("::", 2)
    return f"{project}/{prefix.rpartition(':')[2]}"


def stops_cleanly(args: ResourceValidationArgs) -> Iterator[str]:
    backend = container.backend(args.props) or ""
    needed = SHUTDOWN_SECONDS.get(backend, ANY_SHUTDOWN_SECONDS)
    grace = values.number(args.props, "destroyGraceSeconds")
    if grace < needed:
        yield (
            f"destroy_grace_seconds: {_seconds(grace, 'nothing is said, which is 0 s')}, so a replacement kills "
            f"{backend or 'the server'} while it writes; write destroy_grace_seconds={needed}"
        )
    timeout = values.number(args.props, "stopTimeout")
    if timeout < needed and needed > ANY_SHUTDOWN_SECONDS:  # Docker's own default is 10 s
        yield (
            f"stop_timeout: {_seconds(timeout, 'nothing is said, which is 10 s')}, so `docker stop` and a reboot kill "
            f"{backend} while it writes; write stop_timeout={needed}"
        )


def _seconds(value: float, unset: str) -> str:
    return f"{value:g} s are too short" if value else unset


RULES = (
    ResourceRule(
        name="restarts",
        description="A container comes back after a crash and a reboot.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=restarts,
        severity=Severity.MEDIUM,
        remediation_steps='Set restart="unless-stopped".',
        url="https://docs.docker.com/engine/containers/start-containers-automatically/",
    ),
    ResourceRule(
        name="logs-rotated",
        description="A container's log has a largest size.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=logs_rotated,
        remediate=rotate_logs,
        severity=Severity.MEDIUM,
        remediation_steps="Set max-size and max-file in log_opts, or use the local log driver.",
        url="https://docs.docker.com/engine/logging/drivers/json-file/",
    ),
    ResourceRule(
        name="stops-cleanly",
        description="A container gets the time that its server needs to shut down.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=stops_cleanly,
        severity=Severity.HIGH,
        remediation_steps="Set stop_timeout (for Docker) and destroy_grace_seconds (for the provider's replacements).",
        url="https://www.pulumi.com/registry/packages/docker/api-docs/container/#destroygraceseconds_python",
    ),
    ResourceRule(
        name="labelled",
        description="Everything on a daemon says which stack it belongs to.",
        applies_to=frozenset({tokens.CONTAINER, tokens.NETWORK, tokens.VOLUME}),
        check=labelled,
        remediate=label,
        severity=Severity.LOW,
        remediation_steps="Take the labels from DockerContext.labels.",
        url="https://docs.docker.com/engine/manage-resources/labels/",
    ),
)
