"""An application's configuration, rendered from the contract: `config:` of its application.yaml, as env, yaml or json.

Templates are Jinja2 (sandboxed, undefined names are errors) over one view of each backend, and what needs none:

- `postgres`: host, port, tls, database, username, password, and `readonly` {username, password} where there is one
- `redis`: host, port, tls, db, prefix, username, password
- `qdrant`: host, port, grpc_port, tls, collections (by name, each with a `name`), username, password (the API key to
  give), `readonly` and `previous` {username, password}
- `object_store`: host, port, tls, region, path_style, buckets (by logical name, each with a `name`), username (which is
  the access key), password (the secret key), and `previous` {username, password}
- `app`, `stack` and `stage`: names

`urlencode` encodes every reserved character, `/` included, so that any password is safe in a URL.
"""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import quote

import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, SecretStr

from components import privatefiles
from components.privatefiles import state_home
from infra.choices import FORMATS, Format, ViewName
from infra.contract import BACKENDS, BackendName, StackContract


class ConfigError(Exception):
    """A configuration cannot be rendered. The text names file and key, and never holds a secret."""


def render(
    contract: StackContract, *, stack: str, app: str, view: ViewName, templates: Mapping[str, str], file: str
) -> dict[str, str]:
    """Variable → value. `file` is where `templates` stand, for messages. Raises ConfigError."""
    context = _context(contract, stack=stack, app=app, view=view)
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters["urlencode"] = lambda value: quote(str(value), safe="")
    values = {}
    for variable, template in templates.items():
        try:
            values[variable] = environment.from_string(template).render(context)
        except Exception as error:  # noqa: BLE001 - what a template does is its author's: it can raise anything
            reason, known = _masked(str(error), contract, app), ", ".join(sorted(context))
            raise ConfigError(f"{file}: config.{variable}: {reason}. Known here: {known}") from None
        if "\0" in values[variable]:
            raise ConfigError(f"{file}: config.{variable}: a NUL character fits into no format")
    return values


def to_text(values: Mapping[str, str], format: Format, *, header: str = "") -> str:
    """`values` in a format. `header` becomes a comment where the format has comments."""
    comment = "".join(f"# {line}\n" for line in header.splitlines())
    return _WRITERS[format](values, comment)


def path(stack: str, app: str, format: Format) -> Path:
    """Where the file of an application is kept."""
    return state_home() / "config" / stack / f"{app}.{format}"


def write(stack: str, app: str, format: Format, text: str) -> Path:
    """Replaces the file atomically; only its owner can read it (0600)."""
    target = path(stack, app, format)
    privatefiles.replace(target, text)
    return target


def remove(stack: str) -> list[Path]:
    """Removes a stack's files, whose passwords open nothing any more; what was removed."""
    files = sorted(file for format in FORMATS for file in path(stack, "x", format).parent.glob(f"*.{format}"))
    for file in files:
        file.unlink()
    return files


def _context(contract: StackContract, *, stack: str, app: str, view: ViewName) -> dict[str, Any]:
    slices = contract.applications.get(app)
    if slices is None:
        known = ", ".join(sorted(contract.applications)) or "none"
        raise ConfigError(f"the stack `{stack}` has no application `{app}`. It has: {known}")
    context: dict[str, Any] = {"app": app, "stack": stack, "stage": contract.stage}
    for backend in BACKENDS:
        if (claim := getattr(slices, backend)) is not None:
            context[backend] = {
                **_view(contract, app, backend, view),
                **claim.model_dump(exclude={"secret_ref", "readonly", "previous", "server"}),
                **_credential(contract, app, backend),
            }
    if slices.volumes is not None:
        context["volumes"] = {name: volume.model_dump(exclude_none=True) for name, volume in slices.volumes.items()}
    for kind in ("secrets", "tokens"):
        if getattr(slices, kind) is not None:
            context[kind] = SimpleNamespace(**_values(contract, app, kind))
    return context


def _view(contract: StackContract, app: str, backend: BackendName, view: ViewName) -> dict[str, Any]:
    server = contract.server(app, backend)
    assert server is not None  # the contract has no slice without one
    views = server.views
    if view not in views:
        raise ConfigError(f"{backend} has no view `{view}` in this stack. It has: {', '.join(views)}")
    chosen: dict[str, Any] = views[view].model_dump(exclude={"access"})
    return chosen


def _credential(contract: StackContract, app: str, backend: str) -> dict[str, Any]:
    credential: BaseModel | None = getattr(contract.credentials.get(app), backend, None)
    if credential is None:
        raise ConfigError(
            f"the stack's outputs hold no password of `{app}` on {backend}: take it from its secret store"
        )
    return _plain(credential.model_dump(exclude_none=True))


def _values(contract: StackContract, app: str, kind: str) -> dict[str, str]:
    """Secrets or tokens by name. As attributes: `secrets.keys` must not be a method of a mapping."""
    values: Mapping[str, SecretStr] | None = getattr(contract.credentials.get(app), kind, None)
    if values is None:
        raise ConfigError(f"the stack's outputs do not hold the {kind} of `{app}`: take them from its secret store")
    return {name: value.get_secret_value() for name, value in values.items()}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Credentials as templates use them: passwords as text."""
    plain: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            plain[key] = _plain(value)
        else:
            plain[key] = value.get_secret_value() if isinstance(value, SecretStr) else value
    return plain


def _masked(text: str, contract: StackContract, app: str) -> str:
    """`text` without the application's secrets: an error may quote the value that it met."""
    credentials = contract.credentials.get(app)
    # The longest first: one may be a part of another.
    for value in sorted(_secret_values(credentials.model_dump() if credentials else {}), key=len, reverse=True):
        text = text.replace(value, "[secret]").replace(repr(value)[1:-1], "[secret]")
    return text


def _secret_values(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for child in value.values():
            yield from _secret_values(child)
    elif isinstance(value, SecretStr) and value.get_secret_value():
        yield value.get_secret_value()


def _env(values: Mapping[str, str], comment: str) -> str:
    """For `set -a; . FILE` of a POSIX shell, with the shell's quotes where a value needs them.

    A value of plain characters is written bare, which `docker run --env-file` needs: it takes quotes literally. A
    value that had to be quoted is therefore for the shell (and for dotenv readers that know single quotes).
    """
    return comment + "".join(f"{name}={shlex.quote(value) if value else ''}\n" for name, value in values.items())


def _yaml(values: Mapping[str, str], comment: str) -> str:
    return comment + yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=float("inf"))


def _json(values: Mapping[str, str], comment: str) -> str:
    return json.dumps(dict(values), indent=2, ensure_ascii=False) + "\n"


_WRITERS: Final[Mapping[Format, Callable[[Mapping[str, str], str], str]]] = {"env": _env, "yaml": _yaml, "json": _json}
