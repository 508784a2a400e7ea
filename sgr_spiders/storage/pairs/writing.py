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
from sgr_spiders.storage.pairs.file_writer import NULL, REAL, PairFile, integer_width, width_bytes
from sgr_spiders.storage.pairs.tables import SIGNIFICANCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from sgr_spiders.storage.pairs.builds import BuiltRelationship
    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.store import Store

    Columns = tuple[NDArray[Any] | None, ...]

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
    has_significance: bool
    """True if the columns of the significance have values."""

    def rows(self) -> Iterator[Columns]:
        """Yield all columns, sorted by the two IDs; ``None``: a column of nulls."""

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


def row_bytes(table: PairTable, largest_id: int, largest_count: int, *, with_significance: bool) -> int:
    """Estimate the bytes that a row will take in the database, including its index entry."""
    widths = _widths(table, largest_id, largest_count, with_significance=with_significance)
    overhead = 2 * (2 + 1 + 2)  # of the row and its entry: sizes, types of the IDs, cell pointer
    types = len(widths) - 2
    return sum(map(width_bytes, widths)) + types + 2 * widths[0] + overhead


def _widths(table: PairTable, largest_id: int, largest_count: int, *, with_significance: bool) -> list[int]:
    node, count = integer_width(largest_id), integer_width(largest_count)
    measures = [REAL if measure.real else count for measure in table.measures]
    return [node, node, *measures, *[REAL if with_significance else NULL] * len(SIGNIFICANCE), FLAG]


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
        nulls = () if pairs.has_significance else [column.name for column in SIGNIFICANCE]
        write_copy_file(path, table.as_table(), pairs.rows(), nulls)
    return path


def _write_database(path: Path, table: PairTable, pairs: Pairs) -> None:
    widths = _widths(table, pairs.largest_id, pairs.largest_count, with_significance=pairs.has_significance)
    file = PairFile(path, _statements(table), widths)
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
        _copy_rows(connection, staged)
        builds.enter(connection, staged.built(time.monotonic() - began))
    # The next build reuses the space of the old rows, and readers get plans for the new ones. The table is
    # built all the same if the server is away now.
    with (
        contextlib.suppress(sa.exc.DBAPIError),
        store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        connection.exec_driver_sql(f"VACUUM (ANALYZE) {name}")


def _copy_rows(connection: sa.Connection, staged: StagedTable) -> None:
    driver: Any = connection.connection.driver_connection
    # A migration adds columns at the end.
    columns = ", ".join(staged.table.as_table().columns.keys())
    statement = f"COPY {staged.table.name} ({columns}) FROM STDIN (FORMAT BINARY)"
    try:
        with staged.path.open("rb") as file, driver.cursor() as cursor, cursor.copy(statement) as copy:
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
            _empty(connection, staged.table.as_table())
            # SQLite copies rows without decoding them if the target is empty and declared the same.
            copy = f"INSERT INTO main.{name} SELECT * FROM {STAGED}.{name}"  # noqa: S608 - as above
            connection.exec_driver_sql(copy)
            builds.enter(connection, staged.built(time.monotonic() - began))


def _empty(connection: sa.Connection, table: sa.Table) -> None:
    """Delete all rows; give a table to which a migration has added columns their declared order."""
    if [column["name"] for column in sa.inspect(connection).get_columns(table.name)] == table.columns.keys():
        connection.execute(sa.delete(table))
        return
    table.drop(connection)
    table.create(connection)


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
