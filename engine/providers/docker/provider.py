"""The Docker provider: which resource types there are, and their dispatch."""

import threading
from collections.abc import Mapping
from typing import Any

from engine.providers.base import Call, Diff, Old, Properties, ProviderError, Unsupported
from engine.providers.bridge.plan import keeps_given_name, plan
from engine.providers.bridge.schema import check
from engine.providers.docker.container import Container
from engine.providers.docker.daemon import Daemon
from engine.providers.docker.image import RemoteImage
from engine.providers.docker.network import Network
from engine.providers.docker.resource import Resource
from engine.providers.docker.volume import Volume
from engine.values import UNKNOWN

TYPES: Mapping[str, Resource] = {
    "docker:index/container:Container": Container(),
    "docker:index/network:Network": Network(),
    "docker:index/remoteImage:RemoteImage": RemoteImage(),
    "docker:index/volume:Volume": Volume(),
}

_NOTES = ("__meta", "__pulumi_raw_state_delta")
_CONFIGURATION = ("host", "version", "__internal", "__defaults")


class DockerProvider:
    """`check` never asks the daemon. `diff` asks only whether the object is still there, and does without an answer."""

    def __init__(self) -> None:
        self._host: Any = None
        self._daemon: Daemon | None = None
        self._lock = threading.Lock()

    def configure(self, config: Mapping[str, Any]) -> None:
        """`host` is a URL such as unix:///var/run/docker.sock, tcp://… or ssh://…; unset, see Daemon."""
        refused = sorted(name for name, value in config.items() if value and name not in _CONFIGURATION)
        if refused:
            raise Unsupported(
                f"docker provider: this engine does not carry out {', '.join(refused)}; write host, or set DOCKER_HOST"
            )
        self.close()
        self._host = config.get("host") or None

    def check(self, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
        return check(_resource(call.type).schema, call, old_inputs, inputs)

    def diff(self, call: Call, old: Old, inputs: Properties) -> Diff:
        """An object that was removed by hand is replaced. The official provider finds that by a refresh only."""
        resource = _resource(call.type)
        try:
            seen = resource.seen(self._connect(), call, old)
        except ProviderError:  # no answer is no news; what is to be changed will tell
            seen = old
        before_replace = resource.delete_before_replace
        if before_replace is None:
            before_replace = keeps_given_name(resource.schema, inputs)
        if seen is None:
            return Diff(changed=True, replaces=("id",), paths=("id",), delete_before_replace=before_replace)
        return plan(resource.schema, call, seen, inputs, delete_before_replace=before_replace)

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        return _resource(call.type).create(self._connect(), call, inputs)

    def read(self, call: Call, old: Old) -> Old | None:
        live = _resource(call.type).read(self._connect(), call, old)
        # What the official plugin notes beside the facts is its own; it stays for as long as these do.
        if live is not None and live.id == old.id and _facts(live.outputs) == _facts(old.outputs):
            return Old(live.id, live.inputs, old.outputs)
        return live

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties:
        return _resource(call.type).update(self._connect(), call, old, inputs)

    def delete(self, call: Call, old: Old) -> None:
        _resource(call.type).delete(self._connect(), call, old)

    def invoke(self, token: str, args: Properties) -> Properties:
        raise Unsupported(f"docker function {token} is not carried out by this engine")

    def close(self) -> None:
        if self._daemon is not None:
            self._daemon.close()
        self._daemon = None

    def _connect(self) -> Daemon:
        if self._host is UNKNOWN:
            raise ProviderError("docker provider: host is not known yet; make it a setting instead of an output")
        with self._lock:
            if self._daemon is None:
                self._daemon = Daemon(self._host)
            return self._daemon


def _facts(outputs: Properties) -> Properties:
    """Outputs without notes, and without what is empty: the official plugin leaves some of it out."""
    return {key: value for key, value in outputs.items() if key not in _NOTES and value not in (None, {}, [])}


def _resource(type: str) -> Resource:
    try:
        return TYPES[type]
    except KeyError:
        raise Unsupported(
            f"{type} is not carried out by this engine; there are {', '.join(TYPES)}. "
            "Use the official pulumi CLI for a program that needs it"
        ) from None
