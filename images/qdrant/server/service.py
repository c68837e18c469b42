"""What the server does, whichever protocol asks: each operation checks the caller's access first."""

from collections.abc import Sequence
from typing import Any

import qdrant_edge as edge
from qdrant_client.http import models

from images.qdrant.server import groups, updates
from images.qdrant.server.access import Access, Need, ValueExists
from images.qdrant.server.collection import Collection
from images.qdrant.server.config import at_least
from images.qdrant.server.errors import ApiError, NotFoundError, NotOfferedError
from images.qdrant.server.filters import to_filter
from images.qdrant.server.ids import plain_id, point_id
from images.qdrant.server.queries import LIMIT, Request, Translator, to_order
from images.qdrant.server.storage import Storage
from images.qdrant.server.vectors import from_record, from_scored, with_payload


class Service:
    """Operations on collections and points. All raise ApiError."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def collections(self, access: Access) -> models.CollectionsResponse:
        names = [name for name in self.storage.names() if access.may_read(name)]
        return models.CollectionsResponse(collections=[models.CollectionDescription(name=name) for name in names])

    def info(self, access: Access, name: str) -> models.CollectionInfo:
        access.check(name, Need.READ)
        return self.storage.get(name).info()

    def exists(self, access: Access, name: str) -> models.CollectionExistence:
        access.check(name, Need.READ)
        return models.CollectionExistence(exists=self.storage.exists(name))

    def create(self, access: Access, name: str, request: models.CreateCollection) -> bool:
        access.check_global(Need.MANAGE)
        self.storage.create(name, request)
        return True

    def update(self, access: Access, name: str, change: models.UpdateCollection) -> bool:
        access.check_global(Need.MANAGE)
        self.storage.get(name).configure(change)
        return True

    def delete(self, access: Access, name: str) -> bool:
        access.check_global(Need.MANAGE)
        return self.storage.delete(name)

    def aliases(self, access: Access, name: str | None = None) -> models.CollectionsAliasesResponse:
        """Of one collection, or of all that the caller may see."""
        if name is not None:
            access.check(name, Need.READ)
            self.storage.get(name)
        return models.CollectionsAliasesResponse(
            aliases=[
                models.AliasDescription(alias_name=alias, collection_name=target)
                for alias, target in sorted(self.storage.aliases().items())
                if access.may_read(alias) and (target == name if name is not None else access.may_read(target))
            ]
        )

    def change_aliases(self, access: Access, actions: Sequence[models.AliasOperations]) -> bool:
        access.check_global(Need.MANAGE)
        self.storage.change_aliases([*actions])
        return True

    def index(self, access: Access, name: str, request: models.CreateFieldIndex, *, wait: bool) -> models.UpdateResult:
        access.check(name, Need.WRITE, extras=True)
        return _done(self.storage.get(name).index(request.field_name, request.field_schema), wait=wait)

    def drop_index(self, access: Access, name: str, field: str, *, wait: bool) -> models.UpdateResult:
        access.check(name, Need.WRITE, extras=True)
        return _done(self.storage.get(name).drop_index(field), wait=wait)

    def change(
        self, access: Access, name: str, changes: Sequence[models.UpdateOperation], *, wait: bool
    ) -> list[models.UpdateResult]:
        """One result for each change, in their order. Without `wait`, mistakes that show later go unreported."""
        access.check(name, Need.WRITE)
        collection = self.storage.get(name)
        results = []
        for change in changes:
            try:
                number = collection.change(updates.operations(change))
            except ApiError as error:
                if wait or updates.shows_at_once(change, error):
                    raise
                number = collection.operations
            results.append(_done(number, wait=wait))
        return results

    def points(self, access: Access, name: str, request: models.PointRequest) -> list[models.Record]:
        access.check(name, Need.READ)
        records = self.storage.get(name).ask(
            "retrieve",
            [point_id(each) for each in request.ids],
            with_payload(request.with_payload, default=True),
            request.with_vector or False,
        )
        return [from_record(each) for each in records]

    def point(self, access: Access, name: str, id_: Any) -> models.Record:
        found = self.points(access, name, models.PointRequest.model_construct(ids=[id_], with_vector=True))
        if not found:
            raise NotFoundError(f"Point with id {id_} does not exists!")
        return found[0]

    def scroll(self, access: Access, name: str, request: models.ScrollRequest) -> models.ScrollResult:
        access.check(name, Need.READ)
        at_least("limit", request.limit, 1)
        records, following = self.storage.get(name).ask(
            "scroll",
            edge.ScrollRequest(
                offset=None if request.offset is None else point_id(request.offset),
                limit=LIMIT if request.limit is None else request.limit,
                filter=to_filter(request.filter),
                with_payload=with_payload(request.with_payload, default=True),
                with_vector=request.with_vector or False,
                order_by=to_order(request.order_by) if request.order_by is not None else None,
            ),
        )
        return models.ScrollResult.model_construct(
            points=[from_record(each) for each in records],
            next_page_offset=None if following is None else plain_id(following),
        )

    def count(self, access: Access, name: str, request: models.CountRequest) -> models.CountResult:
        access.check(name, Need.READ)
        exact = request.exact is not False
        return models.CountResult(
            count=self.storage.get(name).ask("count", edge.CountRequest(exact, to_filter(request.filter)))
        )

    def facet(self, access: Access, name: str, request: models.FacetRequest) -> models.FacetResponse:
        access.check(name, Need.READ)
        at_least("limit", request.limit, 1)
        asked = edge.FacetRequest(request.key, request.limit or LIMIT, bool(request.exact), to_filter(request.filter))
        hits = self.storage.get(name).ask("facet", asked).hits
        return models.FacetResponse(hits=[models.FacetValueHit(value=hit.value, count=hit.count) for hit in hits])

    def query(self, access: Access, name: str, requests: Sequence[models.QueryRequest]) -> list[models.QueryResponse]:
        """One response for each request, in their order."""
        access.check(name, Need.READ)
        for request in requests:
            _check_lookups(access, request)
        collection = self.storage.get(name)
        return [models.QueryResponse.model_construct(points=self._found(collection, each)) for each in requests]

    def query_groups(self, access: Access, name: str, request: models.QueryGroupsRequest) -> models.GroupsResult:
        access.check(name, Need.READ)
        _check_lookups(access, request)
        at_least("limit", request.limit, 1)
        at_least("group_size", request.group_size, 1)
        if request.with_lookup is not None:
            raise NotOfferedError("with_lookup")
        collection = self.storage.get(name)
        count = collection.ask("count", edge.CountRequest())
        found = groups.grouped(request, count, lambda inner: self._found(collection, inner))
        return models.GroupsResult.model_construct(groups=found)

    def has_value(self, condition: ValueExists) -> bool:
        """Whether a token's condition holds."""
        matches = [
            models.FieldCondition(key=pair.key, match=models.MatchValue(value=pair.value)) for pair in condition.matches
        ]
        asked = edge.CountRequest(True, to_filter(models.Filter(must=[*matches])))
        return bool(self.storage.get(condition.collection).ask("count", asked))

    def _found(self, collection: Collection, request: models.QueryRequest) -> list[models.ScoredPoint]:
        translated = Translator(collection, self.storage.get).request(request)
        return [from_scored(each) for each in collection.ask("query", translated)]


def _check_lookups(access: Access, request: Request) -> None:
    """Vectors may only be looked up in collections that the caller may read."""
    if request.lookup_from is not None:
        access.check(request.lookup_from.collection, Need.READ)
    inner = request.prefetch or []
    for prefetch in inner if isinstance(inner, list) else [inner]:
        _check_lookups(access, prefetch)


def _done(number: int, *, wait: bool) -> models.UpdateResult:
    status = models.UpdateStatus.COMPLETED if wait else models.UpdateStatus.ACKNOWLEDGED
    return models.UpdateResult(operation_id=number, status=status)
