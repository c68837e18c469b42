"""Which cluster: the kubeconfig and the context in it, found as kubectl finds them."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine.providers.base import ProviderError, Unsupported
from engine.providers.kubernetes.settings import Settings

DEFAULT = Path("~/.kube/config")
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")  # of the pod that this process runs in
_LISTS = {"clusters": "cluster", "contexts": "context", "users": "user"}
_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_REFUSED = {
    "cluster": ("proxy-url", "tls-server-name"),
    "user": ("act-as", "as", "as-groups", "as-uid", "as-user-extra", "auth-provider"),
}
_ADVICE = "set KUBECONFIG, or the provider's kubeconfig, to the file of your cluster"

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Choice:
    """One context's cluster, user and namespace, as they stand in a kubeconfig."""

    context: str
    user_name: str
    cluster: Document
    user: Document
    namespace: str
    source: str  # where it was read, for messages

    @property
    def described(self) -> str:
        return f"{self.cluster.get('server')} (context {self.context!r} of {self.source})"


def choose(settings: Settings, environment: Mapping[str, str] = os.environ) -> Choice:
    """Raises ProviderError that says what is missing, and what there is instead."""
    documents = list(_documents(settings, environment))
    if not documents:
        return _own_pod(settings, environment)
    source = ", ".join(source for source, _ in documents)
    found: dict[str, dict[str, Document]] = {name: {} for name in _LISTS}
    current = ""
    for _, document in documents:
        current = current or document.get("current-context") or ""
        for name, items in found.items():
            for key, item in _named(document, name, source):
                items.setdefault(key, item)
    name = settings.context or current
    if not name:
        raise ProviderError(
            f"{source} has no current context; set the provider's context to one of {_names(found['contexts'])}, or "
            "run `kubectl config use-context NAME`"
        )
    context = _one(found["contexts"], name, "context", source)
    cluster = _one(found["clusters"], settings.cluster or context.get("cluster") or "", "cluster", source)
    user_name = context.get("user") or ""
    user = _one(found["users"], user_name, "user", source) if user_name else {}
    for part, content in (("cluster", cluster), ("user", user)):
        refused = [key for key in _REFUSED[part] if content.get(key)]
        if refused:
            raise Unsupported(f"{source}: this engine does not carry out {', '.join(refused)} of a {part}")
    namespace = settings.namespace or context.get("namespace") or "default"
    return Choice(name, user_name, cluster, user, namespace, source)


def _documents(settings: Settings, environment: Mapping[str, str]) -> Iterator[tuple[str, Document]]:
    text, whose = settings.kubeconfig or "", "the provider's kubeconfig"
    if text.lstrip().startswith("{") or "\n" in text.strip():
        yield whose, _parsed(text, whose, Path.cwd())
        return
    if not text:
        text, whose = environment.get("KUBECONFIG", ""), "KUBECONFIG"
    paths = [Path(part).expanduser() for part in text.split(os.pathsep) if part]
    if not paths:
        paths = [path for path in (DEFAULT.expanduser(),) if path.is_file()]
    there = [path for path in paths if path.is_file()]
    if paths and not there:
        raise ProviderError(f"no kubeconfig: {whose} is {text!r}, and there is no such file. Make it, or {_ADVICE}")
    for path in there:
        try:
            content = path.read_text()
        except OSError as error:
            raise ProviderError(f"no kubeconfig: {path} can't be read: {error.strerror}") from None
        yield str(path), _parsed(content, str(path), path.parent)


def _parsed(text: str, source: str, folder: Path) -> Document:
    """Nothing of the text is quoted in an error: there are credentials in it."""
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise ProviderError(f"no kubeconfig: {source} is no YAML{line}") from None
    if not isinstance(document, Mapping) or not isinstance(document.get("clusters"), list):
        raise ProviderError(f"no kubeconfig: {source} has no `clusters`; {_ADVICE}")
    result: dict[str, Any] = json.loads(json.dumps(document, default=str))
    for name in _LISTS:
        for _, item in _named(result, name, source):
            for file in _FILES:
                if item.get(file):
                    item[file] = str(folder / Path(str(item[file])).expanduser())
    return result


def _named(document: Document, name: str, source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in document.get(name) or ():
        content = entry.get(_LISTS[name]) if isinstance(entry, Mapping) else None
        if not isinstance(content, dict | None) or "name" not in (entry if isinstance(entry, Mapping) else {}):
            raise ProviderError(f"no kubeconfig: {source} has an entry in `{name}` without name or `{_LISTS[name]}`")
        yield str(entry["name"]), content or {}


def _one(items: Mapping[str, Document], name: str, what: str, source: str) -> Document:
    if name not in items:
        raise ProviderError(f"{source} has no {what} {name!r}; it has {_names(items)}")
    return items[name]


def _names(items: Mapping[str, Document]) -> str:
    return ", ".join(sorted(items)) or "none"


def _own_pod(settings: Settings, environment: Mapping[str, str]) -> Choice:
    """The cluster that this process runs in, as a pod's service account sees it."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
    if not host or not port or not (SERVICE_ACCOUNT / "token").is_file():
        raise ProviderError(f"no kubeconfig: KUBECONFIG is not set and {DEFAULT} is not there; {_ADVICE}")
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    file = SERVICE_ACCOUNT / "namespace"
    own = file.read_text().strip() if file.is_file() else "default"
    return Choice(
        context="in-cluster",
        user_name="service account",
        cluster={"server": server, "certificate-authority": str(SERVICE_ACCOUNT / "ca.crt")},
        user={"tokenFile": str(SERVICE_ACCOUNT / "token")},
        namespace=settings.namespace or own,
        source=str(SERVICE_ACCOUNT),
    )
