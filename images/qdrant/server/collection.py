"""One collection on disk: its configuration and its shard."""

import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import qdrant_edge as edge
from pydantic import TypeAdapter
from qdrant_client.http import models

from images.qdrant.server import config as configs
from images.qdrant.server import payload_indexes
from images.qdrant.server.errors import ApiError, from_engine
from images.qdrant.server.files import write_atomically

_SCHEMA: TypeAdapter[Any] = TypeAdapter(models.PayloadFieldSchema)


class Collection:
    """Reads need no lock: the engine guards its own data. Writes take `writes`, and so does what needs them paused."""

    def __init__(
        self, folder: Path, config: models.CollectionConfig, schema: dict[str, models.PayloadFieldSchema]
    ) -> None:
        self.folder, self.config, self.schema = folder, config, schema
        self.writes = threading.RLock()
        self.shard: edge.EdgeShard
        self._dirty = False
        self.operations = 0

    @classmethod
    def create(cls, folder: Path, config: models.CollectionConfig) -> "Collection":
        """A new, empty collection. Its configuration is written last: a folder without one is a leftover."""
        collection = cls(folder, config, {})
        (folder / "shard").mkdir(parents=True)
        collection.shard = _calling(edge.EdgeShard.create, str(folder / "shard"), configs.to_engine(config))
        collection.save()
        return collection

    @classmethod
    def load(cls, folder: Path) -> "Collection":
        """The collection that `folder` holds, after what its log has and its segments lack was applied."""
        record = json.loads((folder / "config.json").read_text())
        schema = {field: _SCHEMA.validate_python(each) for field, each in record["payload_schema"].items()}
        collection = cls(folder, models.CollectionConfig.model_validate(record["config"]), schema)
        collection.shard = _calling(edge.EdgeShard.load, str(folder / "shard"))
        return collection

    def save(self) -> None:
        record = {
            "config": self.config.model_dump(mode="json", exclude_none=True),
            "payload_schema": {
                field: _SCHEMA.dump_python(each, mode="json", exclude_none=True) for field, each in self.schema.items()
            },
        }
        write_atomically(self.folder / "config.json", json.dumps(record))

    def change(self, operations: Iterable[edge.UpdateOperation]) -> int:
        """Writes to the log, then to the segments; returns the operation's number. Raises ApiError."""
        with self.writes:
            self._dirty = True
            self.operations += 1
            for operation in operations:
                _calling(self.shard.update, operation)
            return self.operations

    def configure(self, change: models.UpdateCollection) -> None:
        """Storage settings reach the engine when the collection is loaded again."""
        with self.writes:
            self.config = configs.update(self.config, change)
            self.save()

    def index(self, field: str, schema: models.PayloadFieldSchema | None) -> int:
        """An index that exists with other parameters is made anew."""
        operation = payload_indexes.create(field, schema)
        with self.writes:
            if schema is None or self.schema.get(field) == schema:
                return self.operations
            if field in self.schema:
                self.change([edge.UpdateOperation.delete_field_index(field)])
            number = self.change([operation])
            self.schema[field] = schema
            self.save()
            return number

    def drop_index(self, field: str) -> int:
        with self.writes:
            number = self.change([edge.UpdateOperation.delete_field_index(field)])
            if self.schema.pop(field, None) is not None:
                self.save()
            return number

    def ask(self, question: str, *arguments: Any) -> Any:
        """The engine's answer to `question`, the name of one of its reading methods. Raises ApiError."""
        return _calling(getattr(self.shard, question), *arguments)

    def info(self) -> models.CollectionInfo:
        shard: edge.ShardInfo = self.ask("info")
        return models.CollectionInfo(
            status=models.CollectionStatus.GREEN,
            optimizer_status=models.OptimizersStatusOneOf.OK,
            indexed_vectors_count=shard.indexed_vectors_count,
            points_count=shard.points_count,
            segments_count=shard.segments_count,
            config=self.config,
            payload_schema={
                field: payload_indexes.described(
                    schema, shard.payload_schema[field].points if field in shard.payload_schema else 0
                )
                for field, schema in self.schema.items()
            },
        )

    def flush(self) -> None:
        """What was written since the last time goes to disk for good."""
        with self.writes:
            if self._dirty:
                _calling(self.shard.flush)
                self._dirty = False

    def close(self) -> None:
        """Flushes too. Who still asks is told that the collection is gone."""
        with self.writes:
            self._dirty = False
            self.shard.close()


def _calling(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except ApiError:
        raise
    except Exception as error:  # noqa: BLE001 - the engine raises no other kind
        raise from_engine(error) from None
