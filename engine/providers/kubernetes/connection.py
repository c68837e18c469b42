"""The way to a cluster's API: one pool of connections for all threads, and what goes wrong on it in plain words."""

import ipaddress
import json
import os
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec
from lightkube.config.client_adapter import user_auth, verify_cluster
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import Cluster, Context, User
from lightkube.core.exceptions import ConfigError

from engine.providers.base import ProviderError
from engine.providers.kubernetes.errors import ApiError, UnreachableError
from engine.providers.kubernetes.kubeconfig import Choice

CONNECTIONS = 64
_CONNECT = 3.0  # seconds to reach the server
_ANSWER = 40.0  # seconds for an answer; admission webhooks may take 30
_PATIENCE = 30.0  # seconds that a cluster which has answered before may be away or busy
_PAUSES = (0.2, 0.5, 1.0, 2.0)  # seconds between attempts; the last one again and again
_CREDENTIALS = "client.authentication.k8s.io"  # the API of programs that give tokens


class Connection:
    """Requests are JSON, and are repeated while the cluster is away or busy: all that is asked may be asked twice."""

    def __init__(self, choice: Choice, stopping: Callable[[], bool] = lambda: False) -> None:
        self._choice, self._stopping = choice, stopping
        self._answered = False
        self._lock = threading.Lock()
        self._clock = ("", 0.0)  # the Date of the last answer, and when it came
        self._client = _client(choice)

    def close(self) -> None:
        self._client.close()

    def now(self) -> float:
        """Seconds on the cluster's clock, which need not be this machine's."""
        date, then = self._clock
        return parsedate_to_datetime(date).timestamp() + time.monotonic() - then if date else time.time()

    def ask(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Any = None,
        content: str = "application/json",
    ) -> Any:
        """What the API answers. Raises ApiError, or UnreachableError."""
        response = self._answer(method, path, parameters, body, content)
        try:
            return response.json()
        except ValueError:
            raise UnreachableError(f"{self._choice.described} is no Kubernetes API: it answers with no JSON") from None

    def text(self, path: str, parameters: Mapping[str, str]) -> str:
        return self._answer("GET", path, parameters, None, "").text

    def _answer(
        self, method: str, path: str, parameters: Mapping[str, str] | None, body: Any, content: str
    ) -> httpx2.Response:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", **({"Content-Type": content} if data is not None else {})}
        if not self._answered:  # one asks first: who has no credentials yet is given them once, and not by 32 threads
            with self._lock:
                return self._attempt(method, path, parameters, data, headers)
        return self._attempt(method, path, parameters, data, headers)

    def _attempt(
        self, method: str, path: str, parameters: Mapping[str, str] | None, data: bytes | None, headers: dict[str, str]
    ) -> httpx2.Response:
        deadline = time.monotonic() + _PATIENCE
        for pause in _pauses():
            try:
                response = self._client.request(method, path, params=parameters, content=data, headers=headers)
                self._answered = True
                self._clock = (response.headers.get("Date", ""), time.monotonic())
                if response.is_success:
                    return response
                raise self._refused(response)
            except httpx2.TransportError as error:
                failure: ProviderError = UnreachableError(self._explain(error))
                again = self._answered
            except ApiError as error:
                failure, again = error, error.is_busy
            except (ConfigError, OSError) as error:  # of a program that gives credentials
                raise ProviderError(f"no credentials for {self._choice.described}: {error}") from None
            if not again or time.monotonic() + pause > deadline or self._stopping():
                raise failure
            time.sleep(pause)
        raise AssertionError("pauses do not end")

    def _refused(self, response: httpx2.Response) -> ApiError:
        try:
            status = response.json()
        except ValueError:
            status = {}
        if not isinstance(status, Mapping) or status.get("kind") != "Status":
            status = {"message": f"{self._choice.described} answered {response.status_code}, in no words of Kubernetes"}
        if response.status_code == 401:
            who = f"user {self._choice.user_name!r} of {self._choice.source}"
            status = {"message": f"{self._choice.described} does not accept the credentials of {who} (401)"}
            advice = "They have expired, or are another cluster's: log in again, or choose another context"
            return ApiError(401, status, advice)
        advice = ""
        if response.status_code == 403 and " cannot " in str(status.get("message")):
            advice = f"Give user {self._choice.user_name!r} a role with that verb and resource, or use another context"
        return ApiError(response.status_code, status, advice)

    def _explain(self, error: httpx2.TransportError) -> str:
        where = self._choice.described
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                return (
                    f"the certificate of {where} can't be trusted: {cause.verify_message}. The kubeconfig has another "
                    "cluster's certificate-authority, or somebody else answers at that address"
                )
            if isinstance(cause, ssl.SSLError):
                return f"no TLS with {where}: {cause.reason or cause}. Is it https, and are its certificates in order?"
        if isinstance(error, httpx2.TimeoutException):
            said = "does not answer in time"
        else:
            said = f"can't be reached ({error})"
        return f"the cluster at {where} {said}. Is it up, and the address right? `kubectl cluster-info` shows it"


def _client(choice: Choice) -> httpx2.Client:
    try:
        cluster, user = msgspec.convert(choice.cluster, Cluster), msgspec.convert(_older(choice.user), User)
        config = SingleConfig(choice.context, Context(cluster=""), cluster, user)
        verified = verify_cluster(cluster, user, config.abs_file, trust_env=False)
        if cluster.insecure:
            verified.check_hostname, verified.verify_mode = False, ssl.CERT_NONE
        auth = user_auth(user)
    except (ConfigError, msgspec.ValidationError, OSError, ValueError) as error:
        raise ProviderError(f"{choice.source}, context {choice.context!r}: {error}") from None
    limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    return httpx2.Client(
        base_url=cluster.server,
        verify=verified,
        auth=auth,
        timeout=httpx2.Timeout(_ANSWER, connect=_CONNECT, pool=None),
        limits=limits,
        trust_env=False,
        proxy=_proxy(cluster.server),
    )


def _older(user: Mapping[str, Any]) -> Mapping[str, Any]:
    """The protocol of programs that give tokens did not change from v1beta1 to v1; lightkube knows the former."""
    plugin = user.get("exec")
    if not isinstance(plugin, Mapping) or plugin.get("apiVersion") != f"{_CREDENTIALS}/v1":
        return user
    asked = {"apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "spec": {"interactive": False}}
    environment = [*(plugin.get("env") or ()), {"name": "KUBERNETES_EXEC_INFO", "value": json.dumps(asked)}]
    return {**user, "exec": {**plugin, "apiVersion": f"{_CREDENTIALS}/v1beta1", "env": environment}}


def _proxy(server: str) -> str | None:
    """As kubectl: the environment's, but for addresses in NO_PROXY, where networks (10.0.0.0/8) count, too."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    proxy = urllib.request.getproxies_environment().get(parts.scheme)
    if not proxy or urllib.request.proxy_bypass(parts.netloc):
        return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None if host == "localhost" else proxy
    excepted = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    networks = [part.strip() for part in excepted.split(",") if "/" in part]
    inside = any(address in network for network in map(_network, networks) if network is not None)
    return None if inside or address.is_loopback else proxy


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _pauses() -> Iterator[float]:
    yield from _PAUSES
    while True:
        yield _PAUSES[-1]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
