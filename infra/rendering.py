"""What the templates of an application's configuration see, and how they are rendered.

Templates are Jinja2 (sandboxed, undefined names are errors) over one view of each backend, and what needs none:

- `postgres`: host, port, tls, database, username, password, and `readonly` {username, password} where there is one
- `redis`: host, port, tls, db, prefix (empty on a Redis of the application's own), username, password
- `qdrant`: host, port, grpc_port, tls, collections (by name, each with a `name`), username, password (the API key to
  give), `readonly` and `previous` {username, password}
- `object_store`: host, port, tls, region, path_style, buckets (by logical name, each with a `name`), username (which is
  the access key), password (the secret key), and `previous` {username, password}
- `volumes`, `secrets` and `tokens` by name; `app`, `stack` and `stage`: names
- `env`, in files: the variables of `config:`

Each backend also has `ca` (PEM) and `ca_file` (its path), which are none where `tls` is false. Where it is true, the
variables of `config:` are joined by STRATA_CA_FILE, NODE_EXTRA_CA_CERTS, PGSSLMODE and PGSSLROOTCERT.

`urlencode` encodes every reserved character, `/` included, so that any password is safe in a URL. In files, `yaml`
writes any text as YAML needs it, `tojson` (Jinja's) as JSON does, and `number` a number.
"""

import re
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import quote

import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, SecretStr

from components import trust
from infra.choices import ViewName
from infra.contract import BACKENDS, BackendName, StackContract

# What stands in `${NAME:-default}` without being taken for its end, or for something else.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/@,+-]*")


# Where an application's pods mount the Secret `<application>-storage-files`.
CA_VARIABLE: Final = "STRATA_CA_FILE"  # among the variables of every application whose backends speak TLS
CLUSTER_CA: Final = "/etc/strata/ca.crt"


class ConfigError(Exception):
    """A configuration cannot be rendered. The text names file and key, and never holds a secret."""


class Placeholder(str):
    """`${NAME:-default}`: filters leave it as it is, since whoever reads the file replaces it."""


class Renderer:
    """Renders the templates of one application, as seen from one place. Raises ConfigError, also in what follows."""

    def __init__(self, contract: StackContract, *, stack: str, app: str, view: ViewName) -> None:
        self._contract, self._app = contract, app
        self._context = _context(contract, stack=stack, app=app, view=view)
        self._jinja = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
        self._jinja.filters.update(urlencode=_urlencode, yaml=_yaml, number=_number)

    def variables(self, templates: Mapping[str, str], *, file: str) -> dict[str, str]:
        """Variable → value. `file` is where `templates` stand, for messages."""
        values = {}
        for variable, template in templates.items():
            values[variable] = self._render(template, f"{file}: config.{variable}", {})
        return values | {name: value for name, value in self._trust().items() if name not in values}

    def file(self, template: str, variables: Mapping[str, str], *, name: str, placeholders: bool = False) -> str:
        """One whole file. With `placeholders`, `env` gives `${NAME:-default}`, and the default of a secret is empty."""
        known = self._placeholders(variables) if placeholders else dict(variables)
        return self._render(template, name, {"env": SimpleNamespace(**known)})

    @property
    def ca(self) -> str | None:
        """PEM of the authority that the application's backends are verified with, where they speak TLS."""
        servers = (self._contract.server(self._app, name) for name in BACKENDS if self._context.get(name))
        return next((server.ca for server in servers if server is not None and server.ca), None)

    def _trust(self) -> dict[str, str]:
        """Variables that no application has to name: by them clients verify that are told nothing else.

        Only those that take no trust away from what else the application talks to.
        """
        encrypted = [name for name in BACKENDS if name in self._context and self._context[name]["ca_file"]]
        if not encrypted:
            return {}
        path = self._context[encrypted[0]]["ca_file"]
        of_postgres = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": path} if "postgres" in encrypted else {}
        return {CA_VARIABLE: path, "NODE_EXTRA_CA_CERTS": path, **of_postgres}

    def holds_secret(self, text: str) -> bool:
        """Whether any of the application's secrets stands in `text`, plainly or as in a URL."""
        credentials = self._contract.credentials.get(self._app)
        secrets = _secret_values(credentials.model_dump() if credentials else {})
        return any(secret in text or _urlencode(secret) in text for secret in secrets)

    def _render(self, template: str, where: str, more: Mapping[str, Any]) -> str:
        context = {**self._context, **more}
        try:
            text = self._jinja.from_string(template).render(context)
        except Exception as error:  # noqa: BLE001 - what a template does is its author's: it can raise anything
            reason, known = _masked(str(error), self._contract, self._app), ", ".join(sorted(context))
            raise ConfigError(f"{where}: {reason}. Known here: {known}") from None
        if "\0" in text:
            raise ConfigError(f"{where}: a NUL character fits into no format")
        return text

    def _placeholders(self, variables: Mapping[str, str]) -> dict[str, str]:
        def default(value: str) -> str:
            return value if not self.holds_secret(value) and _PLAIN.fullmatch(value) else ""

        return {name: Placeholder(f"${{{name}:-{default(value)}}}") for name, value in variables.items()}


def _urlencode(value: object) -> str:
    return quote(str(value), safe="")


def _yaml(value: object) -> str:
    """A text in double quotes, on one line; what is no text as YAML writes it."""
    if isinstance(value, Placeholder):
        return value
    style = '"' if isinstance(value, str) else None
    text: str = yaml.safe_dump(
        value, default_style=style, default_flow_style=True, allow_unicode=True, width=float("inf")
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _number(value: object) -> str:
    text = str(value)
    if not isinstance(value, Placeholder) and not re.fullmatch(r"-?\d+(\.\d+)?", text):
        raise ValueError("what `number` is given is none")
    return text


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
    return {**chosen, "ca": server.ca, "ca_file": _ca_file(server.ca, view)}


def _ca_file(ca: str | None, view: ViewName) -> str | None:
    """Where the application finds the authority: on this host a file of its own, in a cluster where it mounts one."""
    if ca is None:
        return None
    return str(trust.ca_file(ca)) if view == "host" else CLUSTER_CA


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
