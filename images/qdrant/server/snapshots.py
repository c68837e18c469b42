"""Snapshots of collections: an archive of the folder, made while writes to the collection wait."""

import hashlib
import shutil
import tarfile
import tempfile
import urllib.request
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit

from qdrant_client.http import models

from images.qdrant.server.access import Access, Need
from images.qdrant.server.errors import (
    BadInputError,
    BadRequestError,
    ForbiddenError,
    InternalError,
    MalformedError,
    NotFoundError,
)
from images.qdrant.server.files import sync_folder
from images.qdrant.server.storage import Storage, check_name

SUFFIX: Final = ".snapshot"
TIMEOUT: Final = 60.0  # seconds without an answer from where a snapshot is fetched


class Snapshots:
    """`folder` has a folder for each collection, with a checksum beside each archive. All methods raise ApiError."""

    def __init__(self, storage: Storage, folder: Path) -> None:
        self._storage, self._folder = storage, folder
        (folder / "tmp").mkdir(parents=True, exist_ok=True)

    def create(self, access: Access, collection: str) -> models.SnapshotDescription:
        access.check(collection, Need.WRITE, extras=True)
        source = self._storage.get(collection)
        now = datetime.now(UTC)
        name = f"{collection}-{now:%Y-%m-%d-%H-%M-%S}-{now.microsecond:06}{SUFFIX}"
        folder = self._folder / collection
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder / "tmp") as scratch:
            archive = Path(scratch) / name
            # Compressed, since most of a log is not written yet: 32 MB of zeros for each of its files.
            with source.writes, tarfile.open(archive, "w:gz", compresslevel=1) as tar:
                source.flush()
                tar.add(source.folder, arcname=".")
            (folder / f"{name}.checksum").write_text(_sha256(archive))
            archive.replace(folder / name)
        sync_folder(folder)
        return _described(folder / name)

    def names(self, access: Access, collection: str) -> list[models.SnapshotDescription]:
        access.check(collection, Need.READ, extras=True)
        self._storage.get(collection)
        return [_described(each) for each in sorted((self._folder / collection).glob(f"*{SUFFIX}"))]

    def path(self, access: Access, collection: str, name: str) -> Path:
        """The archive itself."""
        access.check(collection, Need.READ, extras=True)
        self._storage.get(collection)
        return self._existing(collection, name)

    def delete(self, access: Access, collection: str, name: str) -> bool:
        access.check(collection, Need.WRITE, extras=True)
        self._storage.get(collection)
        archive = self._existing(collection, name)
        archive.unlink()
        archive.with_name(f"{name}.checksum").unlink(missing_ok=True)
        return True

    def recover(self, access: Access, collection: str, request: models.SnapshotRecover) -> bool:
        """From a file in the snapshots' folder, or from another server."""
        access.check_global(Need.MANAGE)
        check_name(collection)
        place = urlsplit(request.location)
        if place.scheme == "file":
            if place.netloc not in ("", "localhost"):
                raise BadRequestError("Invalid snapshot URI, file path must be absolute or on localhost")
            given, allowed = Path(unquote(place.path)), self._folder.resolve()
            if not given.exists():
                raise BadRequestError(f'Snapshot file "{given}" does not exist')
            archive = given.resolve()
            if not archive.is_relative_to(allowed):
                raise ForbiddenError(f'Snapshot file path must be inside the snapshots directory "{allowed}"')
            if not archive.is_file():
                raise BadRequestError(f'Snapshot file "{given}" is not a file')
            return self._restore(collection, archive, request.checksum)
        if not place.scheme:
            raise MalformedError(f'Format error in JSON body: relative URL without a base: "{request.location}"')
        if place.scheme not in ("http", "https"):
            raise BadRequestError(f"URL {request.location} with scheme {place.scheme} is not supported")
        with tempfile.TemporaryDirectory(dir=self._folder / "tmp") as scratch:
            archive = Path(scratch) / "fetched"
            _fetch(request.location, request.api_key, archive)
            return self._restore(collection, archive, request.checksum)

    def _existing(self, collection: str, name: str) -> Path:
        folder = self._folder / collection
        archive = folder / name
        if archive.parent != folder or not name.endswith(SUFFIX) or not archive.is_file():
            raise NotFoundError(f"Snapshot {name} not found")
        return archive

    def _restore(self, collection: str, archive: Path, checksum: str | None) -> bool:
        """The collection is replaced at the very end, by a rename; what is wrong with the archive shows before."""
        if checksum is not None and (actual := _sha256(archive)) != checksum.lower():
            raise BadInputError(f"Snapshot checksum mismatch: expected {checksum}, got {actual}")
        with tempfile.TemporaryDirectory(dir=self._storage.scratch) as scratch:
            prepared = Path(scratch) / "collection"
            try:
                _unpack(archive, prepared)
            except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
                raise InternalError(f"Failed to unpack tar archive: {error}") from None
            if not (prepared / "config.json").is_file() or not (prepared / "shard").is_dir():
                raise InternalError("The archive is no snapshot of a collection made by this stand-in for Qdrant")
            self._storage.replace(collection, prepared)
        return True


def _unpack(archive: Path, folder: Path) -> None:
    """Folders and plain files only, and none outside of `folder`: an archive may come from anywhere."""
    root = folder.resolve()
    with tarfile.open(archive) as tar:
        for member in tar:
            target = (root / member.name).resolve()
            if not target.is_relative_to(root) or not (member.isdir() or member.isreg()):
                raise tarfile.TarError(f"unexpected entry {member.name!r}")
            target.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(member)
            if content is None:
                target.mkdir(exist_ok=True)
                continue
            with target.open("wb") as file:
                shutil.copyfileobj(content, file)


def _fetch(location: str, key: str | None, target: Path) -> None:
    request = urllib.request.Request(location, headers={"api-key": key} if key else {})  # noqa: S310 - http(s) only
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer, target.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file)
    except HTTPError as error:
        raise BadInputError(f"Failed to download tar from {location}: status - {error.code} {error.reason}") from None
    except OSError as error:
        raise InternalError(f"Http request error: error sending request for url ({location}): {error}") from None


def _described(archive: Path) -> models.SnapshotDescription:
    status = archive.stat()
    checksum = archive.with_name(f"{archive.name}.checksum")
    return models.SnapshotDescription(
        name=archive.name,
        creation_time=f"{datetime.fromtimestamp(status.st_mtime, UTC):%Y-%m-%dT%H:%M:%S}",
        size=status.st_size,
        checksum=checksum.read_text() if checksum.exists() else None,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
