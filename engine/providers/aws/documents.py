"""Policies: JSON texts that AWS gives back in a spelling of its own."""

import json
from typing import Any


def canonical(text: str) -> str:
    """One spelling for all texts of one policy: the order of keys and lists says nothing, nor does a list of one."""
    try:
        return json.dumps(_sorted(json.loads(text)), sort_keys=True, separators=(",", ":"))
    except ValueError:
        return text


def is_policy(text: str) -> str | None:
    try:
        document = json.loads(text)
    except ValueError as error:
        return f"is not JSON: {error}"
    return None if isinstance(document, dict) and document.get("Statement") else "is a policy without a Statement"


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    if isinstance(value, list):
        items = sorted((_sorted(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
        return items[0] if len(items) == 1 else items
    return value
