"""The server's settings, under the names that the official image reads from the environment."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PREFIX: Final = "QDRANT__"


class SettingError(Exception):
    """A setting that cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Files of the server's certificate and its key, both PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Keys are None where none is asked for; a server without any key lets everybody do everything."""

    api_key: str | None = None
    alt_api_key: str | None = None
    read_only_api_key: str | None = None
    jwt_rbac: bool = False
    host: str = "0.0.0.0"  # noqa: S104 - the official default, and what a container needs
    http_port: int = 6333
    grpc_port: int | None = 6334
    storage_path: Path = Path("./storage")
    snapshots_path: Path = Path("./snapshots")
    tls: Certificate | None = None
    """None: both ports speak without TLS."""
    flush_interval: float = 5
    """Seconds between two flushes of what was written."""


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Raises SettingError, naming the variable. `<NAME>_FILE` names a file that holds the value of a key."""
    known = Settings()
    return Settings(
        api_key=_secret(environment, "SERVICE__API_KEY"),
        alt_api_key=_secret(environment, "SERVICE__ALT_API_KEY"),
        read_only_api_key=_secret(environment, "SERVICE__READ_ONLY_API_KEY"),
        jwt_rbac=_flag(environment, "SERVICE__JWT_RBAC"),
        host=environment.get(f"{PREFIX}SERVICE__HOST", known.host),
        http_port=_port(environment, "SERVICE__HTTP_PORT", known.http_port),
        grpc_port=_port(environment, "SERVICE__GRPC_PORT", known.grpc_port or 0) or None,
        storage_path=Path(environment.get(f"{PREFIX}STORAGE__STORAGE_PATH", known.storage_path)),
        snapshots_path=Path(environment.get(f"{PREFIX}STORAGE__SNAPSHOTS_PATH", known.snapshots_path)),
        tls=_certificate(environment) if _flag(environment, "SERVICE__ENABLE_TLS") else None,
    )


def _certificate(environment: Mapping[str, str]) -> Certificate:
    found = []
    for name in ("TLS__CERT", "TLS__KEY"):
        file = Path(environment.get(f"{PREFIX}{name}", ""))
        if not file.is_file():
            raise SettingError(f"{PREFIX}{name} is `{file}`, and SERVICE__ENABLE_TLS needs a file there")
        found.append(file)
    try:
        # An empty password: a key that needs one fails, where OpenSSL would ask for it and wait.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(found[0], found[1], password="")
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "no PEM"
        raise SettingError(f"{PREFIX}TLS__CERT and {PREFIX}TLS__KEY are no certificate and its key: {reason}") from None
    return Certificate(certificate=found[0], key=found[1])


def _secret(environment: Mapping[str, str], name: str) -> str | None:
    file = environment.get(f"{PREFIX}{name}_FILE")
    if not file:
        return environment.get(f"{PREFIX}{name}") or None
    try:
        value = Path(file).read_text().strip()
    except OSError as error:
        raise SettingError(f"{PREFIX}{name}_FILE: {file}: {error.strerror}") from None
    if not value:
        raise SettingError(f"{PREFIX}{name}_FILE: {file} is empty, and an empty key would let everybody in")
    return value


def _flag(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(f"{PREFIX}{name}", "false").lower()
    if value not in ("true", "false", "1", "0"):
        raise SettingError(f"{PREFIX}{name} is `{value}`: write true or false")
    return value in ("true", "1")


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(f"{PREFIX}{name}", str(default))
    if not value.isdecimal() or int(value) > 65535:
        raise SettingError(f"{PREFIX}{name} is `{value}`: write a port, a number up to 65535")
    return int(value)
