"""Replace the table of a relationship type in one step: a reader sees the old one or the new one whole."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage.pairs import builds
from sgr_spiders.storage.pairs.file_writer import REAL, PairFile, integer_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from sgr_spiders.storage.pairs.builds import BuiltRelationship
    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.store import Store

    Columns = tuple[NDArray[Any], ...]

ASIDE = "aside"
ROWS_AT_A_TIME = 10_000
COPIES = 3
"""How often the rows stand on the disk at the most: aside, in the write-ahead log, in the database."""


class Pairs(Protocol):
    """The rows of a pair table, in blocks of columns, from the processor."""

    largest_id: int
    largest_count: int

    def rows(self) -> Iterator[Columns]:
        """Give all columns, sorted by the two ids."""

    def mirrored(self) -> Iterator[Columns]:
        """Give the two ids, the larger first, sorted by both."""


@contextlib.contextmanager
def workspace(store: Store) -> Iterator[Path]:
    """Give an empty folder on the disk of the database, and remove it with all that is in it.

    What a killed process left there is removed by the next one.
    """
    if store.engine.dialect.name != "sqlite":
        with tempfile.TemporaryDirectory(prefix="soundgraph-relate-") as folder:
            yield Path(folder)
        return
    folder_beside = Path(f"{store.engine.url.database}.relating")
    try:
        shutil.rmtree(folder_beside, ignore_errors=True)
        folder_beside.mkdir()
    except OSError as error:
        raise StorageError(f"folder {folder_beside}: {error.strerror}") from None
    try:
        yield folder_beside
    except (OSError, sqlite3.Error) as error:
        cause = error.strerror if isinstance(error, OSError) else None
        raise StorageError(f"folder {folder_beside}: {cause or error}") from error
    finally:
        shutil.rmtree(folder_beside, ignore_errors=True)


def row_bytes(table: PairTable, largest_id: int, largest_count: int) -> int:
    """Tell about how many bytes a row will take in the database, its entry in the index included."""
    widths = _widths(table, largest_id, largest_count)
    overhead = 2 * (2 + 1 + 2)  # of row and entry: sizes, types of the ids, and the pointer to it
    return sum(width or 8 for width in widths) + len(table.measures) + 2 * widths[0] + overhead


def _widths(table: PairTable, largest_id: int, largest_count: int) -> list[int]:
    node, count = integer_width(largest_id), integer_width(largest_count)
    return [node, node, *(REAL if measure.real else count for measure in table.measures)]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A table that waits in a file aside. *built* tells of it, given the seconds that copying it took."""

    table: PairTable
    path: Path
    built: Callable[[float], BuiltRelationship]


def prepare(table: PairTable, pairs: Pairs, folder: Path) -> Path:
    """Write *pairs* to a file in *folder*; give its path. The database holds nothing of it yet."""
    path = folder / f"{table.name}.db"
    file = PairFile(path, _statements(table), _widths(table, pairs.largest_id, pairs.largest_count))
    try:
        for columns in pairs.rows():
            file.rows.append(columns)
        for columns in pairs.mirrored():
            file.mirrored.append(columns)
    except BaseException:
        file.abandon()
        raise
    file.close()
    return path


def _statements(table: PairTable) -> list[str]:
    dialect = sqlite.dialect()
    target = table.as_table()
    made: list[sa.schema.ExecutableDDLElement] = [sa.schema.CreateTable(target)]
    made += map(sa.schema.CreateIndex, target.indexes)
    return [str(statement.compile(dialect=dialect)) for statement in made]


def swap(store: Store, tables: Sequence[Prepared]) -> None:
    """Put the prepared tables in place of what stood there, all of them in one transaction."""
    with store.write() as connection:
        for prepared in tables:
            prepared.table.as_table().create(connection, checkfirst=True)
    try:
        if store.engine.dialect.name == "sqlite":
            _swap_by_files(store, tables)
        else:
            _swap_by_statements(store, tables)
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        raise StorageError(f"database {store.describe()}: {cause}") from error


def _swap_by_statements(store: Store, tables: Sequence[Prepared]) -> None:
    with store.engine.begin() as connection:
        for prepared in tables:
            began = time.monotonic()
            target = prepared.table.as_table()
            connection.execute(sa.delete(target))
            for rows in _stored_rows(prepared):
                connection.execute(sa.insert(target), rows)
            builds.enter(connection, prepared.built(time.monotonic() - began))


def _stored_rows(prepared: Prepared) -> Iterator[list[dict[str, Any]]]:
    names = prepared.table.as_table().columns.keys()
    with closing(sqlite3.connect(prepared.path)) as file:
        cursor = file.execute(f"SELECT * FROM {prepared.table.name}")  # noqa: S608 - a name of our own
        while rows := cursor.fetchmany(ROWS_AT_A_TIME):
            yield [dict(zip(names, row, strict=True)) for row in rows]


def _swap_by_files(store: Store, tables: Sequence[Prepared]) -> None:
    with store.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        with _attached(driver, [prepared.path for prepared in tables]), connection.begin():
            for number, prepared in enumerate(tables):
                began = time.monotonic()
                name = prepared.table.name
                connection.execute(sa.delete(prepared.table.as_table()))
                # Into an empty table of the same declaration SQLite copies rows without decoding them.
                copy = f"INSERT INTO main.{name} SELECT * FROM {ASIDE}{number}.{name}"  # noqa: S608 - as above
                connection.exec_driver_sql(copy)
                builds.enter(connection, prepared.built(time.monotonic() - began))


@contextlib.contextmanager
def _attached(driver: sqlite3.Connection, paths: Sequence[Path]) -> Iterator[None]:
    # The ids come from tables in which they were checked; to check each again takes longer than all else.
    driver.execute("PRAGMA foreign_keys = OFF")
    attached = 0
    try:
        for path in paths:
            driver.execute(f"ATTACH ? AS {ASIDE}{attached}", (str(path),))
            attached += 1
        yield
    finally:
        for number in range(attached):
            driver.execute(f"DETACH {ASIDE}{number}")
        driver.execute("PRAGMA foreign_keys = ON")
