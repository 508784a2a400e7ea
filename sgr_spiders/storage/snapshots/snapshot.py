"""Write a snapshot: what was collected, in a new SQLite file with a rollback journal.

A snapshot is for programs that only read, e.g. Datasette. It contains nothing that only a crawl needs, and
its integers are exact in JavaScript. ``copying`` makes databases that a crawl continues.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from sgr_spiders.model.exceptions import ConfigError, StorageError
from sgr_spiders.soundcloud.raw import SECRET, WITHHELD, purge, unpack
from sgr_spiders.storage import dictionaries, private_files, sqlite_file
from sgr_spiders.storage.copying.files import BESIDE
from sgr_spiders.storage.extent import Extent, discoveries_history
from sgr_spiders.storage.lock import DatabaseLock
from sgr_spiders.storage.rows import describe_table, describe_tables, read_columns
from sgr_spiders.storage.snapshots.questions import VIEWS
from sgr_spiders.text.escape import for_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.rows import WholeColumn, WholeTable
    from sgr_spiders.storage.store import Connection, Store

APPLICATION_ID: Final = 0x5347_534E
"""The number in the header of a snapshot, by which it is recognised."""
_APPLICATION_ID_AT: Final = slice(68, 72)

LEFT_OUT: Final = {"workers", "lanes", "notices", "raw_dictionaries", "pseudonym_key"}
"""The tables that only crawls on the database itself need, besides those that exports leave out."""
LEASES: Final = {("walks", "run_id"), ("walks", "worker_id")}
"""The columns that say which crawl fetches a walk."""

ALWAYS_LARGE: Final = {"walk_id", "cursor_hash"}
"""The columns that are text in every snapshot, because their integers have 63 bits."""
LARGEST: Final = 2**53 - 1
"""The largest integer that JavaScript does not round."""

TYPES: Final = {
    "integer": "INTEGER",
    "boolean": "INTEGER",
    "number": "REAL",
    "text": "TEXT",
    "bytes": "BLOB",
}

PROVENANCE: Final = describe_table(
    sa.Table(
        "provenance",
        sa.MetaData(),  # separate, because only snapshots have it
        sa.Column(
            "name", sa.Text, primary_key=True, comment="A key of the manifests of exports, e.g. `runs`"
        ),
        sa.Column("content", sa.Text, nullable=False, comment="Its value, JSON"),
        comment="How the database was made: seeds, runs, configurations, caps and coverage, as in manifests "
        "of exports",
    )
)
"""The table that says where the data comes from."""

PRAGMAS: Final = (
    "PRAGMA journal_mode = OFF",  # the file has its name only once it is complete
    "PRAGMA synchronous = OFF",  # it is synchronised at the end
    f"PRAGMA application_id = {APPLICATION_ID}",
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A written snapshot: its tables, their numbers of rows, and the bytes of the file."""

    tables: tuple[WholeTable, ...]
    rows: dict[str, int]
    bytes: int


def write_snapshot(
    store: Store,
    file: Path,
    pair_tables: Iterable[PairTable],
    *,
    about: Callable[[Connection], Mapping[str, Any]],
    with_raw: bool = False,
    force: bool = False,
) -> Snapshot:
    """Write a snapshot of the database to *file*, which appears whole or not at all.

    Args:
        store: The database, which a crawl may use.
        file: The file; its directory is created.
        pair_tables: The tables of relationships to include, where they exist.
        about: Returns what the table ``provenance`` contains, as plain data.
        with_raw: Include the fields without a column, as JSON.
        force: Replace an earlier snapshot.

    Raises:
        ConfigError: There is no database, or *file* exists and must not be replaced.
        DatabaseInUseError: Another process is writing *file*.
        StorageError: The database cannot be read, or *file* cannot be written.
    """
    refuse_existing(store, file, force=force)
    part = file.with_name(f".{file.name}.part")
    with store.read() as connection, store.watching_wal(), _errors_of(file):
        private_files.make_directory(file.parent)
        with _locked(part):
            part.unlink(missing_ok=True)  # of a killed process
            private_files.create(part)
            try:
                tables = describe(connection, pair_tables, with_raw=with_raw)
                rows = _fill(connection, part, tables, about(connection))
                private_files.take_mode(part, file)
                _sync(part)
                part.replace(file)
            finally:
                part.unlink(missing_ok=True)
    return Snapshot((*tables, PROVENANCE), rows, file.stat().st_size)


