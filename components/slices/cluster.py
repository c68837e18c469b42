"""A Kubernetes API, for what slices need of it: plain objects in and out, and its failures in one clear line.

The client's own code reads the kubeconfig and logs in; requests are few, so they are written out.
"""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from components.slices.errors import SliceError

if TYPE_CHECKING:
    import httpx2

CONNECT_TIMEOUT: Final = 4.0  # seconds
ANSWER_TIMEOUT: Final = 30.0
MERGE: Final = "application/merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"  # JSON is YAML

Object = dict[str, Any]

_CLIENTS: dict[str, "httpx2.Client"] = {}
_LOCK: Final = threading.Lock()


class ClusterError(SliceError):
    """The API cannot be asked, or refuses."""


class Cluster:
    """Requests to one API. Every method raises ClusterError, and says which request failed."""

    def __init__(self, client: "httpx2.Client") -> None:
        self._client = client

    def get(self, path: str) -> Object | None:
        """One object; None only if the API says that there is none."""
        return self._send("GET", path)

    def items(self, path: str, **params: str) -> list[Object]:
        """All objects below a path, such as /api/v1/namespaces; `labelSelector` and the like as parameters."""
        found = self._send("GET", path, params=params)
        return list(found.get("items") or []) if found else []

    def apply(self, path: str, obj: Object, manager: str) -> Object:
        """Server-side apply: makes the object or brings it to what `obj` says."""
        params = {"fieldManager": manager, "force": "true"}
        return self._send("PATCH", path, content=json.dumps(obj), type_=APPLY, params=params) or {}

    def patch(self, path: str, change: Object) -> Object:
        """A merge patch."""
        return self._send("PATCH", path, content=json.dumps(change), type_=MERGE) or {}

    def delete(self, path: str, *, grace: int | None = None) -> None:
        """It may be gone already. `grace` in seconds, where it is not the object's own."""
        self._send("DELETE", path, params={} if grace is None else {"gracePeriodSeconds": str(grace)})

    def log(self, namespace: str, pod: str, container: str, *, lines: int, previous: bool = False) -> str:
        """The end of a container's log; empty where there is none."""
        params = {"container": container, "tailLines": str(lines), **({"previous": "true"} if previous else {})}
        answer = self._ask("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log", params=params)
        return str(answer.text) if answer.status_code == 200 else ""

    def _send(self, method: str, path: str, **more: Any) -> Object | None:
        answer = self._ask(method, path, **more)
        if answer.status_code == 404:
            return None
        if answer.status_code >= 400:
            raise ClusterError(_refusal(method, path, answer))
        return dict(answer.json())

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: str | None = None,
        type_: str = "",
    ) -> "httpx2.Response":
        import httpx2

        headers = {"content-type": type_} if type_ else {}
        try:
            return self._client.request(method, path, params=params, content=content, headers=headers)
        except httpx2.HTTPError as error:
            raise ClusterError(
                f"no answer from the Kubernetes API at {self._client.base_url}: {error or type(error).__name__}. Is the"
                " cluster up, and is this the right context (strata:platform.context)?"
            ) from None


@contextmanager
def cluster(context: str | None) -> Iterator[Cluster]:
    """The API of a context of the kubeconfig (KUBECONFIG, or ~/.kube/config); None is its current one.

    Raises ClusterError.
    """
    key = f"{os.environ.get('KUBECONFIG')}\0{context}"
    with _LOCK:
        if key not in _CLIENTS:
            _CLIENTS[key] = _client(context)
    yield Cluster(_CLIENTS[key])


def configuration(context: str | None) -> Any:
    """Server, authority and login of a context, as lightkube has them. Raises ClusterError."""
    from lightkube.config.kubeconfig import KubeConfig
    from lightkube.core.exceptions import ConfigError

    path = Path(os.environ.get("KUBECONFIG") or "~/.kube/config").expanduser()
    try:
        known = KubeConfig.from_file(path)
    except (ConfigError, OSError):
        raise ClusterError(
            f"there is no kubeconfig {path}: set KUBECONFIG to one, or log in to your cluster first"
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever is wrong in a file of the user's
        raise ClusterError(f"{path} is no kubeconfig: {error}") from None
    if context is not None and context not in known.contexts:
        names = ", ".join(sorted(known.contexts)) or "none"
        raise ClusterError(f"{path} has no context `{context}` (strata:platform.context). It has: {names}")
    found = known.get(context_name=context)
    if found is None:
        raise ClusterError(f"{path} has no current context: write one to strata:platform.context")
    return found


def _client(context: str | None) -> "httpx2.Client":
    import httpx2
    from lightkube.config.client_adapter import Client, ConnectionParams

    timeout = httpx2.Timeout(ANSWER_TIMEOUT, connect=CONNECT_TIMEOUT)
    return Client(configuration(context), ConnectionParams(timeout=timeout))


def _refusal(method: str, path: str, answer: "httpx2.Response") -> str:
    try:
        said = str(answer.json().get("message") or answer.text)
    except ValueError:
        said = answer.text
    if answer.status_code == 401:
        return "the Kubernetes API refuses your login (401): it has expired, or is another cluster's. Log in again"
    cure = ". Ask for that right, or log in as somebody who has it" if answer.status_code == 403 else ""
    return f"{method} {path}: {said.strip()} ({answer.status_code}){cure}"
