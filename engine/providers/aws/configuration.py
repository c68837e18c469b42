"""The inputs of `pulumi:providers:aws`, which the SDK sends as texts: lists and truth values are JSON."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.providers.base import ProviderError, Unsupported

SERVICES: Final = ("iam", "kms", "s3", "sts")
# What means nothing here: this engine asks no metadata service for more than credentials, and checks no region's name.
_WITHOUT_EFFECT: Final = ("version", "skipRegionValidation", "skipMetadataApiCheck", "__internal", "__defaults")
_KNOWN: Final = (
    "accessKey",
    "allowedAccountIds",
    "assumeRoles",
    "endpoints",
    "forbiddenAccountIds",
    "maxRetries",
    "profile",
    "region",
    "s3UsePathStyle",
    "secretKey",
    "skipCredentialsValidation",
    "skipRequestingAccountId",
    "token",
)
_ROLE: Final = {"roleArn": "RoleArn", "sessionName": "RoleSessionName", "externalId": "ExternalId", "policy": "Policy"}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """`None` and empty leave it to boto3: the environment, the files in ~/.aws, or the machine's own role."""

    region: str | None = None
    profile: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    endpoints: Mapping[str, str] = field(default_factory=dict)  # by service
    path_style: bool = False
    roles: tuple[Mapping[str, Any], ...] = ()  # to be assumed one after the other, as arguments of AssumeRole
    allowed: tuple[str, ...] = ()  # account ids
    forbidden: tuple[str, ...] = ()
    asks_who: bool = True  # whose the credentials are, before anything else
    attempts: int = 4  # of a request that fails for a moment

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Configuration":
        """Raises Unsupported for what this engine would have to ignore, ProviderError for what cannot be read."""
        given = {key: value for key, value in config.items() if value not in (None, "", [], {})}
        refused = sorted(
            key for key, value in given.items() if key not in (*_KNOWN, *_WITHOUT_EFFECT) and _json(key, value)
        )
        if refused:
            raise Unsupported(
                f"aws provider: this engine does not carry out {', '.join(refused)}; leave it out, or use the official "
                "pulumi CLI"
            )
        values = {key: _json(key, value) for key, value in given.items()}
        unasked = values.get("skipCredentialsValidation") and values.get("skipRequestingAccountId")
        return cls(
            region=given.get("region"),
            profile=given.get("profile"),
            access_key=given.get("accessKey"),
            secret_key=given.get("secretKey"),
            token=given.get("token"),
            endpoints=_endpoints(values.get("endpoints") or ()),
            path_style=bool(values.get("s3UsePathStyle")),
            roles=tuple(_role(role) for role in values.get("assumeRoles") or ()),
            allowed=tuple(values.get("allowedAccountIds") or ()),
            forbidden=tuple(values.get("forbiddenAccountIds") or ()),
            asks_who=not unasked or bool(values.get("allowedAccountIds") or values.get("forbiddenAccountIds")),
            attempts=int(values.get("maxRetries") or cls.attempts),
        )


# What is text by itself, and may look like JSON.
_TEXTS: Final = frozenset({"accessKey", "profile", "region", "secretKey", "token", "version"})


def _json(key: str, value: Any) -> Any:
    if not isinstance(value, str) or key in _TEXTS:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _endpoints(given: Any) -> dict[str, str]:
    found = {service: address for each in given for service, address in each.items() if address}
    unknown = sorted(set(found) - set(SERVICES))
    if unknown:
        raise Unsupported(
            f"aws provider: endpoints has {', '.join(unknown)}; this engine talks to {', '.join(SERVICES)} only"
        )
    return found


def _role(given: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := sorted(key for key, value in given.items() if value and key not in (*_ROLE, "duration")):
        raise Unsupported(f"aws provider: assumeRoles has {', '.join(unknown)}, which this engine does not carry out")
    arguments = {_ROLE[key]: value for key, value in given.items() if value and key in _ROLE}
    if "RoleArn" not in arguments:
        raise ProviderError("aws provider: an entry of assumeRoles has no roleArn")
    if duration := given.get("duration"):
        arguments["DurationSeconds"] = _seconds(str(duration))
    return {"RoleSessionName": "pulumi", **arguments}


def _seconds(duration: str) -> int:
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", duration)
    if not duration or found is None:
        raise ProviderError(f'aws provider: "{duration}" is no duration of a role; write for example "1h"')
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
