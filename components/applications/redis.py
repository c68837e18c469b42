"""An application's keys on the shared Redis."""

import pulumi

from components.applications.login import Login, password
from components.claims import Application, RedisClaim
from components.services import BackendService
from components.slices import RedisUser, RedisUserArgs


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
