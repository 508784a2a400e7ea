"""Return the space of deleted rows to the operating system."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage.pairs.tables import find_stored
from sgr_spiders.storage.schema import metadata
from sgr_spiders.text.formatting import size

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

TEMPORARY = "SQLITE_TMPDIR"
"""The environment variable that names SQLite's directory for temporary files."""


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """The bytes of a database before and after."""

    bytes_before: int
    bytes_after: int


def vacuum(store: Store) -> Vacuumed:
    """Rewrite the database without the space of deleted rows; raise ``StorageError`` if it cannot."""
    return _vacuum_server(store) if store.file is None else _vacuum_file(store, store.file)


def _vacuum_file(store: Store, file: Path) -> Vacuumed:
    with store.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        try:
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            before = _bytes_of(file)
            _require_room(driver, store.describe(), file)
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise StorageError(f"database {store.describe()}: {error}; it was not vacuumed") from error
    return Vacuumed(before, _bytes_of(file))


def _bytes_of(file: Path) -> int:
    found = (Path(f"{file}{suffix}") for suffix in ("", "-wal"))
    return sum(part.stat().st_size for part in found if part.exists())


def _require_room(driver: sqlite3.Connection, name: str, file: Path) -> None:
    """Raise ``StorageError`` if the disks are too small for the new file and its write-ahead log.

    SQLite builds the new file in its temporary directory, and copies it into the write-ahead log.
    """
    pages, free, page_bytes = (
        driver.execute(f"PRAGMA {pragma}").fetchone()[0]
        for pragma in ("page_count", "freelist_count", "page_size")
    )
    needed = (pages - free) * page_bytes
    temporary = _temporary_directory()
    at_once = {file.parent.resolve(): needed}
    if temporary.stat().st_dev == file.parent.stat().st_dev:
        at_once[file.parent.resolve()] += needed
    else:
        at_once[temporary] = needed
    for directory, wanted in at_once.items():
        there = shutil.disk_usage(directory).free
        if there < wanted:
            raise StorageError(
                f"database {name}: a vacuum needs {size(wanted)} in {directory}, where {size(there)} are "
                f"free; it was not vacuumed. Free space there, or name another directory with {TEMPORARY}"
            )


def _temporary_directory() -> Path:
    """Return the directory that SQLite will use: the first that exists and is writable."""
    named = (os.environ.get(name) for name in (TEMPORARY, "TMPDIR"))
    candidates = [*filter(None, named), "/var/tmp", "/usr/tmp", "/tmp"]  # noqa: S108 - SQLite's own list
    usable = (Path(name) for name in candidates if os.access(name, os.W_OK | os.X_OK))
    return next(usable, Path(tempfile.gettempdir()))


def _vacuum_server(store: Store) -> Vacuumed:
    """Rewrite the tables one by one; each is locked only while it is rewritten."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        names = [*metadata.tables, *(table.name for table in find_stored(connection))]
        before = _server_bytes(connection, names)
        for name in names:
            connection.exec_driver_sql(f'VACUUM (FULL, ANALYZE) "{name}"')
        return Vacuumed(before, _server_bytes(connection, names))


def _server_bytes(connection: sa.Connection, names: list[str]) -> int:
    sizes = (connection.scalar(sa.select(sa.func.pg_total_relation_size(name))) for name in names)
    return sum(size or 0 for size in sizes)