def refuse_existing(store: Store, file: Path, *, force: bool) -> None:
    """Raise ``ConfigError`` unless *file* is missing or empty, or with *force* an earlier snapshot."""
    name = for_message(str(file))
    if store.file is not None and store.file.resolve() == file.resolve():
        raise ConfigError(f"file {name}: is the database itself")
    beside = [path for suffix in BESIDE if (path := file.with_name(file.name + suffix)).exists()]
    if beside or file.is_dir() or (sqlite_file.has_content(file) and not is_snapshot(file)):
        raise ConfigError(f"file {name}: is not a snapshot; name a file that does not exist")
    if sqlite_file.has_content(file) and not force:
        raise ConfigError(f"file {name}: exists; replace it with `--force`")


def is_snapshot(file: Path) -> bool:
    """Return whether *file* is a snapshot, by its header."""
    with file.open("rb") as content:
        header = content.read(100)
    is_database = header.startswith(sqlite_file.MAGIC)
    return is_database and int.from_bytes(header[_APPLICATION_ID_AT], "big") == APPLICATION_ID


def describe(
    connection: Connection, pair_tables: Iterable[PairTable], *, with_raw: bool = False
) -> tuple[WholeTable, ...]:
    """Describe the tables of a snapshot."""
    found, _ = describe_tables(connection, pair_tables, Extent(include_removed=True))
    # In a snapshot it is a view, as in the database: it can have more rows than all tables together.
    left_out = LEFT_OUT | {discoveries_history.name}
    chosen = [table for table in found if table.name not in left_out]
    names = {table.name for table in chosen}
    large: set[tuple[str, str]] = set().union(*(_find_large(connection, table) for table in chosen))
    return tuple(_adapt(table, names, large, with_raw=with_raw) for table in chosen)


def _find_large(connection: Connection, table: WholeTable) -> set[tuple[str, str]]:
    """Return the columns with integers that JavaScript rounds, e.g. pseudonyms of users.

    A column that refers to another one has only values of that one.
    """
    always = {(table.name, column.name) for column in table.columns if column.name in ALWAYS_LARGE}
    names = [column.name for column in table.columns if column.kind == "integer" and not column.refers_to]
    if not names:
        return always
    columns = [table.source.c[name] for name in names]
    ends = [end for column in columns for end in (sa.func.min(column), sa.func.max(column))]
    query = sa.select(*ends)
    found = connection.execute(query if table.condition is None else query.where(table.condition)).one()
    return always | {
        (table.name, name)
        for name, least, most in zip(names, found[::2], found[1::2], strict=True)
        if least is not None and (least < -LARGEST or most > LARGEST)
    }


def _adapt(table: WholeTable, names: set[str], large: set[tuple[str, str]], *, with_raw: bool) -> WholeTable:
    columns = (
        column
        for column in table.columns
        if (table.name, column.name) not in LEASES and (with_raw or column.name != "raw")
    )
    return replace(table, columns=tuple(_adapt_column(table, column, names, large) for column in columns))


def _adapt_column(
    table: WholeTable, column: WholeColumn, names: set[str], large: set[tuple[str, str]]
) -> WholeColumn:
    if column.name == "raw":
        return replace(column, kind="text", meaning="API fields without a column, JSON")
    if (table.name, column.name) in large or column.refers_to in large:
        column = replace(column, kind="text")
    if column.refers_to is not None and column.refers_to[0] not in names:
        column = replace(column, refers_to=None)
    return column


def _fill(
    connection: Connection, part: Path, tables: Iterable[WholeTable], about: Mapping[str, Any]
) -> dict[str, int]:
    """Fill the file; return the numbers of rows by table."""
    dictionaries.load(connection)
    with closing(sqlite3.connect(part, isolation_level=None)) as new:
        for pragma in PRAGMAS:
            new.execute(pragma)
        new.execute("BEGIN")
        rows = {table.name: _copy(connection, new, table) for table in tables}
        rows[PROVENANCE.name] = _write_provenance(new, about)
        for table in tables:
            for statement in _index_statements(table):
                new.execute(statement)
        for view in VIEWS:
            if view.tables <= rows.keys():
                new.execute(f"CREATE VIEW {view.name} AS {view.sql}")
        new.execute("COMMIT")
        new.execute("PRAGMA analysis_limit = 1000")
        new.execute("ANALYZE")
    return rows


