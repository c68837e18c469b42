"""Pulumi.<stack>.yaml: a stack's configuration, validated and in the form in which a program is given it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.project import Declaration, Project, full_key
from engine.secrets import CiphertextError
from engine.values import Properties, Secret
from engine.yamlfile import YamlFile, read_yaml

Decrypt = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """Plain texts by full key, as PULUMI_CONFIG has them: what is neither text nor secret is JSON."""

    file: Path
    values: Mapping[str, str] = field(repr=False)
    secret_keys: frozenset[str] = frozenset()
    recorded: Mapping[str, Any] = field(default_factory=dict)  # for the history: secrets are {"secure": ciphertext}

    def of_package(self, package: str) -> Properties:
        """`<package>:<key>` values as a default provider's inputs: key → text, `Secret` where secret."""
        prefix = f"{package}:"
        return {
            key.removeprefix(prefix): value for key, value in self.as_properties().items() if key.startswith(prefix)
        }

    def as_properties(self) -> Properties:
        """All values by full key, `Secret` where secret: what the provider `pulumi-python` is configured with."""
        return {key: Secret(value) if key in self.secret_keys else value for key, value in self.values.items()}

    def environment(self) -> dict[str, str]:
        """PULUMI_CONFIG and PULUMI_CONFIG_SECRET_KEYS (both JSON) for the program. Holds secrets in plain."""
        return {
            "PULUMI_CONFIG": json.dumps(dict(self.values)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(sorted(self.secret_keys)),
        }


def encryption_salt(file: Path) -> str | None:
    """`encryptionsalt` of the stack's file, if it has one. Raises EngineError for another secrets provider."""
    if not file.exists():
        return None
    found = _read(file)
    provider = found.value.get("secretsprovider") or "passphrase"
    if provider != "passphrase":
        raise found.error(
            f"secrets provider '{provider}': the embedded engine knows only 'passphrase', use the pulumi CLI",
            "secretsprovider",
        )
    salt = found.value.get("encryptionsalt")
    return str(salt) if salt else None


def load_stack_config(project: Project, stack: str, file: Path, decrypt: Decrypt) -> StackConfig:
    """Reads, decrypts, fills in defaults, validates. `decrypt` may raise CiphertextError.

    A file that does not exist is an empty one. Raises EngineError with file, line and key, never with a secret.
    """
    found = _read(file)
    given = found.value.get("config") or {}
    if not isinstance(given, dict):
        raise found.error("'config' must be a mapping", "config")
    values: dict[str, str] = {}
    secrets: set[str] = set()
    recorded: dict[str, Any] = {}
    for name, value in given.items():
        place = ("config", str(name))
        key = full_key(found, project.name, str(name), *place)
        if key in values:
            raise found.error(f"'{key}' is given twice", *place)
        try:
            plain, secure = _reveal(value, decrypt)
        except CiphertextError as error:
            raise found.error(f"'{key}' can't be decrypted: it was encrypted with another salt", *place) from error
        _require_type(project.declarations.get(key), found, plain, secure, *place)
        values[key] = _as_text(plain)
        recorded[key] = value if isinstance(value, dict | list) else _as_text(value)
        if secure:
            secrets.add(key)
    _add_defaults(project, stack, found, values, recorded)
    return StackConfig(file=file, values=values, secret_keys=frozenset(secrets), recorded=recorded)


def _read(file: Path) -> YamlFile:
    if not file.exists():
        return YamlFile(file, {}, {})
    found = read_yaml(file)
    if found.value is None:
        return YamlFile(file, {}, {})
    if not isinstance(found.value, dict):
        raise EngineError(f"{file}: expected a mapping with 'config'")
    return found


def _reveal(value: Any, decrypt: Decrypt) -> tuple[Any, bool]:
    """The value with `{secure: …}` decrypted at any depth, and whether there was any."""
    if isinstance(value, dict):
        if set(value) == {"secure"} and isinstance(value["secure"], str):
            return decrypt(value["secure"]), True
        items = {str(key): _reveal(item, decrypt) for key, item in value.items()}
        return {key: item for key, (item, _) in items.items()}, any(secure for _, secure in items.values())
    if isinstance(value, list):
        listed = [_reveal(item, decrypt) for item in value]
        return [item for item, _ in listed], any(secure for _, secure in listed)
    return value, False


def _as_text(value: Any) -> str:
    """As the CLI gives it to a program: texts as they are, nothing as "", all else as compact JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _require_type(declared: Declaration | None, file: YamlFile, value: Any, secure: bool, *place: str | int) -> None:
    if declared is None or not declared.type:
        return
    if declared.secret and not secure:
        raise file.error(f"'{declared.key}' must be encrypted: `pulumi config set --secret {declared.key}`", *place)
    # Scalars reach a program as texts, so the CLI looks at the text: `5432` is a string as well as an integer.
    if not declared.accepts(value if isinstance(value, dict | list) else _as_text(value)):
        raise file.error(f"'{declared.key}' must be of type {declared.type_name}", *place)


def _add_defaults(
    project: Project, stack: str, file: YamlFile, values: dict[str, str], recorded: dict[str, Any]
) -> None:
    missing = []
    for key, declared in project.declarations.items():
        if key in values:
            continue
        if declared.default is None:
            missing.append(declared)
            continue
        if declared.secret and declared.type:
            raise file.error(f"'{key}' must be encrypted: `pulumi config set --secret {key}`", "config")
        values[key] = _as_text(declared.default)
        recorded[key] = declared.default if isinstance(declared.default, dict | list) else values[key]
    if missing:
        there = "" if file.path.exists() else ", and that file does not exist"
        lines = "".join(f"\n  {declared.key}: <{declared.type_name or 'value'}>" for declared in missing)
        raise file.error(f"stack '{stack}' is missing configuration{there}. Write under 'config:'{lines}", "config")
