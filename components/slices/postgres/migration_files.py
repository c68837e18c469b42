"""Migrations as files: `NNNN_name.sql`, numbered without a gap from 0001, and never changed once they are applied."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypedDict

from components.slices.errors import SliceError
from components.slices.postgres.statements import split

FILE_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
NO_TRANSACTION: Final = "-- strata: no-transaction"
TRANSACTION_CONTROL: Final = re.compile(r"(begin|start|commit|end|abort|rollback(?!\s+to))\b", re.IGNORECASE)


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


def problems(migration: Migration) -> list[str]:
    """What keeps Strata from running the migration as one transaction, or at all."""
    name, statements = migration["name"], split(migration["sql"])
    if not statements:
        return [f"{name} holds no statement"]
    if not in_transaction(migration["sql"]):
        return []
    return [
        f"{name}, line {statement.line}: {statement.text} ends or begins a transaction, and Strata runs the whole file"
        f" in one: take it out, or make the first line `{NO_TRANSACTION}`"
        for statement in statements
        if TRANSACTION_CONTROL.match(statement.text)
    ]


def broken_history(done: Sequence[tuple[str, str]], migrations: Sequence[Migration]) -> list[str]:
    """Which of the applied migrations `done`, (name, checksum) in order, are no longer what they were."""
    wanted = {migration["name"]: migration["checksum"] for migration in migrations}
    problems = []
    for name, checksum in done:
        if name not in wanted:
            problems.append(f"migration {name} was applied and is gone: restore the file")
        elif wanted[name] != checksum:
            problems.append(
                f"migration {name} was changed after it was applied: restore it, and put the change into a new one"
            )
    names = [migration["name"] for migration in migrations]
    if not problems and names[: len(done)] != [name for name, _ in done]:
        problems.append(f"a migration was put before {done[-1][0]}, which is applied: number it after that one")
    return problems


def _load(path: Path) -> Migration:
    content = path.read_bytes()
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise SliceError(f"{path} is not UTF-8 (byte {error.start})") from None
    return Migration(name=path.name, checksum=hashlib.sha256(content).hexdigest(), sql=text)
