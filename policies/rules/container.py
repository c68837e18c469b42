"""Reading a Docker container's inputs, in the words that rules use."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pulumi_policy import PolicyResource
from pulumi_policy.proxy import UnknownValueError

from policies.rules import tokens
from policies.rules.image_reference import BACKENDS, ImageReference
from policies.rules.values import Inputs, each, is_given


@dataclass(frozen=True)
class Mount:
    where: str  # the property, as in `volumes[0]`
    path: str  # in the container
    named_volume: bool


def mounts(inputs: Inputs) -> Iterator[Mount]:
    """Everything mounted into the container, from both of the inputs that can say so."""
    for index, volume in enumerate(each(inputs, "volumes")):
        named = is_given(volume, "volumeName") and not is_given(volume, "hostPath")
        yield Mount(f"volumes[{index}]", volume.get("containerPath") or "", named)
    for index, mount in enumerate(each(inputs, "mounts")):
        yield Mount(f"mounts[{index}]", mount["target"], mount["type"] == "volume" and is_given(mount, "source"))


def said(inputs: Inputs) -> str:
    """Everything that the server is told when it starts: variables, script and options."""
    return "\n".join(text for key in ("envs", "command", "entrypoints") for text in each(inputs, key))


def image(inputs: Inputs) -> ImageReference | None:
    """The image by name; None if it is referred to by its id, or not known before the image was pulled."""
    try:
        return ImageReference.parse(inputs.get("image") or "")
    except UnknownValueError:
        return None


def image_of(resource: PolicyResource) -> ImageReference | None:
    """The image by name, also where the container takes its id from an image resource."""
    reference = image(resource.props)
    for source in resource.property_dependencies.get("image", []):
        if reference is None and source.resource_type == tokens.REMOTE_IMAGE:
            reference = ImageReference.parse(source.props.get("name") or "")
    return reference


def backend(inputs: Inputs) -> str | None:
    """Which backend the container runs: by its image's name, or by its own where the image has none."""
    reference = image(inputs)
    if reference is not None:
        return reference.backend
    words = re.split("[-_]", _known_name(inputs))
    return next((BACKENDS[word] for word in words if word in BACKENDS), None)


def _known_name(inputs: Inputs) -> str:
    try:
        return inputs.get("name") or ""
    except UnknownValueError:
        return ""
