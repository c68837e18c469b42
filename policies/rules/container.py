"""Reading a Docker container's inputs, in the words that rules use."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_policy.proxy import UnknownValueError

from policies.rules.image_reference import ImageReference

Inputs = Mapping[str, Any]

_BACKENDS = {"postgres": "postgres", "redis": "redis", "valkey": "redis", "qdrant": "qdrant", "minio": "minio"}


@dataclass(frozen=True)
class Mount:
    where: str  # the property, as in `volumes[0]`
    path: str  # in the container
    named_volume: bool


def each(inputs: Inputs, key: str) -> Sequence[Any]:
    """The elements of a list that may be absent or null."""
    return inputs.get(key) or ()


def number(inputs: Inputs, key: str) -> float:
    """A number that may be absent, null or written as a string (`cpus`); 0 if it says nothing."""
    try:
        return float(inputs.get(key) or 0)
    except ValueError:
        return 0.0


def is_given(inputs: Inputs, key: str) -> bool:
    """Whether the program sets a property at all. A value that is not known yet is one that will be there."""
    try:
        return bool(inputs.get(key))
    except UnknownValueError:
        return True


def mounts(inputs: Inputs) -> Iterator[Mount]:
    """Everything mounted into the container, from both of the inputs that can say so."""
    for index, volume in enumerate(each(inputs, "volumes")):
        named = is_given(volume, "volumeName") and not is_given(volume, "hostPath")
        yield Mount(f"volumes[{index}]", volume.get("containerPath") or "", named)
    for index, mount in enumerate(each(inputs, "mounts")):
        yield Mount(f"mounts[{index}]", mount["target"], mount["type"] == "volume" and is_given(mount, "source"))


def image(inputs: Inputs) -> ImageReference | None:
    """The image by name; None if it is referred to by its id, or not known before the image was pulled."""
    try:
        return ImageReference.parse(inputs.get("image") or "")
    except UnknownValueError:
        return None


def backend(inputs: Inputs) -> str | None:
    """Which backend the container runs: by its image's name, or by its own where the image has none."""
    reference = image(inputs)
    if reference is not None:
        return _BACKENDS.get(reference.repository.rpartition("/")[2].removeprefix("strata-"))
    for word in re.split("[-_]", _known_name(inputs)):
        if word in _BACKENDS:
            return _BACKENDS[word]
    return None


def _known_name(inputs: Inputs) -> str:
    try:
        return inputs.get("name") or ""
    except UnknownValueError:
        return ""
