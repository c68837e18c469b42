"""An application's database."""

from collections.abc import Sequence

import pulumi

from components.applications.login import Login, password
from components.claims import Application, PostgresClaim
from components.services import BackendService
from components.slices import Database, DatabaseArgs, Migration, Migrations, MigrationsArgs, Role, RoleArgs


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
        secret = password(f"{self._name}-{logical}-password", self)
        args = RoleArgs(
            admin=self._service.admin,
            identity=self._service.identity,
            name=role,
            login=True,
            password=secret,
            inherit=inherit,
            member_of=list(member_of),
            connection_limit=self._claim.connection_limit,
            settings={"statement_timeout": self._claim.statement_timeout},
        )
        resource = Role(f"{self._name}-role-{logical}", args, opts=self._access(*groups))
        return Login(username=role, password=pulumi.Output.secret(secret)), resource

    def _access(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        """Deleted for real when the claim ends, and together with the backend when that is deleted."""
        return pulumi.ResourceOptions(
            parent=self, depends_on=[self._service.ready, *depends_on], deleted_with=self._service.resource
        )

    def _data(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=[self._service.ready, *depends_on], retain_on_delete=True)
