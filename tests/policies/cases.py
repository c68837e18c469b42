"""The cases of `cases.yaml`: for every rule what it refuses and what it lets pass."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from policies.rules import tokens
from tests.policies.harness import Example, secret

_DOCUMENT = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text())
_BASES: Mapping[str, Mapping[str, Any]] = _DOCUMENT["bases"]
_CLUSTER: tuple[str, ...] = tuple(_DOCUMENT["cluster"])
_TYPES = {  # every other base is a container
    "network": tokens.NETWORK,
    "volume": tokens.VOLUME,
    "image": tokens.REMOTE_IMAGE,
    "bucket": tokens.BUCKET,
    "public_bucket": tokens.PUBLIC_BUCKET,
    "role": tokens.ROLE,
    "collection": tokens.COLLECTION,
    "database": tokens.DATABASE,
    "default_user": tokens.DEFAULT_USER,
    "object_store_user": tokens.OBJECT_STORE_USER,
    "qdrant_login": tokens.QDRANT_LOGIN,
    "redis_user": tokens.REDIS_USER,
    "secret_file": tokens.SECRET_FILE,
    "password": tokens.RANDOM_PASSWORD,
    "stateful_set": tokens.STATEFUL_SET,
    "deployment": tokens.DEPLOYMENT,
    "cron_job": tokens.CRON_JOB,
    "pod": tokens.POD,
    "namespace": tokens.NAMESPACE,
    "deny": tokens.NETWORK_POLICY,
    "allow": tokens.NETWORK_POLICY,
    "service": tokens.SERVICE,
    "claim": tokens.CLAIM,
    "config_map": tokens.CONFIG_MAP,
    "storage_class": tokens.STORAGE_CLASS,
    "cluster_secret": tokens.SECRET,
    "kept_secret": tokens.KEPT_SECRET,
    "private_key": tokens.PRIVATE_KEY,
    "budget": tokens.DISRUPTION_BUDGET,
}

SLICE = "strata:slices:Slice"
POSTGRES = _BASES["postgres"]
REDIS = _BASES["redis"]


@dataclass(frozen=True, eq=False)
class Case:
    rule: str
    title: str
    examples: tuple[Example, ...]
    violates: bool
    says: tuple[str, ...] = ()  # what the messages of a violation must contain

    def __str__(self) -> str:
        return f"{self.rule}: {self.title}"


def _cluster(base: str, without: Sequence[str] = ()) -> tuple[Example, ...]:
    """What stands around an object of a cluster, as it should be; none for what is in no cluster."""
    if not _TYPES.get(base, "").startswith("kubernetes:"):
        return ()
    around = (other for other in _CLUSTER if other != base and other not in without)
    return tuple(Example(_TYPES[other], f"around-{other}", _BASES[other]) for other in around)


BARE = tuple(
    (Example(_TYPES.get(base, tokens.CONTAINER), "example", inputs), *_cluster(base)) for base, inputs in _BASES.items()
)
"""A resource of every kind, as it should be, first among those that belong to it."""


def container(inputs: Mapping[str, Any]) -> Example:
    return Example(tokens.CONTAINER, "example", inputs)


def _read() -> Iterator[Case]:
    for rule, cases in _DOCUMENT["rules"].items():
        for outcome in ("passes", "violates"):
            for case in cases.get(outcome, ()):
                yield Case(rule, case["title"], _examples(case), outcome == "violates", tuple(case.get("says", ())))


def _examples(case: Mapping[str, Any]) -> tuple[Example, ...]:
    example = _example(case, "example")
    if "beside" in case:
        another = replace(example, name="another")
        return another, replace(example, inputs={**example.inputs, **case["beside"]})
    if "pulled" in case:
        # The container has the id of an image that a resource of its own pulls.
        image = Example(tokens.REMOTE_IMAGE, "image", {**_BASES["image"], "name": case["pulled"]})
        return image, replace(example, inputs={**example.inputs, "image": "sha256:1"}, uses={"image": (image.urn,)})
    cluster = _cluster(case["base"], case.get("without", ()))
    examples = [example, *cluster, *(_example(other, f"other-{n}") for n, other in enumerate(case.get("others", ())))]
    slices = {each.parent: Example(SLICE, each.parent.rpartition("::")[2], {}) for each in examples if each.parent}
    if "stack" in case:
        examples.insert(0, Example(tokens.STACK, "strata-test", case["stack"]))
    return *slices.values(), *examples


def _example(case: Mapping[str, Any], name: str) -> Example:
    base = case["base"]
    parent = Example(SLICE, case["slice"], {}).urn if "slice" in case else ""
    inputs = _merged({**_BASES[base], **case.get("change", {})}, case.get("merge", {}))
    for key, path in (("pod", ()), ("server", ("containers", 0))):
        if key in case:
            inputs = _merged(inputs, _nested((*_pod_path(base), *path), case[key]))
    for key in case.get("secret", ()):
        inputs[key] = secret(inputs[key])
    return Example(_TYPES.get(base, tokens.CONTAINER), name, inputs, protect=case.get("protect", False), parent=parent)


def _pod_path(base: str) -> tuple[str, ...]:
    return {
        tokens.POD: ("spec",),
        tokens.CRON_JOB: ("spec", "jobTemplate", "spec", "template", "spec"),
    }.get(_TYPES[base], ("spec", "template", "spec"))


def _nested(path: Sequence[str | int], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _merged(value: Any, changes: Any) -> Any:
    """`value` with single values changed; null takes one away, and a number is a place in a list."""
    if not isinstance(changes, dict):
        return changes
    if isinstance(value, list):
        return [_merged(item, changes.get(index, {})) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        value = {}
    merged = {key: _merged(value.get(key), change) for key, change in changes.items() if change is not None}
    return {key: value[key] for key in value if key not in changes} | merged


CASES = tuple(_read())
