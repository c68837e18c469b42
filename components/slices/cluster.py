"""A Kubernetes API, for what slices need of it: plain objects in and out, and its failures in one clear line.

The client's own code reads the kubeconfig and logs in; requests are few, so they are written out.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from components.slices.kubeconfig import SETTING, ClusterError, Version, configuration, version

if TYPE_CHECKING:
    import httpx2

__all__ = ["Cluster", "ClusterError", "asynchronous", "cluster", "failure", "refusal"]

CONNECT_TIMEOUT: Final = 4.0  # seconds
ANSWER_TIMEOUT: Final = 30.0
MERGE: Final = "application/merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"  # JSON is YAML

Object = dict[str, Any]

_CLIENTS: dict[tuple[Version, str | None], "httpx2.Client"] = {}
_LOCK: Final = threading.Lock()


class Cluster:
    """Requests to one API. Every method raises ClusterError, and says which request failed."""

    def __init__(self, client: "httpx2.Client") -> None:
        self._client = client

    def get(self, path: str) -> Object | None:
        """One object; None only if the API says that there is none."""
        return self._send("GET", path, absent=True)

    def items(self, path: str, **params: str) -> list[Object]:
        """All objects below a path, such as /api/v1/namespaces; `labelSelector` and the like as parameters."""
        found = self._send("GET", path, absent=True, params=params)
        return list(found.get("items") or []) if found else []

    def create(self, path: str, obj: Object) -> Object:
        """A new object in the folder `path`; one of that name must not be there."""
        return self._send("POST", path, content=json.dumps(obj), type_="application/json") or {}

    def apply(self, path: str, obj: Object, manager: str, *, force: bool = False) -> Object:
        """Server-side apply: makes the object or brings it to what `obj` says; `force` takes fields from others."""
        params = {"fieldManager": manager, **({"force": "true"} if force else {})}
        return self._send("PATCH", path, content=json.dumps(obj), type_=APPLY, params=params) or {}

    def patch(self, path: str, change: Object) -> Object:
        """A merge patch."""
        return self._send("PATCH", path, content=json.dumps(change), type_=MERGE) or {}

    def delete(self, path: str, *, grace: int | None = None) -> None:
        """It may be gone already. `grace` in seconds, where it is not the object's own."""
        params = {} if grace is None else {"gracePeriodSeconds": str(grace)}
        self._send("DELETE", path, absent=True, params=params)

    def log(self, namespace: str, pod: str, container: str, *, lines: int, previous: bool = False) -> str:
        """The end of a container's log; empty where there is none."""
        params = {"container": container, "tailLines": str(lines), **({"previous": "true"} if previous else {})}
        answer = self._ask("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log", params=params)
        return str(answer.text) if answer.status_code == 200 else ""

    def _send(self, method: str, path: str, *, absent: bool = False, **more: Any) -> Object | None:
        """`absent`: None for what the API does not have."""
        answer = self._ask(method, path, **more)
        if answer.status_code == 404 and absent:
            return None
        if answer.status_code >= 300:
            raise refusal(method, path, answer)
        try:
            return dict(answer.json())
        except ValueError:
            where = self._client.base_url
            raise ClusterError(f"{where} answers {path} with no JSON: is that a Kubernetes API?") from None

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: str | None = None,
        type_: str = "",
    ) -> "httpx2.Response":
        headers = {"content-type": type_} if type_ else {}
        try:
            return self._client.request(method, path, params=params, content=content, headers=headers)
        except Exception as error:  # noqa: BLE001 - also what the user's plugin for logins makes of it
            raise failure(str(self._client.base_url), error) from None


@contextmanager
def cluster(context: str | None) -> Iterator[Cluster]:
    """The API of a context of the kubeconfig; None is its current one. Raises ClusterError."""
    key = (version(), context)
    with _LOCK:
        if key not in _CLIENTS:
            import httpx2

            timeout = httpx2.Timeout(ANSWER_TIMEOUT, connect=CONNECT_TIMEOUT)
            _CLIENTS[key] = httpx2.Client(**_parameters(context, timeout))
    yield Cluster(_CLIENTS[key])


def asynchronous(context: str | None, timeout: float) -> "httpx2.AsyncClient":
    """A client of the same API for an event loop, with any number of connections. Raises ClusterError."""
    import httpx2

    limits = httpx2.Limits(max_connections=None)
    return httpx2.AsyncClient(**_parameters(context, httpx2.Timeout(timeout, connect=CONNECT_TIMEOUT)), limits=limits)


def _parameters(context: str | None, timeout: "httpx2.Timeout") -> dict[str, Any]:
    from lightkube.config.client_adapter import ConnectionParams

    found = configuration(context)
    try:
        return ConnectionParams(timeout=timeout).httpx_params(found)
    except Exception as error:  # noqa: BLE001 - whatever is wrong in a file of the user's
        raise ClusterError(
            f"the context `{found.context_name}` of {found.fname} cannot be used: {type(error).__name__}: {error}"
        ) from None


def failure(where: str, error: Exception) -> ClusterError:
    """What `error` means that came instead of an answer of the API at `where`."""
    import httpx2

    said = " ".join(str(error).split()) or type(error).__name__
    if "certificate verify failed" in said:
        reason = said.rpartition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        return ClusterError(
            f"what answers at {where} is not the cluster of the kubeconfig: its certificate can't be trusted"
            f" ({reason}). Log in again, which writes the cluster's authority anew"
        )
    if isinstance(error, httpx2.ReadTimeout):
        return ClusterError(f"the Kubernetes API at {where} has not answered in time")
    if isinstance(error, httpx2.HTTPError):
        return ClusterError(
            f"no answer from the Kubernetes API at {where}: {said}. Is the cluster up, and is this the right context"
            f" ({SETTING})?"
        )
    return ClusterError(f"the kubeconfig's login for {where} failed: {said[:300]}. Log in again")


def refusal(method: str, path: str, answer: "httpx2.Response") -> ClusterError:
    """What an answer of the API means that is none that was asked for."""
    try:
        said = str(answer.json().get("message") or answer.text)
    except (ValueError, AttributeError):
        said = answer.text[:300]
    if answer.status_code == 401:
        return ClusterError(
            f"the Kubernetes API at {answer.url.host} refuses your login (401): it has expired, or is another"
            " cluster's. Log in again"
        )
    cure = ". Ask for that right, or log in as somebody who has it" if answer.status_code == 403 else ""
    return ClusterError(f"{method} {path}: {said.strip()} ({answer.status_code}){cure}")
