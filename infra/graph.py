"""A stack as a graph, from the public part of its contract: what `strata graph` draws.

Generic: a backend, a claim or a fact that the contract gains shows up without a change here. What has a `secret_ref`
is a login, and every other key of a claim is a fact about it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from components.naming import Naming
from components.quantities import KIB, format_size
from infra.contract import CREDENTIALS, StackContract

READ_WRITE: Final = "read-write"
READ_ONLY: Final = "read-only"

# The guarantees that consumers ask for. One that a platform leaves out is worth seeing; others are shown if promised.
KNOWN_GUARANTEES: Final = ("encrypted_at_rest", "network_isolated", "tls")


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A property; a list or a mapping has one value per entry."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Login:
    """`access` is read-write, read-only or the contract's own word; `secret` says where the password is."""

    username: str
    access: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What an application owns on one backend; or what no backend knows, such as `volumes`, without logins."""

    backend: str
    facts: tuple[Fact, ...]
    logins: tuple[Login, ...]


@dataclass(frozen=True, kw_only=True)
class Application:
    name: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, kw_only=True)
class Backend:
    name: str
    version: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class Edge:
    """`application` reaches `backend` with `login`."""

    application: str
    backend: str
    login: Login


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One stack. Backends are in the contract's order, applications by name."""

    stack: str
    platform: str
    stage: str
    promised: tuple[str, ...]
    not_promised: tuple[str, ...]
    applications: tuple[Application, ...]
    backends: tuple[Backend, ...]

    @property
    def edges(self) -> tuple[Edge, ...]:
        return tuple(
            Edge(application=application.name, backend=claim.backend, login=login)
            for application in self.applications
            for claim in application.claims
            for login in claim.logins
        )

    def document(self) -> dict[str, Any]:
        """Nodes and edges as plain values, for JSON."""
        nodes = [{"id": f"application/{a.name}", "kind": "application", **asdict(a)} for a in self.applications]
        nodes += [{"id": f"backend/{b.name}", "kind": "backend", **asdict(b)} for b in self.backends]
        edges = [
            {"from": f"application/{e.application}", "to": f"backend/{e.backend}", **asdict(e.login)}
            for e in self.edges
        ]
        return {
            "stack": self.stack,
            "platform": self.platform,
            "stage": self.stage,
            "guarantees": {"promised": list(self.promised), "not_promised": list(self.not_promised)},
            "nodes": nodes,
            "edges": edges,
        }


def from_contract(contract: StackContract, stack: str) -> Graph:
    """The graph of `stack`. The credentials of `contract` are not read."""
    return from_public(contract.model_dump(mode="json", exclude={CREDENTIALS}, exclude_none=True), stack)


def from_public(public: Mapping[str, Any], stack: str) -> Graph:
    """The same from the contract's public part as plain values, nulls left out."""
    promised = tuple(public["guarantees"])
    backends = {**public["backends"], **_own_servers(public["applications"])}
    return Graph(
        stack=stack,
        platform=public["platform"],
        stage=public["stage"],
        promised=promised,
        not_promised=tuple(name for name in KNOWN_GUARANTEES if name not in promised),
        applications=tuple(
            _application(name, claims, backends) for name, claims in sorted(public["applications"].items())
        ),
        backends=tuple(_backend(name, backend) for name, backend in backends.items()),
    )


def _application(name: str, claims: Mapping[str, Any], backends: Iterable[str]) -> Application:
    return Application(
        name=name,
        claims=tuple(
            _claim(_server(name, key, claim), claim) if key in backends else _own(key, claim)
            for key, claim in claims.items()
        ),
    )


def _own_servers(applications: Mapping[str, Any]) -> dict[str, Any]:
    """What an application has for itself counts as a backend of the stack, too."""
    return {
        _server(name, key, claim): claim["server"]
        for name, claims in sorted(applications.items())
        for key, claim in claims.items()
        if "server" in claim
    }


def _server(application: str, backend: str, claim: Mapping[str, Any]) -> str:
    return f"{backend}-{application}" if "server" in claim else backend


def _own(kind: str, things: Mapping[str, Any]) -> Claim:
    """What an application has without a backend, by name: where a secret is counts as a fact about it."""
    return Claim(backend=kind, facts=(Fact(label="names", values=tuple(_values(things))),), logins=())


def _claim(backend: str, claim: Mapping[str, Any]) -> Claim:
    told = ("username", "secret_ref", "server")  # elsewhere
    facts = {key: value for key, value in claim.items() if key not in told and not _has_login(value)}
    return Claim(backend=backend, facts=_facts(facts), logins=tuple(_logins(claim, READ_WRITE)))


def _logins(value: Any, access: str) -> Iterator[Login]:
    """Every login in a claim; `access` is what the key says under which it stands."""
    if isinstance(value, list | tuple):
        for entry in value:
            yield from _logins(entry, access)
    if not isinstance(value, Mapping):
        return
    if (ref := value.get("secret_ref")) is not None:
        username = str(value.get("username", "(token)"))
        yield Login(username=username, access=access, secret=_place(ref))
    for key, child in value.items():
        if key != "secret_ref":
            yield from _logins(child, READ_ONLY if key == "readonly" else _words(key))


def _place(ref: Mapping[str, Any]) -> str:
    return ".".join([ref["name"], *ref.get("keys", ())])


def _has_login(value: Any) -> bool:
    return next(_logins(value, ""), None) is not None


def _backend(name: str, backend: Mapping[str, Any]) -> Backend:
    facts = [Fact(label=place, values=_endpoint(view)) for place, view in backend["views"].items()]
    if (container := backend.get("runtime", {}).get("container")) is not None:
        names = Naming(project="", stack="", prefix="")  # the container's name has the stack's prefix already
        facts.append(Fact(label="container", values=(container,)))
        facts.append(Fact(label="data volume", values=(names.data_volume(container),)))
    others = {key: value for key, value in backend.items() if key not in ("version", "views", "runtime")}
    return Backend(name=name, version=backend["version"], facts=(*facts, *_facts(others)))


def _endpoint(view: Mapping[str, Any]) -> tuple[str, ...]:
    """`host:port` for every port of a view, whether they are `port`, `<name>_port` or a mapping `ports`."""
    ports = {key.removesuffix("port").rstrip("_"): port for key, port in view.items() if key.endswith("port")}
    ports |= view.get("ports", {})
    secured = "TLS" if view.get("tls") else "no TLS"
    return tuple(", ".join(filter(None, (f"{view['host']}:{port}", name, secured))) for name, port in ports.items())


def _facts(values: Mapping[str, Any]) -> tuple[Fact, ...]:
    return tuple(Fact(label=_words(key), values=tuple(_values(value))) for key, value in values.items())


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if not value:
            yield "none"
        for key, child in value.items():
            yield f"{key} → {_inline(child)}"
    elif isinstance(value, list | tuple):
        if not value:
            yield "none"
        for child in value:
            yield _inline(child)
    else:
        yield _inline(value)


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if (ref := value.get("secret_ref")) is not None:
            value = {"name": _place(ref), **{key: child for key, child in value.items() if key != "secret_ref"}}
        return ", ".join(_property(key, child) for key, child in value.items() if child not in ([], {}))
    if isinstance(value, list | tuple):
        return ", ".join(map(_inline, value))
    return str(value)


def _property(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return _words(key) if value else f"not {_words(key)}"
    if isinstance(value, int) and key.endswith("size") and value % KIB == 0:
        value = format_size(value)
    return _inline(value) if key == "name" else f"{_words(key)} {_inline(value)}"


def _words(key: str) -> str:
    return key.replace("_", " ")
