"""A cluster: which kinds it knows, and its objects, one by one."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from engine.providers.kubernetes.connection import Connection
from engine.providers.kubernetes.errors import ApiError, NoSuchKindError
from engine.providers.kubernetes.kubeconfig import Choice, choose
from engine.providers.kubernetes.settings import Settings

Live = Mapping[str, Any]
_APPLY = "application/apply-patch+yaml"  # which JSON is, too
_NEW_KIND = 10.0  # seconds until a kind that was just defined is served
_PAUSE = 0.25


@dataclass(frozen=True)
class Kind:
    """A kind that the cluster knows."""

    api_version: str
    name: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str = "") -> str:
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        place = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        return f"{root}{place}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


@dataclass(frozen=True)
class Place:
    """Where one object is."""

    kind: Kind
    namespace: str | None
    name: str

    @property
    def path(self) -> str:
        return self.kind.path(self.namespace, self.name)

    @property
    def id(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def __str__(self) -> str:
        return f"{self.kind.name} {self.id}"


class Cluster:
    """For many threads."""

    def __init__(self, settings: Settings, stopping: Callable[[], bool] = lambda: False) -> None:
        """Raises ProviderError when the configuration names no cluster. Asks it nothing yet."""
        self.choice: Choice = choose(settings)
        self._connection = Connection(self.choice, stopping)
        self._kinds: dict[str, dict[str, Kind]] = {}
        self._lock = threading.Lock()
        self._defined: set[tuple[str, str]] = set()  # in this run, which may take a moment to be served

    def close(self) -> None:
        self._connection.close()

    def kind(self, api_version: str, name: str) -> Kind:
        """Raises NoSuchKindError when the cluster says that it knows none."""
        is_new = (api_version.rpartition("/")[0], name) in self._defined
        deadline = time.monotonic() + (_NEW_KIND if is_new else 0)
        while True:
            found = self._kinds.get(api_version, {}).get(name) or self._discovered(api_version).get(name)
            if found is not None:
                return found
            if time.monotonic() >= deadline:
                raise NoSuchKindError(
                    f"the cluster at {self.choice.described} knows no kind {name} of {api_version}. If it is one of an "
                    "extension (an operator, say), install that first: its CustomResourceDefinition is missing"
                )
            time.sleep(_PAUSE)

    def _discovered(self, api_version: str) -> dict[str, Kind]:
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        with self._lock:
            try:
                answer = self._connection.ask("GET", root)
            except ApiError as error:
                if error.code == 404:
                    return {}
                raise
            kinds = {
                item["kind"]: Kind(api_version, item["kind"], item["name"], bool(item["namespaced"]))
                for item in answer.get("resources", ())
                if "/" not in item["name"]  # such as pods/log
            }
            self._kinds[api_version] = kinds
            return kinds

    def versions(self, api_version: str, kind: str) -> list[str]:
        """The versions of the same group in which the cluster serves a kind; none when it has none of it."""
        group, slash, _ = api_version.rpartition("/")
        if not slash:
            return [api_version] if kind in self._discovered(api_version) else []
        try:
            answer = self._connection.ask("GET", f"/apis/{group}")
        except ApiError as error:
            if error.code == 404:
                return []
            raise
        served = [version["groupVersion"] for version in answer.get("versions", ())]
        return [version for version in served if kind in self._discovered(version)]

    def now(self) -> float:
        """The cluster's clock, in seconds; this machine's as long as nothing is known of it."""
        return self._connection.now()

    def find(self, place: Place) -> Live | None:
        """The object; None only if the API itself says that there is none."""
        try:
            return self._ask("GET", place)
        except ApiError as error:
            if error.is_missing:
                return None
            raise

    def _ask(self, method: str, place: Place, **request: Any) -> Live:
        try:
            answer: Live = self._connection.ask(method, place.path, **request)
        except ApiError as error:
            if error.code == 404 and not error.is_missing:  # perhaps its kind is gone since it was met
                self._kinds.pop(place.kind.api_version, None)
                self.kind(place.kind.api_version, place.kind.name)
            raise
        return answer

    def apply(self, place: Place, manifest: Live, manager: str, *, force: bool) -> Live:
        parameters = {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Strict"}
        live = self._ask("PATCH", place, parameters=parameters, body=manifest, content=_APPLY)
        if place.kind.name == "CustomResourceDefinition":
            self._defined.add((live["spec"]["group"], live["spec"]["names"]["kind"]))
        return live

    def patch(self, place: Place, changes: Iterable[Mapping[str, Any]]) -> Live:
        """A JSON patch."""
        return self._ask("PATCH", place, body=list(changes), content="application/json-patch+json")

    def delete(self, place: Place, *, uid: str | None, propagation: str = "Background") -> None:
        """Begins the deletion of what has that uid. What is not there is no error."""
        body: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        if uid:
            body["preconditions"] = {"uid": uid}
        if place.kind.name == "CustomResourceDefinition":
            self._defined.clear()
        try:
            self._ask("DELETE", place, body=body)
        except ApiError as error:
            if not error.is_missing:
                raise

    def items(self, path: str, **selectors: str) -> list[Live]:
        """`selectors`: labelSelector, fieldSelector."""
        answer = self._connection.ask("GET", path, parameters={key: text for key, text in selectors.items() if text})
        found: list[Live] = answer.get("items") or []
        return found

    def pods(self, namespace: str, selector: str = "") -> list[Live]:
        return self.items(f"/api/v1/namespaces/{quote(namespace, safe='')}/pods", labelSelector=selector)

    def log(self, namespace: str, pod: str, container: str, *, lines: int, previous: bool) -> str:
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/log"
        asked = {"container": container, "tailLines": str(lines), "previous": str(previous).lower()}
        return self._connection.text(path, asked)
