"""Credentials reach a pod as files of a Secret. Who may read pods and ConfigMaps is not who may read Secrets."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pulumi_policy import ResourceValidationArgs, Severity, StackValidationArgs

from policies.rules import credentials, tokens, values
from policies.rules.kubernetes import objects
from policies.rules.rule import ResourceRule, StackRule

_AS_FILE = "put it into a Secret and mount that in /run/strata/secrets"


def no_secret_in_pod(args: ResourceValidationArgs) -> Iterator[str]:
    for container in objects.pod(args.resource_type, args.props).containers:
        for index, entry in enumerate(values.each(container.inputs, "env")):
            if found := credentials.held_by(entry["name"], entry.get("value") or ""):
                where = f"{container.where}.env[{index}]"
                yield f"{where}: {entry['name']} {found}, which `kubectl describe` shows; {_AS_FILE}"
        for where, words in objects.commands(container):
            if credentials.in_command(" ".join(words)):
                yield f"{where}: it has a credential in it, which `kubectl describe` shows; {_AS_FILE}"


def no_secret_in_config_map(args: ResourceValidationArgs) -> Iterator[str]:
    texts: Mapping[str, str] = args.props.get("data") or {}
    for key in texts:
        text = texts[key] or ""
        if found := credentials.held_by(key, text):
            yield f"data.{key}: it {found}, which everybody reads who may read ConfigMaps; {_AS_FILE}"
        elif credentials.in_command(text):
            yield f"data.{key}: it has a credential in it, which everybody reads who may read ConfigMaps; {_AS_FILE}"
    for key in args.props.get("binaryData") or {}:
        if credentials.held_by(key, "…"):
            yield f"binaryData.{key}: it holds a credential, which everybody reads who may read ConfigMaps; {_AS_FILE}"


# Type → the output that is a credential.
_GENERATED = {tokens.RANDOM_PASSWORD: "result", tokens.KEPT_SECRET: "value", tokens.PRIVATE_KEY: "privateKeyPem"}
# Shorter ones may be in a text by chance.
_LEAST_LENGTH = 16


def no_generated_secret_in_the_open(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    made: dict[str, str] = {}
    for resource in stack.resources:
        key = _GENERATED.get(resource.resource_type, "")
        if key and values.is_known(resource.props, key) and len(resource.props[key]) >= _LEAST_LENGTH:
            made[resource.props[key].strip()] = resource.name
    for resource in stack.resources:
        if resource.resource_type in objects.PODS | {tokens.CONFIG_MAP, tokens.CONTAINER}:
            for where, text in _texts(resource.props, ""):
                for secret in (secret for secret in made if secret in text):
                    yield resource.urn, f"{where}: the secret that {made[secret]} generates is in it; {_AS_FILE}"


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Property and text, of all that are known."""
    if isinstance(value, str):
        yield where.removeprefix("."), value
    elif isinstance(value, Mapping):
        for key in value:
            if values.is_known(value, key):
                yield from _texts(value[key], f"{where}.{key}")
    elif isinstance(value, Sequence):
        for index in range(len(value)):
            if values.is_known_at(value, index):
                yield from _texts(value[index], f"{where}[{index}]")


_URL = "https://kubernetes.io/docs/concepts/security/secrets-good-practices/"

RULES = (
    ResourceRule(
        name="no-secret-in-pod",
        description="No credential stands in a pod's variables or commands.",
        applies_to=objects.PODS,
        check=no_secret_in_pod,
        severity=Severity.CRITICAL,
        remediation_steps="Mount a Secret, and let the start script or the probe read its file.",
        url=_URL,
    ),
    ResourceRule(
        name="no-secret-in-config-map",
        description="No credential stands in a ConfigMap.",
        applies_to=frozenset({tokens.CONFIG_MAP}),
        check=no_secret_in_config_map,
        severity=Severity.CRITICAL,
        remediation_steps="Move it into a Secret.",
        url=_URL,
    ),
    StackRule(
        name="no-generated-secret-in-the-open",
        description="What a stack generates as a secret is in no container, pod or ConfigMap of it.",
        check=no_generated_secret_in_the_open,
        severity=Severity.CRITICAL,
        remediation_steps="Hand it over as a file: a SecretFile, or a Secret that is mounted.",
        url="https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html",
    ),
)
