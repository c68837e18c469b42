"""A collection's configuration: from a request, through changes, to the engine's."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import qdrant_edge as edge
from pydantic import BaseModel
from qdrant_client.http import models

from images.qdrant.server.errors import BadInputError, InvalidError, MalformedError

Model = TypeVar("Model", bound=BaseModel)

# The defaults of Qdrant's config/config.yaml; sizes in kB.
HNSW: Final = models.HnswConfig(
    m=16, ef_construct=100, full_scan_threshold=10000, max_indexing_threads=0, on_disk=False
)
OPTIMIZERS: Final = models.OptimizersConfig(
    deleted_threshold=0.2,
    vacuum_min_vector_number=1000,
    default_segment_number=0,
    indexing_threshold=10000,
    flush_interval_sec=5,
)
WAL: Final = models.WalConfig(wal_capacity_mb=32, wal_segments_ahead=0, wal_retain_closed=1)

# Qdrant has collections of payloads alone, and its engine as a library does not: a vector that no point ever has.
UNUSED: Final = "-"

SIZE_LIMIT: Final = 65536  # numbers in a vector

_DATATYPES: Final = {
    None: None,
    models.Datatype.FLOAT32: edge.VectorStorageDatatype.Float32,
    models.Datatype.FLOAT16: edge.VectorStorageDatatype.Float16,
    models.Datatype.UINT8: edge.VectorStorageDatatype.Uint8,
}
_MEMORY: Final = {
    None: None,
    models.Memory.COLD: edge.Memory.Cold,
    models.Memory.CACHED: edge.Memory.Cached,
    models.Memory.PINNED: edge.Memory.Pinned,
}


def create(request: models.CreateCollection) -> models.CollectionConfig:
    """Raises InvalidError and MalformedError for values that Qdrant refuses."""
    for name in ("shard_number", "replication_factor", "write_consistency_factor"):
        if (getattr(request, name) or 0) < 0:
            raise MalformedError(f"Format error in JSON body: {name}: invalid value, expected u32")
        at_least(name, getattr(request, name), 1)
    hnsw = request.hnsw_config or models.HnswConfigDiff()
    at_least("hnsw_config.ef_construct", hnsw.ef_construct, 4)
    for vector in dense(request.vectors).values():
        if vector.size < 1:
            raise MalformedError(
                "Format error in JSON body: data did not match any variant of untagged enum VectorsConfig"
            )
        if vector.size > SIZE_LIMIT:
            mistake = f"value {vector.size} invalid, must be from 1 to {SIZE_LIMIT}"
            raise InvalidError(f"Validation error in JSON body: [vectors.size: {mistake}]")
    return models.CollectionConfig(
        params=models.CollectionParams(
            vectors=request.vectors if request.vectors is not None else {},
            shard_number=1,
            sharding_method=None,
            replication_factor=request.replication_factor or 1,
            write_consistency_factor=request.write_consistency_factor or 1,
            on_disk_payload=True if request.on_disk_payload is None else request.on_disk_payload,
            payload=request.payload,
            sparse_vectors=request.sparse_vectors,
        ),
        hnsw_config=_merged(HNSW, hnsw),
        optimizer_config=_merged(OPTIMIZERS, request.optimizers_config),
        wal_config=_merged(WAL, request.wal_config),
        quantization_config=request.quantization_config,
        strict_mode_config=models.StrictModeConfigOutput(**request.strict_mode_config.model_dump(exclude_none=True))
        if request.strict_mode_config
        else None,
        metadata=request.metadata,
    )


def update(config: models.CollectionConfig, change: models.UpdateCollection) -> models.CollectionConfig:
    """`config` with `change`. What is not in it stays. Raises BadInputError for a vector that does not exist."""
    params = config.params.model_copy(deep=True)
    for name, difference in (change.vectors or {}).items():
        vector = dense(params.vectors).get(name)
        if vector is None:
            raise BadInputError(f"Not existing vector name error: {name}")
        for field in ("on_disk", "memory", "quantization_config"):
            if getattr(difference, field) is not None:
                setattr(vector, field, _enabled(getattr(difference, field)))
        if difference.hnsw_config:
            vector.hnsw_config = _merged(vector.hnsw_config or models.HnswConfigDiff(), difference.hnsw_config)
    for name, sparse in (change.sparse_vectors or {}).items():
        known = (params.sparse_vectors or {}).get(name)
        if known is None:
            raise BadInputError(f"Not existing vector name error: {name}")
        known.index = _merged(known.index or models.SparseIndexParams(), sparse.index)
        known.modifier = sparse.modifier or known.modifier
    metadata = {**(config.metadata or {}), **(change.metadata or {})}
    return config.model_copy(
        update={
            "params": _merged(params, change.params),
            "hnsw_config": _merged(config.hnsw_config, change.hnsw_config),
            "optimizer_config": _merged(config.optimizer_config, change.optimizers_config),
            "quantization_config": _enabled(change.quantization_config) or config.quantization_config
            if change.quantization_config is not models.Disabled.DISABLED
            else None,
            "metadata": {key: value for key, value in metadata.items() if value is not None} or None,
        }
    )


def to_engine(config: models.CollectionConfig) -> edge.EdgeConfig:
    """Raises BadInputError for what the engine does not offer."""
    hnsw = config.hnsw_config
    vectors = {name: _dense(vector) for name, vector in dense(config.params.vectors).items()}
    sparse = {name: _sparse(vector) for name, vector in (config.params.sparse_vectors or {}).items()}
    if not vectors and not sparse:
        sparse = {UNUSED: edge.EdgeSparseVectorParams()}
    return edge.EdgeConfig(
        vectors=vectors,
        sparse_vectors=sparse,
        on_disk_payload=config.params.on_disk_payload,
        hnsw_config=edge.HnswIndexConfig(hnsw.m, hnsw.ef_construct, hnsw.full_scan_threshold),
    )


def dense(vectors: models.VectorParams | Mapping[str, models.VectorParams] | None) -> dict[str, models.VectorParams]:
    """Dense vectors by name. The unnamed one has the empty name."""
    if isinstance(vectors, models.VectorParams):
        return {"": vectors}
    return dict(vectors or {})


def at_least(name: str, value: int | None, minimum: int, where: str = "JSON body") -> None:
    """Raises InvalidError in Qdrant's words."""
    if value is not None and value < minimum:
        raise InvalidError(f"Validation error in {where}: [{name}: value {value} invalid, must be {minimum} or larger]")


