"""Queries of the API as the engine's: what is near, recommended, discovered, ordered, fused or sampled."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

import qdrant_edge as edge
from qdrant_client.http import models

from images.qdrant.server.collection import Collection
from images.qdrant.server.config import at_least
from images.qdrant.server.errors import BadInputError, NotFoundError, NotOfferedError
from images.qdrant.server.filters import to_filter, to_text
from images.qdrant.server.formulas import to_formula
from images.qdrant.server.ids import point_id
from images.qdrant.server.vectors import to_vector, with_payload

LIMIT: Final = 10
DIRECTIONS: Final = {
    None: None,
    models.Direction.ASC: edge.Direction.Asc,
    models.Direction.DESC: edge.Direction.Desc,
}

Request = models.QueryRequest | models.Prefetch | models.QueryGroupsRequest


class Translator:
    """Translates one request against `collection`. `find` gives the collections that it looks vectors up in."""

    def __init__(self, collection: Collection, find: Callable[[str], Collection]) -> None:
        self._collection, self._find = collection, find

    def request(self, model: models.QueryRequest) -> edge.QueryRequest:
        """Raises ApiError."""
        at_least("limit", model.limit, 1)
        at_least("params.hnsw_ef", model.params.hnsw_ef if model.params else None, 1)
        query, found = self._query(model)
        return edge.QueryRequest(
            limit=LIMIT if model.limit is None else model.limit,
            offset=model.offset or 0,
            query=query,
            prefetches=self._prefetches(model),
            with_vector=model.with_vector if model.with_vector is not None else False,
            with_payload=with_payload(model.with_payload, default=False),
            filter=_without(to_filter(model.filter), found),
            score_threshold=model.score_threshold,
            params=_params(model.params),
        )

    def _prefetches(self, model: Request, where: str = "") -> list[edge.Prefetch]:
        """`where` is the path of `model` in the request, with a dot at its end."""
        given = model.prefetch or []
        every = given if isinstance(given, list) else [given]
        return [self._prefetch(each, f"{where}prefetch[{index}].") for index, each in enumerate(every)]

    def _prefetch(self, model: models.Prefetch, where: str) -> edge.Prefetch:
        at_least(f"{where}limit", model.limit, 1)
        query, found = self._query(model)
        return edge.Prefetch(
            limit=LIMIT if model.limit is None else model.limit,
            query=query,
            prefetches=self._prefetches(model, where),
            params=_params(model.params),
            filter=_without(to_filter(model.filter), found),
            score_threshold=model.score_threshold,
        )

    def _query(self, model: Request) -> tuple[Any, list[int | UUID]]:
        """The query, and the points of this collection that it names, which Qdrant leaves out of the result."""
        examples = _Examples(self._collection, self._find, model)
        return self._translated(model, examples), examples.own

    def _translated(self, model: Request, examples: "_Examples") -> Any:
        using = model.using
        match model.query:
            case None:
                return None
            case models.NearestQuery(nearest=target, mmr=None):
                return edge.Query.Nearest(examples.vector(target), using)
            case models.NearestQuery(nearest=target, mmr=models.Mmr() as mmr):
                limit = mmr.candidates_limit or model.limit or LIMIT
                diversity = 0.5 if mmr.diversity is None else mmr.diversity
                vector = examples.vector(target)
                if isinstance(vector, edge.SparseVector):
                    raise NotOfferedError("MMR over sparse vectors")
                return edge.Mmr(vector, 1 - diversity, limit, using)
            case models.RecommendQuery(recommend=example):
                return _recommendation(example, examples, using)
            case models.DiscoverQuery(discover=discovery):
                pairs = discovery.context if isinstance(discovery.context, list) else [discovery.context]
                target = examples.vector(discovery.target)
                return edge.Query.Discover(edge.DiscoverQuery(target, examples.pairs(pairs)), using)
            case models.ContextQuery(context=context):
                pairs = context if isinstance(context, list) else [context]
                return edge.Query.Context(edge.ContextQuery(examples.pairs(pairs)), using)
            case models.OrderByQuery(order_by=order):
                return to_order(order)
            case models.FusionQuery(fusion=models.Fusion.RRF):
                return edge.Fusion.Rrf(2)
            case models.FusionQuery():
                return edge.Fusion.Dbsf()
            case models.RrfQuery(rrf=rrf):
                return edge.Fusion.Rrf(2 if rrf.k is None else rrf.k, rrf.weights)
            case models.SampleQuery():
                return edge.Sample.Random
            case models.FormulaQuery():
                return to_formula(model.query)
            case models.RelevanceFeedbackQuery() | models.TextQuery():
                raise NotOfferedError(type(model.query).__name__)
            case plain:
                return edge.Query.Nearest(examples.vector(plain), using)


class _Examples:
    """The vectors of a query: given, or taken from points by their ids."""

    def __init__(self, collection: Collection, find: Callable[[str], Collection], model: Request) -> None:
        place = model.lookup_from
        self._collection = find(place.collection) if place else collection
        self._name = (place.vector if place and place.vector else model.using) or ""
        self._elsewhere = place is not None
        self.own: list[int | UUID] = []

    def vector(self, example: Any) -> Any:
        if not isinstance(example, int | str | UUID):
            return to_vector(example)
        id_ = point_id(example)
        records = self._collection.ask("retrieve", [id_], False, [self._name] if self._name else True)
        if not records:
            raise NotFoundError(f"No point with id {id_} found")
        if not self._elsewhere:
            self.own.append(id_)
        vectors = records[0].vector
        found = vectors.get(self._name) if isinstance(vectors, dict) else vectors
        if found is None:
            raise BadInputError(f"Not existing vector name error: {self._name}")
        return found

    def pairs(self, pairs: Sequence[models.ContextPair]) -> list[edge.ContextPair]:
        return [edge.ContextPair(self.vector(pair.positive), self.vector(pair.negative)) for pair in pairs]


def to_order(order: str | models.OrderBy) -> edge.OrderBy:
    """An order by payload, by the name of the field or with its direction and start."""
    if isinstance(order, str):
        return edge.OrderBy(order)
    start: Any = order.start_from
    if start is not None and not isinstance(start, int | float | str):
        start = to_text(start)
    return edge.OrderBy(order.key, DIRECTIONS[order.direction], start)


def _recommendation(example: models.RecommendInput, examples: _Examples, using: str | None) -> Any:
    positive = [examples.vector(each) for each in example.positive or []]
    negative = [examples.vector(each) for each in example.negative or []]
    if not positive and not negative:
        raise BadInputError("At least one positive or negative vector ID required")
    recommendation = edge.RecommendQuery(positive, negative)
    match example.strategy:
        case models.RecommendStrategy.BEST_SCORE:
            return edge.Query.RecommendBestScore(recommendation, using)
        case models.RecommendStrategy.SUM_SCORES:
            return edge.Query.RecommendSumScores(recommendation, using)
    if not positive:
        raise BadInputError("At least one positive vector ID required with this strategy")
    return edge.Query.Nearest(_average(positive, negative), using)


def _average(positive: list[Any], negative: list[Any]) -> list[float]:
    """The mean of the positive examples, pushed away from the mean of the negative ones as far again."""
    if not all(isinstance(vector, list) and isinstance(vector[0], float | int) for vector in (*positive, *negative)):
        raise NotOfferedError("average_vector over sparse or multiple vectors; use best_score or sum_scores")
    if len({len(vector) for vector in (*positive, *negative)}) > 1:
        raise BadInputError("Vector dimension error: the examples have different dimensions")
    mean = _mean(positive)
    if not negative:
        return mean
    return [2 * plus - minus for plus, minus in zip(mean, _mean(negative), strict=True)]


def _mean(vectors: list[list[float]]) -> list[float]:
    return [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]


def _without(condition: edge.Filter | None, ids: list[int | UUID]) -> edge.Filter | None:
    if not ids:
        return condition
    return edge.Filter(must=[condition] if condition else None, must_not=[edge.HasIdCondition(set(ids))])


def _params(model: models.SearchParams | None) -> edge.SearchParams | None:
    if model is None:
        return None
    return edge.SearchParams(hnsw_ef=model.hnsw_ef, exact=bool(model.exact), indexed_only=bool(model.indexed_only))