def _copy(connection: Connection, new: sqlite3.Connection, table: WholeTable) -> int:
    new.execute(_table_statement(table))
    names = [column.name for column in table.columns]
    values = ", ".join("?" * len(names))
    insert = f"INSERT INTO {_quote(table.name)} VALUES ({values})"  # noqa: S608 - a name of the schema
    converts = [_conversion(table, column) for column in table.columns]
    rows = 0
    for columns in read_columns(connection, table, names):
        converted = [
            column if convert is None else list(map(convert, column))
            for column, convert in zip(columns, converts, strict=True)
        ]
        rows += len(converted[0])
        new.executemany(insert, zip(*converted, strict=True))
    return rows


def _write_provenance(new: sqlite3.Connection, about: Mapping[str, Any]) -> int:
    new.execute(_table_statement(PROVENANCE))
    rows = [(name, json.dumps(content, ensure_ascii=False)) for name, content in sorted(about.items())]
    new.executemany(f"INSERT INTO {PROVENANCE.name} VALUES (?, ?)", rows)  # noqa: S608 - a name of this file
    return len(rows)


def _conversion(table: WholeTable, column: WholeColumn) -> Callable[[Any], Any] | None:
    """Return the function for the values of *column*, ``None`` if they stay as they are."""
    if column.name == "raw":
        return _unpack_json
    if (table.name, column.name) == ("walks", "status"):
        return _end_lease
    return _write_text if column.kind == "text" else None


def _unpack_json(packed: bytes | None) -> str | None:
    return None if packed is None else json.dumps(purge(unpack(packed)), ensure_ascii=False)


def _end_lease(status: str) -> str:
    return "planned" if status == "running" else status


def _write_text(value: str | int | None) -> str | None:
    """Return a text or a large integer as text, without secrets."""
    if value is None:
        return None
    return WITHHELD if isinstance(value, str) and SECRET in value else str(value)


def _table_statement(table: WholeTable) -> str:
    parts = [
        f"{_quote(column.name)} {TYPES[column.kind]}{' NOT NULL' if column.required else ''}"
        for column in table.columns
    ]
    if table.key:
        parts.append(f"PRIMARY KEY ({', '.join(map(_quote, table.key))})")
    for column in table.columns:
        if column.refers_to is not None:
            target, key = map(_quote, column.refers_to)
            parts.append(f"FOREIGN KEY ({_quote(column.name)}) REFERENCES {target} ({key})")
    kinds = {column.name: column.kind for column in table.columns}
    is_keyed = len(table.key) > 1 and "bytes" not in kinds.values()
    return f"CREATE TABLE {_quote(table.name)} ({', '.join(parts)}){' WITHOUT ROWID' if is_keyed else ''}"


def _index_statements(table: WholeTable) -> Iterator[str]:
    """Yield the statements for indexes of the columns by which rows are looked up, in both directions."""
    for column in _looked_up(table):
        name = _quote(f"ix_{table.name}_{column}")
        yield f"CREATE INDEX {name} ON {_quote(table.name)} ({_quote(column)})"


def _looked_up(table: WholeTable) -> Sequence[str]:
    return [
        column.name
        for column in table.columns
        if column.refers_to is not None and table.key[:1] != (column.name,)
    ]


def _quote(name: str) -> str:
    return f'"{name}"'


@contextlib.contextmanager
def _locked(part: Path) -> Iterator[None]:
    """Keep other processes from writing the same snapshot."""
    lock = DatabaseLock(part)  # it creates the file, so not of the name that must not exist
    lock.take("nothing was written")
    try:
        yield
    finally:
        lock.discard()


@contextlib.contextmanager
def _errors_of(file: Path) -> Iterator[None]:
    """Raise errors of the new file as ``StorageError`` of one line."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        cause = error.strerror if isinstance(error, OSError) else str(error)
        raise StorageError(f"file {for_message(str(file))}: {cause}; nothing was written") from error


def _sync(file: Path) -> None:
    with file.open("rb+") as content:
        os.fsync(content.fileno())
