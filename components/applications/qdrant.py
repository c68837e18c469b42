"""An application's collections."""

from typing import Any, Literal

import pulumi

from components.applications.login import Login
from components.claims import Application, CollectionClaim, QdrantClaim
from components.services import BackendService
from components.slices import Collection, CollectionArgs, QdrantLogin, QdrantLoginArgs
from components.slices.qdrant.login import grants
from components.slices.qdrant.logins import token


class QdrantSlice(pulumi.ComponentResource):
    """Collections, a token that reads and writes them, one that only reads, and the one before that.

    Points stay when it goes; access does not. As with access keys, token `rotation` is the one to use, and the one
    before it is accepted until the next rotation: an application may be given the new one while it runs.
    """

    def __init__(
        self,
        name: str,
        application: Application,
        claim: QdrantClaim,
        service: BackendService,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("strata:slices:Qdrant", name, None, opts)
        self._name, self._application, self._service = name, application, service
        self.collections: dict[str, dict[str, Any]] = {}
        self.ready: list[pulumi.Resource] = []
        for collection, wanted in claim.collections.items():
            self._collection(collection, wanted)
        collections = list(self.ready)
        self.login = self._login(f"key-{claim.rotation % 2}", f"{application.name}-{claim.rotation}", "rw", collections)
        before = claim.rotation - 1
        self.previous = self._login(f"key-{before % 2}", f"{application.name}-{before}", "rw", collections)
        self.reader = self._login("reader", f"{application.name}-ro-{claim.rotation}", "r", collections)
        self.register_outputs(
            {
                "collections": list(self.collections),
                "login": self.login.username,
                "previous": self.previous.username,
                "reader": self.reader.username,
            }
        )

    def _collection(self, collection: str, wanted: CollectionClaim) -> None:
        vectors = {name: vector.model_dump(mode="json") for name, vector in wanted.all_vectors.items()}
        args = CollectionArgs(
            admin=self._service.admin,
            identity=self._service.identity,
            name=collection,
            vectors=vectors,
            indexes=wanted.indexes,
            on_disk_payload=wanted.on_disk_payload,
        )
        data = pulumi.ResourceOptions(parent=self, depends_on=[self._service.ready], retain_on_delete=True)
        self.ready.append(Collection(f"{self._name}-collection-{collection}", args, opts=data))
        facts = {name: {key: vector[key] for key in ("size", "distance")} for name, vector in vectors.items()}
        self.collections[collection] = {"name": collection, **facts.get("", {"vectors": facts})}

    def _login(self, logical: str, login: str, access: Literal["r", "rw"], collections: list[pulumi.Resource]) -> Login:
        args = QdrantLoginArgs(
            admin=self._service.admin,
            identity=self._service.identity,
            name=login,
            collections=sorted(self.collections),
            access=access,
        )
        options = pulumi.ResourceOptions(
            parent=self, depends_on=[self._service.ready, *collections], deleted_with=self._service.resource
        )
        made = QdrantLogin(f"{self._name}-{logical}", args, opts=options)
        self.ready.append(made)
        assert self._service.signing_key is not None
        reach = grants(list(self.collections), access)
        parts = pulumi.Output.all(made.token_id, self._service.signing_key)
        signed = parts.apply(lambda known: token(reach, known[0], known[1]))
        return Login(username=login, password=pulumi.Output.secret(signed))
