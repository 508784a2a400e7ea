"""Tables of SQLite files in bulk, and new files that appear whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.exceptions import ConfigError, StorageError
from sgr_spiders.storage import private_files, sqlite_file
from sgr_spiders.storage.copying.rows import ROWS_AT_A_TIME
from sgr_spiders.storage.lock import DatabaseLock
from sgr_spiders.text.formatting import size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.engine.interfaces import DBAPIConnection

    from sgr_spiders.storage.copying.rows import Rows

PRAGMAS = (
    "PRAGMA foreign_keys = OFF",  # checked once at the end
    "PRAGMA cache_size = -65536",  # 64 MiB
)
BESIDE = ("-wal", "-journal", "-shm")
"""SQLite's files beside a database; it would replay the first two into another database of that name."""


def read(connection: sa.Connection, table: sa.Table) -> Iterator[Rows]:
    """Yield the rows of *table* in the order of its key, in batches."""
    driver = _driver_of(connection)
    # Other programs store text that is not UTF-8, which the driver's own decoder refuses.
    driver.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    query = sa.select(*table.columns).order_by(*table.primary_key.columns)
    cursor = driver.execute(str(query.compile(dialect=connection.dialect)))
    while rows := cursor.fetchmany(ROWS_AT_A_TIME):
        yield rows


def write(connection: sa.Connection, table: sa.Table, batches: Iterable[Rows]) -> None:
    """Insert the rows."""
    insert = str(sa.insert(table).compile(dialect=connection.dialect))
    for rows in batches:
        _driver_of(connection).executemany(insert, rows)


def drop_indexes(connection: sa.Connection, _tables: Iterable[sa.Table]) -> dict[str, str]:
    """Drop all indexes but those of keys; return the statements that build them, by name."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    building = {row.name: row.sql for row in connection.exec_driver_sql(query)}
    for name in building:
        connection.exec_driver_sql(f'DROP INDEX "{name}"')
    return building


def finish(connection: sa.Connection, _tables: Iterable[sa.Table]) -> None:
    """Check the foreign keys, and let the planner know the tables."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise sqlite3.IntegrityError(f"a row of `{broken[0]}` refers to a missing row of `{broken[2]}`")
    connection.exec_driver_sql("PRAGMA analysis_limit = 1000")
    connection.exec_driver_sql("ANALYZE")


def bytes_of(connection: sa.Connection, _tables: Iterable[sa.Table]) -> int:
    """Return the size of the database without the space of deleted rows."""
    pages, free, page_bytes = (
        connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one()
        for pragma in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * page_bytes)


@contextlib.contextmanager
def create(file: Path, needed: int) -> Iterator[sa.Connection]:
    """Yield a transaction in a new file, which gets the name *file* once it is complete.

    Args:
        file: The target, which must not exist or be empty.
        needed: The bytes that it will have.

    Raises:
        ConfigError: The target is not empty.
        DatabaseInUseError: Another process is using it.
        StorageError: The disk is too small.
    """
    _refuse_content(file)
    lock, new = DatabaseLock(file), Path(f"{file}.copying")
    existed = file.exists()
    lock.take("nothing was copied")
    try:
        _refuse_content(file)
        _require_room(file, needed)
        _remove(new)  # of a killed copy
        with _transaction(new) as connection:
            yield connection
        private_files.take_mode(new, file)
        new.replace(file)
        _sync(file.parent)
    except BaseException:
        _remove(new)
        if existed:
            lock.release()
        else:
            _remove(file)
            lock.discard()
        raise
    lock.release()


@contextlib.contextmanager
def _transaction(file: Path) -> Iterator[sa.Connection]:
    """Create *file*, which contains all or nothing of what is done in the transaction, even after a crash."""
    private_files.create(file)
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(file)), poolclass=sa.NullPool)
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.connect() as connection:
        with connection.begin():
            yield connection
        # As in a database that a crawl has created.
        _driver_of(connection).execute("PRAGMA journal_mode = WAL")


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _refuse_content(file: Path) -> None:
    """Raise ``ConfigError`` unless *file* is missing or empty."""
    for path in (file, *(Path(f"{file}{suffix}") for suffix in BESIDE)):
        if path.is_dir() or sqlite_file.has_content(path):
            raise ConfigError(f"database {path}: is not empty; name a file that does not exist")


def _require_room(file: Path, needed: int) -> None:
    free = shutil.disk_usage(file.parent).free
    if free < needed:
        raise StorageError(
            f"database {file}: needs about {size(needed)} in {file.parent}, where {size(free)} are free"
        )


def _remove(file: Path) -> None:
    for suffix in ("", *BESIDE):
        Path(f"{file}{suffix}").unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    """Let the new name survive a crash of the machine."""
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _driver_of(connection: sa.Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
