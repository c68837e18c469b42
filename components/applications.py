"""An application's slice of each backend, as one component: what it claims is what it gets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_random as random

from components.naming import Naming
from components.services import BackendService
from components.slices import (
    Bucket,
    BucketArgs,
    Database,
    DatabaseArgs,
    Migration,
    Migrations,
    MigrationsArgs,
    ObjectStoreUser,
    ObjectStoreUserArgs,
    PublicBucket,
    PublicBucketArgs,
    RedisUser,
    RedisUserArgs,
    Role,
    RoleArgs,
)
from components.slices.object_store.connection import REGION
from components.specs import Application, BucketClaim, ObjectStoreClaim, PostgresClaim, RedisClaim

# A login's password: letters and digits only, so that it needs no quoting in any format, and as strong as 190 bits.
PASSWORD_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class Login:
    """A name and its password; the password is a secret from birth."""

    username: str
    password: pulumi.Output[str]


class PostgresSlice(pulumi.ComponentResource):
    """A database with its schema, its owner (no login), its group roles, a read-write and a read-only login.

    Access ends with the backend or with the claim; the database and its migrations are retained.
    """

    def __init__(
        self,
        name: str,
        application: Application,
        claim: PostgresClaim,
        service: BackendService,
        migrations: Sequence[Migration],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("strata:slices:Postgres", name, None, opts)
        self._name, self._claim, self._service = name, claim, service
        self.database = application.name
        owner = self._role("owner", application.owner)
        groups = {role: self._role(role, role) for role in claim.roles}
        member_of = claim.login.member_of if claim.login else ()
        inherit = claim.login is None or claim.login.inherit
        self.login, writer = self._login("login", application.login, inherit, member_of, list(groups.values()))
        self.reader, reader = self._login("reader", application.reader, True, (), [])
        database = Database(
            f"{name}-database",
            DatabaseArgs(
                admin=service.admin,
                identity=service.identity,
                name=self.database,
                owner=application.owner,
                # A login that inherits nothing has its rights from SET ROLE alone: it may only connect.
                connect=[self.login.username],
                writers=[self.login.username] if inherit else [],
                readers=[self.reader.username],
            ),
            opts=self._data(owner, writer, reader),
        )
        self.schema_version = migrations[-1]["name"].removesuffix(".sql") if migrations else None
        schema = Migrations(
            f"{name}-migrations",
            MigrationsArgs(
                admin=service.admin,
                identity=service.identity,
                database=self.database,
                owner=application.owner,
                migrations=migrations,
            ),
            opts=self._data(database, *groups.values()),
        )
        self.ready: list[pulumi.Resource] = [schema, writer, reader]
        self.register_outputs({"database": self.database, "login": self.login.username, "reader": self.reader.username})

    def _role(self, logical: str, role: str) -> Role:
        args = RoleArgs(admin=self._service.admin, identity=self._service.identity, name=role, login=False)
        return Role(f"{self._name}-role-{logical}", args, opts=self._access())

    def _login(
        self, logical: str, role: str, inherit: bool, member_of: tuple[str, ...], groups: list[Role]
    ) -> tuple[Login, Role]:
        password = _password(f"{self._name}-{logical}-password", self)
        args = RoleArgs(
            admin=self._service.admin,
            identity=self._service.identity,
            name=role,
            login=True,
            password=password,
            inherit=inherit,
            member_of=list(member_of),
            connection_limit=self._claim.connection_limit,
            settings={"statement_timeout": self._claim.statement_timeout},
        )
        resource = Role(f"{self._name}-role-{logical}", args, opts=self._access(*groups))
        return Login(username=role, password=pulumi.Output.secret(password)), resource

    def _access(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        """Deleted for real when the claim ends, and together with the backend when that is deleted."""
        return pulumi.ResourceOptions(
            parent=self, depends_on=[self._service.ready, *depends_on], deleted_with=self._service.resource
        )

    def _data(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=[self._service.ready, *depends_on], retain_on_delete=True)


class RedisSlice(pulumi.ComponentResource):
    """An ACL user that reaches keys and channels with its prefix. Keys stay when it goes."""

    def __init__(
        self,
        name: str,
        application: Application,
        claim: RedisClaim,
        service: BackendService,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("strata:slices:Redis", name, None, opts)
        self.prefix = claim.prefix
        password = _password(f"{name}-password", self)
        user = RedisUser(
            f"{name}-user",
            RedisUserArgs(
                admin=service.admin,
                identity=service.identity,
                name=application.name,
                password=password,
                prefix=claim.prefix,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service.ready], deleted_with=service.resource),
        )
        self.login = Login(username=application.name, password=pulumi.Output.secret(password))
        self.ready: list[pulumi.Resource] = [user]
        self.register_outputs({"prefix": claim.prefix, "login": self.login.username})


class ObjectStoreSlice(pulumi.ComponentResource):
    """Buckets, anonymous reading of the public ones, and two access keys. Objects stay when it goes; access does not.

    Key `rotation` is the one to use, and the one before it is accepted until the next rotation: an application may be
    given the new one while it runs.
    """

    region = REGION

    def __init__(
        self,
        name: str,
        application: Application,
        claim: ObjectStoreClaim,
        service: BackendService,
        naming: Naming,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("strata:slices:ObjectStore", name, None, opts)
        self._name, self._application, self._service = name, application, service
        self.buckets: dict[str, dict[str, Any]] = {}
        self.ready: list[pulumi.Resource] = []
        for bucket, wanted in claim.buckets.items():
            physical = naming.bucket(application.name, bucket)
            self.buckets[bucket] = {"name": physical, **wanted.model_dump(include={"public", "content_types"})}
            if wanted.max_size is not None:
                self.buckets[bucket]["max_size"] = wanted.max_size
            self._bucket(bucket, physical, wanted)
        buckets = list(self.ready)
        self.login = self._key(claim.rotation, buckets)
        self.previous = self._key(claim.rotation - 1, buckets)
        names = {bucket: facts["name"] for bucket, facts in self.buckets.items()}
        self.register_outputs({"buckets": names, "login": self.login.username, "previous": self.previous.username})

    def _bucket(self, bucket: str, physical: str, wanted: BucketClaim) -> None:
        limits = {
            "strata.application": self._application.name,
            "max-size": str(wanted.max_size or ""),
            "content-types": " ".join(wanted.content_types),
        }
        args = BucketArgs(
            admin=self._service.admin,
            identity=self._service.identity,
            name=physical,
            versioning=wanted.versioning,
            noncurrent_days=wanted.noncurrent_days,
            tags={key: value for key, value in limits.items() if value},
        )
        data = pulumi.ResourceOptions(parent=self, depends_on=[self._service.ready], retain_on_delete=True)
        made = Bucket(f"{self._name}-bucket-{bucket}", args, opts=data)
        self.ready.append(made)
        if wanted.public:
            reading = PublicBucketArgs(admin=self._service.admin, identity=self._service.identity, bucket=physical)
            self.ready.append(PublicBucket(f"{self._name}-public-{bucket}", reading, opts=self._access(made)))

    def _key(self, number: int, buckets: list[pulumi.Resource]) -> Login:
        """Two resources take turns: a rotation replaces the older key, and leaves the newer one alone."""
        logical = f"{self._name}-key-{number % 2}"
        key = f"{self._application.name}-{number}"
        password = _password(f"{logical}-secret", self, keepers={"number": str(number)})
        args = ObjectStoreUserArgs(
            admin=self._service.admin,
            identity=self._service.identity,
            name=key,
            password=password,
            buckets=[bucket["name"] for bucket in self.buckets.values()],
        )
        self.ready.append(ObjectStoreUser(logical, args, opts=self._access(*buckets)))
        return Login(username=key, password=pulumi.Output.secret(password))

    def _access(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self, depends_on=[self._service.ready, *depends_on], deleted_with=self._service.resource
        )


def _password(name: str, parent: pulumi.Resource, *, keepers: Mapping[str, str] | None = None) -> pulumi.Output[str]:
    """A generated password of PASSWORD_LENGTH letters and digits; another one when `keepers` change."""
    options = pulumi.ResourceOptions(parent=parent)
    password = random.RandomPassword(name, length=PASSWORD_LENGTH, special=False, keepers=keepers, opts=options)
    result: pulumi.Output[str] = password.result
    return result
