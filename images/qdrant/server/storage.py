"""All collections, and the aliases that lead to them."""

import json
import shutil
import threading
from pathlib import Path

from qdrant_client.http import models

from images.qdrant.server import config as configs
from images.qdrant.server.collection import Collection
from images.qdrant.server.errors import AlreadyExistsError, BadInputError, InvalidError, NotFoundError
from images.qdrant.server.files import remove_folder, write_atomically

NAME_LIMIT = 255
FORBIDDEN = '<>:"/\\|?*\0\u001f'


class Storage:
    """Loads what `folder` holds. Changes of the set of collections and aliases happen one after the other."""

    def __init__(self, folder: Path) -> None:
        self._collections_folder = folder / "collections"
        self._alias_file = folder / "aliases.json"
        self._lock = threading.RLock()
        self.scratch = folder / "tmp"
        """For what shall be renamed into place; emptied at every start."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        self._collections_folder.mkdir(parents=True, exist_ok=True)
        self._collections = {each.name: Collection.load(each) for each in self._swept()}
        self._aliases: dict[str, str] = json.loads(self._alias_file.read_text()) if self._alias_file.exists() else {}

    def names(self) -> list[str]:
        return sorted(self._collections)

    def aliases(self) -> dict[str, str]:
        """Collections by alias."""
        return dict(self._aliases)

    def get(self, name: str) -> Collection:
        """The collection of that name or alias. Raises NotFoundError."""
        collection = self._collections.get(self._aliases.get(name, name))
        if collection is None:
            raise NotFoundError(f"Collection `{name}` doesn't exist!")
        return collection

    def exists(self, name: str) -> bool:
        return self._aliases.get(name, name) in self._collections

    def create(self, name: str, request: models.CreateCollection) -> None:
        """Raises AlreadyExistsError, InvalidError and BadInputError."""
        check_name(name)
        config = configs.create(request)
        with self._lock:
            if name in self._collections:
                raise AlreadyExistsError(f"Collection `{name}` already exists!")
            if name in self._aliases:
                raise BadInputError(
                    f"Can't create collection with name {name}. Alias with the same name already exists"
                )
            folder = self._collections_folder / name
            try:
                self._collections[name] = Collection.create(folder, config)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise

    def delete(self, name: str) -> bool:
        """Whether there was one, of that name: an alias is none. Its aliases go with it."""
        with self._lock:
            collection = self._collections.pop(name, None)
            if collection is None:
                return False
            self._save_aliases({alias: target for alias, target in self._aliases.items() if target != name})
            collection.close()
            remove_folder(collection.folder)
            return True

    def replace(self, name: str, prepared: Path) -> None:
        """Puts the folder `prepared`, on the same disk, into the place of the collection `name`, there or not."""
        check_name(name)
        with self._lock:
            collection = self._collections.pop(name, None)
            folder = self._collections_folder / name
            if collection is not None:
                collection.close()
                remove_folder(folder)
            prepared.rename(folder)
            self._collections[name] = Collection.load(folder)

    def change_aliases(self, actions: list[models.AliasOperations]) -> None:
        """All of them or none. Raises NotFoundError and AlreadyExistsError."""
        with self._lock:
            aliases = dict(self._aliases)
            for action in actions:
                match action:
                    case models.CreateAliasOperation(create_alias=new):
                        if new.collection_name not in self._collections:
                            raise NotFoundError(f"Collection `{new.collection_name}` doesn't exist!")
                        if new.alias_name in self._collections:
                            raise AlreadyExistsError(f"Collection `{new.alias_name}` already exists!")
                        aliases[new.alias_name] = new.collection_name
                    case models.DeleteAliasOperation(delete_alias=old):
                        aliases.pop(old.alias_name, None)
                    case models.RenameAliasOperation(rename_alias=renamed):
                        if renamed.old_alias_name not in aliases:
                            raise NotFoundError(f"Alias {renamed.old_alias_name} does not exists!")
                        aliases[renamed.new_alias_name] = aliases.pop(renamed.old_alias_name)
            self._save_aliases(aliases)

    def flush_forever(self, interval: float, stop: threading.Event) -> None:
        """Every `interval` seconds what was written goes to disk for good, until `stop`."""
        while not stop.wait(interval):
            for collection in list(self._collections.values()):
                collection.flush()

    def close(self) -> None:
        with self._lock:
            for collection in self._collections.values():
                collection.close()
            self._collections = {}

    def _save_aliases(self, aliases: dict[str, str]) -> None:
        if aliases != self._aliases:
            write_atomically(self._alias_file, json.dumps(aliases))
            self._aliases = aliases

    def _swept(self) -> list[Path]:
        """The folders of collections, after what creations and removals left half done is gone."""
        folders = sorted(each for each in self._collections_folder.iterdir() if each.is_dir())
        for folder in folders:
            if not (folder / "config.json").exists() or folder.name.startswith(".removed-"):
                shutil.rmtree(folder)
        return [folder for folder in folders if folder.exists()]


def check_name(name: str) -> None:
    """Raises InvalidError for a name that no collection can have."""
    where = "Validation error in path parameters: [collection_name:"
    if not 0 < len(name) <= NAME_LIMIT:
        raise InvalidError(f"{where} value invalid, must be from 1 to {NAME_LIMIT} characters]")
    for character in FORBIDDEN:
        if character in name:
            raise InvalidError(f'{where} collection name cannot contain "{character}" char]')
    if name in (".", "..") or name.startswith(".removed-"):
        raise InvalidError(f"{where} collection name cannot be {name}]")
