"""REST endpoints of collections, aliases and payload indexes."""

from typing import Any

from pydantic import TypeAdapter
from qdrant_client.http import models

from images.qdrant.server.access import Need
from images.qdrant.server.errors import NotOfferedError
from images.qdrant.server.rest import Call, Routes
from images.qdrant.server.service import Service

COLLECTION = "/collections/{collection_name}"

_CREATE = TypeAdapter(models.CreateCollection)
_UPDATE = TypeAdapter(models.UpdateCollection)
_ALIASES = TypeAdapter(models.ChangeAliasesOperation)
_INDEX = TypeAdapter(models.CreateFieldIndex)


def routes(service: Service) -> Routes:
    def index(call: Call) -> models.UpdateResult:
        wait = call.flag("wait", default=False)
        return service.index(call.access, call.collection, call.model(_INDEX), wait=wait)

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
        ("PUT", f"{COLLECTION}/index", index),
        (
            "DELETE",
            f"{COLLECTION}/index/{{field_name:path}}",
            lambda call: service.drop_index(
                call.access, call.collection, call.path["field_name"], wait=call.flag("wait", default=False)
            ),
        ),
        ("GET", f"{COLLECTION}/cluster", _cluster),
        ("POST", f"{COLLECTION}/cluster", _cluster),
        ("PUT", f"{COLLECTION}/shards", _cluster),
    ]


def _info(info: models.CollectionInfo) -> dict[str, Any]:
    """With those settings that Qdrant shows as null where there are none."""
    shown = info.model_dump(mode="json", exclude_none=True)
    shown["config"].setdefault("quantization_config", None)
    for name in ("max_segment_size", "memmap_threshold", "max_optimization_threads", "prevent_unoptimized"):
        shown["config"]["optimizer_config"].setdefault(name, None)
    return shown


def _cluster(call: Call) -> None:
    if call.request.method == "GET":
        call.access.check(call.collection, Need.READ, extras=True)
    else:
        call.access.check_global(Need.MANAGE)
    raise NotOfferedError("clusters and shard keys")
