"""An application's buckets."""

from typing import Any

import pulumi

from components.applications.login import Login, password
from components.claims import Application, BucketClaim, ObjectStoreClaim
from components.naming import Naming
from components.services import BackendService
from components.slices import Bucket, BucketArgs, ObjectStoreUser, ObjectStoreUserArgs, PublicBucket, PublicBucketArgs


class ObjectStoreSlice(pulumi.ComponentResource):
    """Buckets, anonymous reading of the public ones, and two access keys. Objects stay when it goes; access does not.

    Key `rotation` is the one to use, and the one before it is accepted until the next rotation: an application may be
    given the new one while it runs.
    """

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
        secret = password(f"{logical}-secret", self, keepers={"number": str(number)})
        args = ObjectStoreUserArgs(
            admin=self._service.admin,
            identity=self._service.identity,
            name=key,
            password=secret,
            buckets=[bucket["name"] for bucket in self.buckets.values()],
        )
        self.ready.append(ObjectStoreUser(logical, args, opts=self._access(*buckets)))
        return Login(username=key, password=pulumi.Output.secret(secret))

    def _access(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self, depends_on=[self._service.ready, *depends_on], deleted_with=self._service.resource
        )
