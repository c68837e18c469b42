"""Data outlives what serves it: containers are replaced freely, volumes are not.

An analyzer is not told of `retain_on_delete` (pulumi 3.272), so no rule can ask for it; that the program sets it is
pinned by `tests/policies/test_program.py`.
"""

import re
from collections.abc import Iterable, Iterator

from pulumi_policy import ResourceValidationArgs, Severity, StackValidationArgs

from policies.rules import container, tokens
from policies.rules.rule import ResourceRule, StackRule

# Where each backend's official image keeps its data; of Postgres' two layouts (see `postgres-volume-path`) the parent.
DATA_ROOTS = {"postgres": "/var/lib/postgresql", "redis": "/data", "qdrant": "/qdrant/storage", "minio": "/data"}

# The first major version whose official image keeps its data in a folder named after the version.
_VERSIONED_LAYOUT = 18


def data_on_named_volume(args: ResourceValidationArgs) -> Iterator[str]:
    backend = container.backend(args.props)
    if backend is None:
        return
    root = DATA_ROOTS[backend]
    if not any(mount.named_volume and is_within(mount.path, root) for mount in container.mounts(args.props)):
        yield (
            f"volumes: {backend} keeps its data in {root}, and no named volume is mounted there, so the data goes with "
            f'the container; write volumes=[ContainerVolumeArgs(container_path="{root}…", volume_name=volume.name)]'
        )


def postgres_volume_path(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    # A rule over the stack, since a container may know its image's id only, and the version stands on the image.
    for resource in stack.resources:
        if resource.resource_type != tokens.CONTAINER:
            continue
        reference = container.image_of(resource)
        if reference is not None and reference.backend == "postgres":
            for message in _misplaced(container.mounts(resource.props), reference.major):
                yield resource.urn, message


def _misplaced(mounts: Iterable[container.Mount], major: int) -> Iterator[str]:
    for mount in mounts:
        path = mount.path.rstrip("/")
        if major >= _VERSIONED_LAYOUT and path == "/var/lib/postgresql/data":
            yield (
                f"{mount.where}: Postgres {major} keeps its data in /var/lib/postgresql/{major}/docker, beside this "
                'volume and not on it; write container_path="/var/lib/postgresql"'
            )
        if 0 < major < _VERSIONED_LAYOUT and path == "/var/lib/postgresql":
            yield (
                f"{mount.where}: the image of Postgres {major} declares a volume of its own below this one, "
                'which holds the data and goes with the container; write container_path="/var/lib/postgresql/data"'
            )


def volume_keeps_its_name(args: ResourceValidationArgs) -> Iterator[str]:
    # The checked inputs always have a name. One that the provider made is the resource's with seven hex digits.
    name = args.props.get("name") or ""
    if re.fullmatch(f"{re.escape(args.name)}-[0-9a-f]{{7}}", name):
        yield (
            f'name: "{name}" is generated, and after a destroy it would be another: the data of this volume is '
            "never found again; write name=naming.data_volume(…)"
        )


def volume_not_protected(args: ResourceValidationArgs) -> Iterator[str]:
    if args.opts.protect:
        yield (
            "opts.protect: destroy deletes everything else first and then fails on this; write "
            "retain_on_delete=True, which keeps the data and lets destroy finish"
        )


def is_within(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


RULES = (
    ResourceRule(
        name="data-on-named-volume",
        description="A backend's data lies on a named volume.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=data_on_named_volume,
        severity=Severity.CRITICAL,
        remediation_steps="Declare a docker.Volume with retain_on_delete=True and mount it where the backend writes.",
        url="https://docs.docker.com/engine/storage/volumes/",
    ),
    StackRule(
        name="postgres-volume-path",
        description="The volume of Postgres is mounted where its version keeps the data.",
        check=postgres_volume_path,
        severity=Severity.CRITICAL,
        remediation_steps="Up to 17 mount /var/lib/postgresql/data, from 18 on /var/lib/postgresql.",
        url="https://github.com/docker-library/postgres/issues/1400",
    ),
    ResourceRule(
        name="volume-keeps-its-name",
        description="A volume has a name of its own, so that what destroy kept is found again.",
        applies_to=frozenset({tokens.VOLUME}),
        check=volume_keeps_its_name,
        severity=Severity.HIGH,
        remediation_steps="Set the volume's name; all physical names are made in components/naming.py.",
        url="https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming",
    ),
    ResourceRule(
        name="volume-not-protected",
        description="A volume, claim or namespace is kept by retain_on_delete and not by protect.",
        applies_to=frozenset({tokens.VOLUME, tokens.CLAIM, tokens.NAMESPACE}),
        check=volume_not_protected,
        severity=Severity.MEDIUM,
        remediation_steps="Replace protect=True by retain_on_delete=True in its ResourceOptions.",
        url="https://www.pulumi.com/docs/iac/concepts/resources/options/retainondelete/",
    ),
)
