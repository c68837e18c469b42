"""What two applications of one stack cannot both have: a role, a prefix, a bucket, a collection, a volume, a port.

Roles are the server's, prefixes share one Redis, and after the stack's prefix a name is its own: two applications with
one of them would share its data. Refused before anything is made.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from components import naming
from components.claims import Application
from infra.contract import BACKENDS
from infra.mistakes import SettingsError

if TYPE_CHECKING:
    from infra.settings import Settings


def refuse(settings: "Settings", applications: tuple[Application, ...]) -> None:
    """Raises SettingsError for the first conflict: which file, which name, whose it is, and what to write instead."""
    _roles(applications)
    _prefixes(applications)
    _buckets(applications)
    _collections(applications)
    _volumes(applications)
    _overrides(settings, applications)
    _ports(settings, applications)


def _roles(applications: Iterable[Application]) -> None:
    owners: dict[str, str] = {}
    for application in applications:
        for role in application.postgres_roles:
            other = owners.setdefault(role, application.name)
            if other != application.name or application.postgres_roles.count(role) > 1:
                raise _mistake(
                    application,
                    f"the role `{role}` is made twice (also by `{other}`). Give one of them another name.",
                )


def _prefixes(applications: Iterable[Application]) -> None:
    prefixes = [(a, a.redis.prefix) for a in applications if a.redis and a.redis.prefix]
    for application, prefix in prefixes:
        for other, theirs in prefixes:
            if application.name != other.name and prefix.startswith(theirs):
                raise _mistake(
                    application,
                    f"redis.prefix `{prefix}` lies within `{theirs}` of `{other.name}`."
                    f" Write for instance `prefix: '{application.name}:'`",
                )


def _buckets(applications: Iterable[Application]) -> None:
    owners: dict[str, str] = {}
    for application in applications:
        for bucket in application.object_store.buckets if application.object_store else ():
            # A stack's prefix is the same for all, so it cannot tell two of them apart.
            name = f"{application.name}-{bucket}".replace("_", "-")
            other = owners.setdefault(name, application.name)
            if other != application.name:
                raise _mistake(
                    application,
                    f"the bucket `{bucket}` would be `{name}`, as one of `{other}` is. Give one of them another name.",
                )


def _collections(applications: Iterable[Application]) -> None:
    owners: dict[str, str] = {}
    for application in applications:
        for collection in application.qdrant.collections if application.qdrant else ():
            other = owners.setdefault(collection, application.name)
            if other != application.name:
                raise _mistake(
                    application,
                    f"the collection `{collection}` is `{other}`'s, too."
                    f" Write for instance: `{application.name}_{collection}`",
                )


def _volumes(applications: Iterable[Application]) -> None:
    owners: dict[str, str] = {}
    for application in applications:
        for volume in application.volumes:
            owner = "a backend" if naming.is_of_backends(volume) else owners.setdefault(volume, application.name)
            if owner != application.name:
                own = f"{application.name.replace('_', '-')}-{volume.removesuffix('-secrets')}"
                raise _mistake(
                    application,
                    f"the volume `{volume}` is that of {owner}. Write for instance:\n  volumes:\n    {own}: {{}}",
                )


def _overrides(settings: "Settings", applications: tuple[Application, ...]) -> None:
    """Only what is there can be had otherwise. An application that is not in this stack may come back to it."""
    shared = [a.name for a in applications if a.redis is None or a.redis.server is None]
    for name in settings.redis.dedicated:
        if name in shared:
            raise SettingsError(
                f"strata:redis.dedicated.{name}: `{name}` has no Redis of its own. Remove these lines, or write"
                f" `redis: {{mode: dedicated, server: …}}` in applications/{name}/application.yaml"
            )


def _ports(settings: "Settings", applications: tuple[Application, ...]) -> None:
    """Each server takes a port of this host, where the platform is Docker."""
    owners: dict[int, str] = {}
    for setting, port in _host_ports(settings, applications):
        other = owners.setdefault(port, setting)
        if other != setting:
            raise SettingsError(
                f"{setting} and {other} are both {port}. Write another one in Pulumi.<stack>.yaml, for instance:\n"
                f"  {setting}: {max(owners) + 1}"
            )


def _host_ports(settings: "Settings", applications: Iterable[Application]) -> Iterator[tuple[str, int]]:
    for backend in BACKENDS:
        yield f"strata:{backend}.port", getattr(settings, backend).port
    yield "strata:qdrant.grpc_port", settings.qdrant.grpc_port
    for application in applications:
        if application.redis is not None and application.redis.server is not None:
            own = settings.redis.of(application.name, application.redis.server)
            yield f"strata:redis.dedicated.{application.name}.port", own.port


def refuse_in_cluster(namespace: str, prefix: str, applications: Iterable[Application]) -> None:
    """What two applications of one cluster cannot both have, and what a claim there needs. Raises SettingsError."""
    owners = {namespace: "the backends"}
    for application in applications:
        own = f"{prefix}{application.namespace}"
        other = owners.setdefault(own, f"`{application.name}`")
        if other != f"`{application.name}`":
            raise _mistake(
                application,
                f"the namespace `{own}` is that of {other}. Write for instance:\n"
                f"  kubernetes:\n    namespace: {application.name.replace('_', '-')}-app",
            )
        if len(own) > naming.MAX_NAME:
            raise _mistake(application, f"the namespace `{own}` has {len(own)} characters, and at most 63 are allowed")
        for volume, claim in application.volumes.items():
            if claim.size is None:
                raise _mistake(
                    application,
                    f"the volume `{volume}` needs a size in a cluster. Write:\n"
                    f"  volumes:\n    {volume}: {{size: 10Gi}}",
                )


def _mistake(application: Application, text: str) -> SettingsError:
    return SettingsError(f"applications/{application.name}/application.yaml: {text}")
