"""An application's keys: on the Redis that all share, or on one of its own."""

import pulumi

from components.applications.login import Login, password
from components.claims import Application, RedisClaim
from components.services import BackendService
from components.slices import RedisDefaultUser, RedisDefaultUserArgs, RedisUser, RedisUserArgs
from components.slices.redis.default_user import NAME as DEFAULT_USER


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
        assert claim.prefix is not None  # a shared claim has one
        self.prefix = claim.prefix
        secret = password(f"{name}-password", self)
        user = RedisUser(
            f"{name}-user",
            RedisUserArgs(
                admin=service.admin,
                identity=service.identity,
                name=application.name,
                password=secret,
                prefix=claim.prefix,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service.ready], deleted_with=service.resource),
        )
        self.login = Login(username=application.name, password=pulumi.Output.secret(secret))
        self.ready: list[pulumi.Resource] = [user]
        self.register_outputs({"prefix": claim.prefix, "login": self.login.username})


class DedicatedRedisSlice(pulumi.ComponentResource):
    """The default user of a Redis that the application has for itself, so that a password alone logs in."""

    def __init__(self, name: str, service: BackendService, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("strata:slices:DedicatedRedis", name, None, opts)
        assert service.password is not None
        user = RedisDefaultUser(
            f"{name}-user",
            RedisDefaultUserArgs(admin=service.admin, identity=service.identity, password=service.password),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service.ready], deleted_with=service.resource),
        )
        self.login = Login(username=DEFAULT_USER, password=pulumi.Output.secret(service.password))
        self.ready: list[pulumi.Resource] = [user]
        self.register_outputs({"login": self.login.username})
