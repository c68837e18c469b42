"""What the API answers when it does not do what it is asked, and what that means for a user."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.providers.base import ProviderError

_BUSY = frozenset({429, 502, 503, 504})
# What a 500 says that passes; others (a field that there is not) stay what they are.
_PASSING = ("connection re", "etcdserver", "leader", "timeout", "timed out", "webhook")
_CONFLICTING = re.compile(r'conflict with "([^"]+)"')


class ApiError(ProviderError):
    """An answer of the API that is no success. Its text is the API's own, with what to do about it."""

    def __init__(self, code: int, status: Mapping[str, Any], advice: str = "") -> None:
        text = str(status.get("message") or f"the API answered {code}").strip()
        super().__init__(f"{text}. {advice}" if advice else text)
        self.code, self.status = code, status

    @property
    def is_missing(self) -> bool:
        """Whether the API itself, and no gateway before it, says that there is no such thing."""
        return self.code == 404 and self.status.get("reason") == "NotFound"

    @property
    def is_busy(self) -> bool:
        """Whether the same request may do a moment later."""
        return self.code in _BUSY or (self.code == 500 and any(word in str(self).lower() for word in _PASSING))

    @property
    def is_conflict(self) -> bool:
        return self.code == 409

    def conflicts(self) -> list["Conflict"]:
        """Fields that others own, of a server-side apply that was refused for them."""
        return list(_conflicts(self.status))


class NoSuchKindError(ProviderError):
    """The cluster knows no such apiVersion and kind."""


class UnreachableError(ProviderError):
    """Nobody answers, or nobody who can be trusted."""


@dataclass(frozen=True)
class Conflict:
    manager: str
    field: str


def _conflicts(status: Mapping[str, Any]) -> Iterator[Conflict]:
    for cause in (status.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "FieldManagerConflict":
            match = _CONFLICTING.search(cause.get("message", ""))
            yield Conflict(match[1] if match else cause.get("message", ""), cause.get("field", "").lstrip("."))


def described(conflicts: list[Conflict]) -> str:
    """Such as `"helm" has spec.replicas and spec.template; "argocd" has metadata.labels`."""
    fields: dict[str, list[str]] = {}
    for conflict in conflicts:
        fields.setdefault(conflict.manager, []).append(conflict.field)
    return "; ".join(f'"{manager}" has {", ".join(sorted(of))}' for manager, of in sorted(fields.items()))
