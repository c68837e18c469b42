"""A key that kept data depends on, as a Secret of Kubernetes that outlives the stack."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.slices.cluster import Cluster, cluster
from components.slices.errors import SliceError
from components.slices.resource import Props, SliceProvider, inputs_of, is_known, with_secret_outputs


@dataclass(frozen=True, kw_only=True)
class KeptSecretArgs:
    """A Secret `name` that exists in the namespace goes before `content`, and no delete removes it.

    Which of the two it is, only the resource's `value` says. `context` is of the kubeconfig.
    """

    namespace: str
    name: str
    key: str
    content: pulumi.Input[str]
    labels: Mapping[str, pulumi.Input[str]]
    context: str | None = None


class KeptSecretProvider(SliceProvider):
    """Makes the Secret where there is none, and again what was deleted by hand: its data is of no use without."""

    client: ClassVar = "lightkube.config.client_adapter"
    shared: ClassVar = ()
    compared: ClassVar = ("labels",)
    replacing: ClassVar = ("namespace", "name", "key")
    unrecorded: ClassVar = ("content",)

    def identifier(self, props: Props) -> str:
        return f"{props['namespace']}/{props['name']}"

    def drifted(self, olds: Props, news: Props) -> bool:
        if not is_known({key: value for key, value in news.items() if key != "content"}):
            return False
        with cluster(news.get("context")) as api:
            return _value(api, news) != olds.get("value")

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        before = (olds or {}).get("value")
        with cluster(props.get("context")) as api:
            found = _value(api, props)
            if found is not None and before is not None and found != before:
                raise SliceError(
                    f"the Secret {self.identifier(props)} is not the key that the data was written with: bring it back,"
                    f" under `{props['key']}`"
                )
            value = found or before or str(props["content"])
            if found is None:
                _write(api, props, value)
        return {"value": value}

    def live(self, props: Props) -> Props | None:
        """The state has the key, too, so that it is never gone."""
        return {}

    def delete(self, id_: str, props: Props) -> None:
        """The Secret stays, as the data does."""


class KeptSecret(Resource, module="strata", name="KeptSecret"):
    """A kept key; `value` is the key itself, and a secret."""

    value: pulumi.Output[str]

    def __init__(self, name: str, args: KeptSecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(KeptSecretProvider(), name, inputs_of(args, "value"), with_secret_outputs(opts, "value"))


def _value(api: Cluster, props: Props) -> str | None:
    secret = api.get(_path(props, props["name"]))
    data = (secret or {}).get("data") or {}
    return base64.b64decode(data[props["key"]]).decode() if props["key"] in data else None


def _write(api: Cluster, props: Props, value: str) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": props["name"], "namespace": props["namespace"], "labels": dict(props["labels"])},
        "stringData": {props["key"]: value},
    }
    api.apply(_path(props, props["name"]), secret, "strata", force=True)


def _path(props: Props, name: str) -> str:
    return f"/api/v1/namespaces/{props['namespace']}/secrets/{name}"
