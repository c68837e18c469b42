"""Migrations as files: `NNNN_name.sql`, numbered without a gap from 0001."""

import hashlib
import re
from pathlib import Path
from typing import Final, TypedDict

from components.slices.errors import SliceError

FILE_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
NO_TRANSACTION: Final = "-- strata: no-transaction"


class Migration(TypedDict):
    """`checksum` is the SHA-256 of the file's bytes, in hex."""

    name: str
    checksum: str
    sql: str


def load_migrations(folder: Path) -> list[Migration]:
    """The migrations in `folder`, in order; none if there is no such folder. Raises SliceError, naming the file."""
    migrations: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = FILE_NAME.fullmatch(path.name)
        if not match:
            raise SliceError(f"{path}: name it NNNN_what_it_does.sql, such as {len(migrations) + 1:04}_{path.name}")
        if int(match[1]) != len(migrations) + 1:
            raise SliceError(f"{path}: the next migration is number {len(migrations) + 1:04}, without gap or twin")
        migrations.append(_load(path))
    return migrations


def in_transaction(sql: str) -> bool:
    """False if the first line says that the file must run outside a transaction."""
    return sql.split("\n", 1)[0].strip() != NO_TRANSACTION


def _load(path: Path) -> Migration:
    content = path.read_bytes()
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise SliceError(f"{path} is not UTF-8 (byte {error.start})") from None
    return Migration(name=path.name, checksum=hashlib.sha256(content).hexdigest(), sql=text)
