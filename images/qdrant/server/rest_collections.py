"""REST endpoints of collections, aliases and payload indexes."""

from typing import Any

from pydantic import TypeAdapter
from qdrant_client.http import models

from images.qdrant.server.errors import NotOfferedError
from images.qdrant.server.rest import Call, Routes
from images.qdrant.server.service import Service

COLLECTION = "/collections/{collection_name}"

_CREATE = TypeAdapter(models.CreateCollection)
_UPDATE = TypeAdapter(models.UpdateCollection)
_ALIASES = TypeAdapter(models.ChangeAliasesOperation)
_INDEX = TypeAdapter(models.CreateFieldIndex)


def routes(service: Service) -> Routes:
    return [
        ("GET", "/collections", lambda call: service.collections(call.access)),
        (
            "POST",
            "/collections/aliases",
            lambda call: service.change_aliases(call.access, call.model(_ALIASES).actions),
        ),
        ("GET", "/aliases", lambda call: service.aliases(call.access)),
        ("GET", COLLECTION, lambda call: _info(service.info(call.access, call.collection))),
        ("PUT", COLLECTION, lambda call: service.create(call.access, call.collection, call.model(_CREATE))),
        ("PATCH", COLLECTION, lambda call: service.update(call.access, call.collection, call.model(_UPDATE))),
        ("DELETE", COLLECTION, lambda call: service.delete(call.access, call.collection)),
        ("GET", f"{COLLECTION}/exists", lambda call: service.exists(call.access, call.collection)),
        ("GET", f"{COLLECTION}/aliases", lambda call: service.aliases(call.access, call.collection)),
        ("PUT", f"{COLLECTION}/index", lambda call: service.index(call.access, call.collection, call.model(_INDEX))),
        (
            "DELETE",
            f"{COLLECTION}/index/{{field_name:path}}",
            lambda call: service.drop_index(call.access, call.collection, call.path["field_name"]),
        ),
        ("GET", f"{COLLECTION}/cluster", _cluster),
        ("POST", f"{COLLECTION}/cluster", _cluster),
        ("PUT", f"{COLLECTION}/shards", _cluster),
    ]


def _info(info: models.CollectionInfo) -> dict[str, Any]:
    """With the one setting that Qdrant shows as null where there is none."""
    shown = info.model_dump(mode="json", exclude_none=True)
    shown["config"].setdefault("quantization_config", None)
    return shown


def _cluster(call: Call) -> None:
    raise NotOfferedError("clusters and shard keys")
