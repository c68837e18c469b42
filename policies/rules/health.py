"""A health check tells the truth, or it is worse than none."""

import re
from collections.abc import Iterator, Sequence

from pulumi_policy import ResourceValidationArgs, Severity

from policies.rules import tokens, values
from policies.rules.rule import ResourceRule

# How a command ends when its own result is thrown away: `… || true`, `…; exit 0`, `… || echo down`.
_ALWAYS_SUCCEEDS = re.compile(
    r"""(?:^|\|\||;|\n)\s*(?:(?:/(?:usr/)?bin/)?true|:|exit\s+0|echo\b[^|;&\n]*)\s*["']?\s*;?\s*$"""
)
_SHELL = re.compile(r"^(?:\S*/)?(?:ba|da)?sh\s+-\w*c\s+[\"']?")

_PG_ISREADY_HOST = re.compile(r"(?:\s-h\s*|\s--host[=\s]\s*)(?P<host>[^\s;|&]+)")


def healthcheck_present(args: ResourceValidationArgs) -> Iterator[str]:
    tests = _tests(args)
    if not tests or tests[0] == "NONE":
        yield (
            "healthcheck: there is none, so a server that hangs looks well; write "
            'healthcheck=ContainerHealthcheckArgs(tests=["CMD", …]) with a round trip over TCP'
        )


def healthcheck_truthful(args: ResourceValidationArgs) -> Iterator[str]:
    tests = _tests(args)
    command = _SHELL.sub("", " ".join(tests[1:]).strip())
    if end := swallows_failure(tests[1:]):
        yield (
            f'healthcheck.tests: "{end}" succeeds whatever happened before it; leave that end out, so that '
            "the check fails with its command"
        )
    if re.search(r"\bpg_isready\b", command):
        host = _PG_ISREADY_HOST.search(command)
        if host is None or host["host"].strip("'\"").startswith("/"):
            yield (
                "healthcheck.tests: pg_isready asks the socket, where the server of the first initialisation answers "
                "too; write a query over TCP, or at least pg_isready -h 127.0.0.1"
            )


def swallows_failure(words: Sequence[str]) -> str | None:
    """The end of a command that succeeds whatever happened before it; None if it can fail."""
    command = _SHELL.sub("", " ".join(words).strip())
    return _tail(command) if command and _ALWAYS_SUCCEEDS.search(command) else None


def not_awaited_by_the_provider(args: ResourceValidationArgs) -> Iterator[str]:
    if args.props.get("wait"):
        yield (
            "wait: a container that does not become healthy in time stays behind half recorded, and the next preview "
            "replaces it; leave it out and let a Ready resource wait"
        )


def _tests(args: ResourceValidationArgs) -> list[str]:
    return list(values.each(args.props.get("healthcheck") or {}, "tests"))


def _tail(command: str) -> str:
    return command if len(command) <= 40 else f"…{command[-40:]}"


RULES = (
    ResourceRule(
        name="healthcheck-present",
        description="A container has a health check.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=healthcheck_present,
        severity=Severity.MEDIUM,
        remediation_steps="Use components.scripts.HEALTHCHECKS for the backend.",
        url="https://docs.docker.com/reference/dockerfile/#healthcheck",
    ),
    ResourceRule(
        name="healthcheck-truthful",
        description="A health check can fail, and asks the server that clients reach.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=healthcheck_truthful,
        severity=Severity.HIGH,
        remediation_steps="Make an authenticated round trip over TCP whose failure is the command's failure.",
        url="https://github.com/docker-library/postgres/issues/880",
    ),
    ResourceRule(
        name="container-not-awaited",
        description="Readiness is waited for by a resource of its own, not by the container.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=not_awaited_by_the_provider,
        severity=Severity.MEDIUM,
        remediation_steps="Leave wait and wait_timeout out; make what needs the backend depend on its Ready resource.",
        url="https://github.com/pulumi/pulumi/issues/9783",
    ),
)
