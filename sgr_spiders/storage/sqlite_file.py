"""SQLite files: recognise them, configure their connections, and open them read-only."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

PRAGMAS = (
    "PRAGMA busy_timeout = 100",  # ms; `Store` retries
    "PRAGMA journal_mode = WAL",  # readers and the writer never wait for each other
    "PRAGMA synchronous = NORMAL",  # with WAL, a crash of the process loses no committed data
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what is deleted is overwritten; the default of many builds of SQLite
    "PRAGMA cache_size = -65536",  # 64 MiB: the upper levels of the indexes of a large harvest
    # Database pages (64 MiB). Index pages that change with every page of a crawl are copied less often.
    "PRAGMA wal_autocheckpoint = 16000",
    "PRAGMA journal_size_limit = 67108864",  # bytes; the WAL is truncated to this after a checkpoint
)

READER_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",  # ms; readers wait only for the moment in which the WAL is set up
    "PRAGMA cache_size = -65536",
)

MAGIC = b"SQLite format 3\x00"

READ_ONLY_MEDIUM = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
"""SQLite's error codes if it cannot create the WAL's shared memory beside the database."""


Identity = tuple[tuple[int, int], ...]
"""Device and inode of a database file and of its WAL."""


def identify(path: Path) -> Identity:
    """Return the identity of the files that are at *path* now, two calls of ``stat``.

    Raises:
        OSError: One of them does not exist.
    """
    found = [os.stat(name) for name in (path, f"{path}-wal")]  # noqa: PTH116 - Path.stat costs twice as much
    return tuple((file.st_dev, file.st_ino) for file in found)


def has_content(path: Path) -> bool:
    """Return whether *path* is a file that is not empty."""
    return path.is_file() and path.stat().st_size > 0


def is_database(path: Path) -> bool:
    """Return whether the file begins with SQLite's magic bytes."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open the database at *path* read-only.

    On a read-only mount without a WAL, the file is opened as immutable: changes by a writer with more rights
    go unnoticed.
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
    # Reading a WAL makes SQLite create files, so the file is immutable unless there is one.
    mode = "mode=ro" if has_content(Path(f"{path}-wal")) else "immutable=1"
    with closing(_connect(path, mode)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _connect(path: Path, how: str) -> sqlite3.Connection:
    # No implicit transactions: Python begins none for reads, so each query would see a different state.
    uri = f"file:{quote(str(path))}?{how}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
