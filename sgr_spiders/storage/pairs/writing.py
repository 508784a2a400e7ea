"""Replace relationship tables atomically: readers see either the old or the new table."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage import private_files
from sgr_spiders.storage.pairs import builds
from sgr_spiders.storage.pairs.copy_file import write_copy_file
from sgr_spiders.storage.pairs.file_writer import REAL, PairFile, integer_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from sgr_spiders.storage.pairs.builds import BuiltRelationship
    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.store import Store

    Columns = tuple[NDArray[Any], ...]

STAGED = "staged"
"""The schema name of the attached file."""
FLAG = 1
"""The bytes of a flag."""
BLOCK = 1 << 20
"""Bytes that are read from the staging file at a time."""
COPIES = 3
"""The most copies of the rows on disk at once: the staging file, the WAL and the database."""


class Pairs(Protocol):
    """The rows of a pair table from the processor, in blocks of columns."""

    largest_id: int
    largest_count: int

    def rows(self) -> Iterator[Columns]:
        """Yield all columns, sorted by the two IDs."""

    def mirrored(self) -> Iterator[Columns]:
        """Yield the two IDs, the larger first, sorted by both."""


@contextlib.contextmanager
def workspace(store: Store) -> Iterator[Path]:
    """Yield an empty directory on the disk of the database, and remove it with its contents.

    If a killed process has left a directory, the next call removes it. For a server, it is a temporary one.
    """
    directory = Path(tempfile.gettempdir()) if store.file is None else Path(f"{store.file}.relating")
    try:
        if store.file is None:
            directory = Path(tempfile.mkdtemp(prefix="soundgraph-relate-"))
        else:
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(mode=private_files.DIRECTORY)
    except OSError as error:
        raise StorageError(f"directory {directory}: {error.strerror}") from None
    try:
        yield directory
    except (OSError, sqlite3.Error) as error:
        cause = error.strerror if isinstance(error, OSError) else None
        raise StorageError(f"directory {directory}: {cause or error}") from error
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def row_bytes(table: PairTable, largest_id: int, largest_count: int) -> int:
    """Estimate the bytes that a row will take in the database, including its index entry."""
    widths = _widths(table, largest_id, largest_count)
    overhead = 2 * (2 + 1 + 2)  # of the row and its entry: sizes, types of the IDs, cell pointer
    types = len(table.measures) + 1  # of the measures and of `cut`
    return sum(width or 8 for width in widths) + types + 2 * widths[0] + overhead


def _widths(table: PairTable, largest_id: int, largest_count: int) -> list[int]:
    node, count = integer_width(largest_id), integer_width(largest_count)
    return [node, node, *(REAL if measure.real else count for measure in table.measures), FLAG]


@dataclass(frozen=True, slots=True)
class StagedTable:
    """A new table in a separate file. *built* returns its log entry, given the seconds that copying took."""

    table: PairTable
    path: Path
    built: Callable[[float], BuiltRelationship]


def prepare(store: Store, table: PairTable, pairs: Pairs, directory: Path) -> Path:
    """Write *pairs* to a file in *directory*; return its path. This does not touch the database."""
    path = directory / f"{table.name}.rows"
    if not store.on_server:
        _write_database(path, table, pairs)
    else:
        write_copy_file(path, table.as_table(), pairs.rows())
    return path


def _write_database(path: Path, table: PairTable, pairs: Pairs) -> None:
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


def _statements(table: PairTable) -> list[str]:
    dialect = sqlite.dialect()
    target = table.as_table()
    statements: list[sa.schema.ExecutableDDLElement] = [sa.schema.CreateTable(target)]
    statements += map(sa.schema.CreateIndex, target.indexes)
    return [str(statement.compile(dialect=dialect)) for statement in statements]


def swap(store: Store, staged: StagedTable) -> None:
    """Replace the current table with the staged one, in one transaction."""
    with store.write() as connection:
        staged.table.as_table().create(connection, checkfirst=True)
    if store.on_server:
        _swap_on_server(store, staged)
        return
    try:
        _swap_by_files(store, staged)
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        raise StorageError(f"database {store.describe()}: {cause}") from error


def _swap_on_server(store: Store, staged: StagedTable) -> None:
    """Replace the rows: a reader sees all of the old ones or all of the new ones, and waits for nothing.

    ``TRUNCATE`` or another table of the same name would wait for all readers, and be empty for those that
    have begun before.
    """
    name = staged.table.name
    with store.write() as connection:
        began = time.monotonic()
        # Another build of the table waits; readers do not.
        connection.exec_driver_sql(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")
        connection.execute(sa.delete(staged.table.as_table()))
        _copy_rows(connection, name, staged.path)
        builds.enter(connection, staged.built(time.monotonic() - began))
    # The next build reuses the space of the old rows, and readers get plans for the new ones. The table is
    # built all the same if the server is away now.
    with (
        contextlib.suppress(sa.exc.DBAPIError),
        store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        connection.exec_driver_sql(f"VACUUM (ANALYZE) {name}")


def _copy_rows(connection: sa.Connection, name: str, path: Path) -> None:
    driver: Any = connection.connection.driver_connection
    statement = f"COPY {name} FROM STDIN (FORMAT BINARY)"
    try:
        with path.open("rb") as file, driver.cursor() as cursor, cursor.copy(statement) as copy:
            while block := file.read(BLOCK):
                copy.write(block)
    except connection.dialect.loaded_dbapi.Error as error:
        raise sa.exc.DBAPIError(statement, None, error) from error


def _swap_by_files(store: Store, staged: StagedTable) -> None:
    with store.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        with _attach(driver, staged.path), connection.begin():
            began = time.monotonic()
            name = staged.table.name
            connection.execute(sa.delete(staged.table.as_table()))
            # SQLite copies rows without decoding them if the target is empty and declared the same.
            copy = f"INSERT INTO main.{name} SELECT * FROM {STAGED}.{name}"  # noqa: S608 - as above
            connection.exec_driver_sql(copy)
            builds.enter(connection, staged.built(time.monotonic() - began))


@contextlib.contextmanager
def _attach(driver: sqlite3.Connection, path: Path) -> Iterator[None]:
    # The IDs come from tables that checked them already; checking each again takes longer than all the rest.
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        driver.execute(f"ATTACH ? AS {STAGED}", (str(path),))
        try:
            yield
        finally:
            driver.execute(f"DETACH {STAGED}")
    finally:
        driver.execute("PRAGMA foreign_keys = ON")
