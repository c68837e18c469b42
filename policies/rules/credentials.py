"""Credentials reach a container as files. Environment and command lines are shown by `docker inspect` and `ps`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi_policy import ResourceValidationArgs, Secret, Severity

from policies.rules import tokens, values
from policies.rules.rule import ResourceRule

# Only names that end so: POSTGRES_PASSWORD_FILE and TOKEN_LIFETIME hold no credential.
_SECRET_NAME = re.compile(
    r"(?:PASS|PASSWD|PASSWORD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|REDISCLI_AUTH"
    r"|(?:API|ACCESS|SECRET|PRIVATE|ENCRYPTION|SERVICE|ANON)[-_.]?KEY)$",
    re.IGNORECASE,
)
_USER_NAME = re.compile(r"(?:MINIO|S3)_ACCESS_KEY$")  # which S3 calls a key
_URL_WITH_PASSWORD = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@$]+@", re.IGNORECASE)

# A literal after an option or a variable that takes a password; `$…` and a file are not literals.
_LITERAL = r"[\"']?(?![\"'$])[^\s\"';]+"
_COMMAND_SECRETS = (
    re.compile(rf"--?requirepass[=\s]+{_LITERAL}"),
    re.compile(rf"--(?:password|pass|api-key|secret-key)[=\s]+{_LITERAL}"),
    re.compile(rf"\b(?:PGPASSWORD|REDISCLI_AUTH|POSTGRES_PASSWORD)={_LITERAL}"),
    re.compile(rf"\bredis-cli\b.*\s-a\s+{_LITERAL}"),
    _URL_WITH_PASSWORD,
)
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")
_REFERENCE = re.compile(r"\$\(\w+\)")  # to another variable, as Kubernetes has it


def held_by(name: str, value: str) -> str | None:
    """What is wrong with a text under this name, as the end of a sentence; None if it is no credential."""
    if not value or _REFERENCE.fullmatch(value):
        return None
    if _PRIVATE_KEY.search(value):
        return "holds a private key"
    if _SECRET_NAME.search(name) and not _USER_NAME.search(name):
        return "holds a credential"
    return "is a URL with a password in it" if _URL_WITH_PASSWORD.search(value) else None


def in_command(text: str) -> bool:
    """Whether it has a credential in it that is written out."""
    return any(pattern.search(text) for pattern in _COMMAND_SECRETS) or bool(_PRIVATE_KEY.search(text))


def no_secret_in_environment(args: ResourceValidationArgs) -> Iterator[str]:
    for index, entry in enumerate(values.each(args.props, "envs")):
        name, _, value = entry.partition("=")
        if not value:
            continue
        if _SECRET_NAME.search(name):
            yield (
                f"envs[{index}]: {name} holds a credential, which `docker inspect` shows and every child process gets; "
                f"write {name}_FILE=/run/strata/secrets/… and put the file there with a SecretFile"
            )
        elif _URL_WITH_PASSWORD.search(value):
            yield (
                f"envs[{index}]: {name} is a URL with a password in it; give host, user and database apart, and the "
                "password as a file"
            )


def no_secret_in_command(args: ResourceValidationArgs) -> Iterator[str]:
    healthcheck = args.props.get("healthcheck") or {}
    for where, inputs, key in (
        ("command", args.props, "command"),
        ("entrypoints", args.props, "entrypoints"),
        ("healthcheck.tests", healthcheck, "tests"),
    ):
        if in_command(" ".join(values.each(inputs, key))):
            yield (
                f"{where}: it has a credential in it, which the process list shows; read it from a file in "
                "/run/strata/secrets when the command runs"
            )


# Of 62 letters and digits, 20 are 119 bits. Shorter ones are for people to type, and nobody types these.
_LEAST_LENGTH = 20


def random_and_long(args: ResourceValidationArgs) -> Iterator[str]:
    length = values.number(args.props, "length")
    if length < _LEAST_LENGTH:
        yield f"length: {length:g} characters can be guessed; write length={_LEAST_LENGTH} or more"


# Type → the input that is a credential.
_CREDENTIAL = {
    tokens.DEFAULT_USER: "password",
    tokens.OBJECT_STORE_USER: "password",
    tokens.REDIS_USER: "password",
    tokens.ROLE: "password",
    tokens.SECRET_FILE: "content",
}


def mark_secret(args: ResourceValidationArgs, secrets: frozenset[str]) -> Mapping[str, Any]:
    key = _CREDENTIAL[args.resource_type]
    return {key: Secret(args.props[key])} if key not in secrets and values.is_known(args.props, key) else {}


RULES = (
    ResourceRule(
        name="no-secret-in-environment",
        description="No credential is handed to a container through its environment.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=no_secret_in_environment,
        severity=Severity.CRITICAL,
        remediation_steps="Write the credential with a SecretFile and name the file in a variable that ends in _FILE.",
        url="https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html",
    ),
    ResourceRule(
        name="no-secret-in-command",
        description="No credential stands in a command line.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=no_secret_in_command,
        severity=Severity.CRITICAL,
        remediation_steps="Let the start script or the health check read the secret file.",
        url="https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html",
    ),
    ResourceRule(
        name="random-and-long",
        description="A generated credential has 20 characters at least.",
        applies_to=frozenset({tokens.RANDOM_PASSWORD}),
        check=random_and_long,
        severity=Severity.HIGH,
        remediation_steps="Set length to 20 or more.",
        url="https://pages.nist.gov/800-63-4/sp800-63b.html",
    ),
    ResourceRule(
        name="secret-marked",
        description="A credential is a secret of Pulumi's, which states, plans and outputs hold encrypted only.",
        applies_to=frozenset(_CREDENTIAL),
        remediate=mark_secret,
        severity=Severity.HIGH,
        remediation_steps="Wrap the value in pulumi.Output.secret, or take it from a resource that generates it.",
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
    ),
)