def _dense(vector: models.VectorParams) -> edge.EdgeVectorParams:
    if vector.datatype not in _DATATYPES:
        raise BadInputError(f"datatype {vector.datatype} is not offered by this stand-in for Qdrant")
    return edge.EdgeVectorParams(
        size=vector.size,
        distance=getattr(edge.Distance, vector.distance.value),
        on_disk=vector.on_disk,
        multivector_config=edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
        if vector.multivector_config
        else None,
        datatype=_DATATYPES[vector.datatype],
        memory=_MEMORY[vector.memory],
    )


def _sparse(vector: models.SparseVectorParams) -> edge.EdgeSparseVectorParams:
    index = vector.index or models.SparseIndexParams()
    return edge.EdgeSparseVectorParams(
        full_scan_threshold=index.full_scan_threshold,
        on_disk=index.on_disk,
        modifier=edge.Modifier.Idf if vector.modifier is models.Modifier.IDF else None,
        memory=_MEMORY[index.memory],
    )


def _enabled(quantization: Any) -> Any:
    return None if quantization is models.Disabled.DISABLED else quantization


def _merged(base: Model, change: BaseModel | None) -> Model:
    """`base` with those fields of `change` that are set, where it has such a field."""
    if change is None:
        return base
    fields = {name: value for name, value in change if value is not None and name in type(base).model_fields}
    return base.model_copy(update=fields)
