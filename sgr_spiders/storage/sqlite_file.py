"""An SQLite file: which there is, how a connection to it is prepared, and how it is opened read-only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

PRAGMAS = (
    "PRAGMA busy_timeout = 100",  # ms; `Store` tries again
    "PRAGMA journal_mode = WAL",  # readers never wait for the writer, nor it for them
    "PRAGMA synchronous = NORMAL",  # with WAL a crash of the process loses nothing that was committed
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -65536",  # 64 MiB: the upper levels of the indexes of a large harvest
    # Pages, 64 MiB: index pages that change with every page of a crawl are copied and synced more seldom.
    "PRAGMA wal_autocheckpoint = 16000",
    "PRAGMA journal_size_limit = 67108864",  # bytes the WAL is cut back to after a checkpoint
)

READER_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",  # ms; a reader waits for nobody, but for a moment while the WAL is set up
    "PRAGMA cache_size = -65536",
)

MAGIC = b"SQLite format 3\x00"

READ_ONLY_MEDIUM = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
"""What SQLite answers where it can make no shared memory for the WAL beside the database."""


def has_content(path: Path) -> bool:
    """Return whether there is a file at *path* that is not empty."""
    return path.is_file() and path.stat().st_size > 0


def is_database(path: Path) -> bool:
    """Return whether the file begins as SQLite's files do."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open the database at *path* so that nothing can change it.

    Where nothing can be written beside it and no WAL is left (a read-only mount), it is taken for immutable:
    a writer with more rights that starts meanwhile would not be noticed.
    """
    connection = _connect(path, "mode=ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in READ_ONLY_MEDIUM or has_content(Path(f"{path}-wal")):
            raise
        connection = _connect(path, "immutable=1")
    for pragma in READER_PRAGMAS:
        connection.execute(pragma)
    return connection


def table_names(path: Path) -> set[str]:
    """Return the names of the tables, without leaving a file beside the database."""
    # Only where there is a WAL it has to be read as well; for that SQLite creates files.
    mode = "mode=ro" if has_content(Path(f"{path}-wal")) else "immutable=1"
    with closing(_connect(path, mode)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _connect(path: Path, how: str) -> sqlite3.Connection:
    # No transactions by Python: it begins none for reads, and each query would see another moment.
    address = f"file:{quote(str(path))}?{how}"
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
