"""The database of a harvest: how it is opened, locked, brought up to date and written."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from filelock import FileLock, Timeout

from sgr_spiders.model.exceptions import ConfigError, DatabaseInUseError, StorageError
from sgr_spiders.storage import migrate
from sgr_spiders.text.masking import mask_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers never wait for the writer, nor it for them
    "PRAGMA synchronous = NORMAL",  # with WAL a crash of the process loses nothing that was committed
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 30000",  # ms; a reader that checkpoints may hold the file for a moment
    "PRAGMA cache_size = -65536",  # 64 MiB: the upper levels of the indexes of a large harvest
    # Pages, 64 MiB: index pages that change with every page of a crawl are copied and synced more seldom.
    "PRAGMA wal_autocheckpoint = 16000",
    "PRAGMA journal_size_limit = 67108864",  # bytes the WAL is cut back to after a checkpoint
)


Connection = sa.Connection
"""An open transaction, for those who pass it on and know nothing of SQL."""


class Store:
    """An open database with one writer.

    On SQLite a lock on the file ``<database>.lock`` belongs to this process until it ends, however it
    ends. Whoever gets it knows that every earlier owner is dead.
    """

    def __init__(self, engine: sa.Engine, lock: FileLock | None) -> None:
        self.engine = engine
        self._lock = lock

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database at the SQLAlchemy *url*, making it if need be.

        Raises ``ConfigError`` if it is no URL, ``DatabaseInUseError`` if another crawl has the database,
        ``StorageError`` if it cannot be used.
        """
        parsed = parse_url(url)
        lock = _take_lock(parsed)
        try:
            store = cls(create_engine(parsed), lock)
            with store.write() as connection:
                migrate.upgrade(connection)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return store

    @classmethod
    def open_beside(cls, url: str) -> Self:
        """Open the database at *url* for short writes, also while a crawl has it.

        No lock is held then, so nothing of the ledger may be touched. Only to make the database, or to bring
        it up to date, the lock is needed. Raises what ``open`` raises.
        """
        parsed = parse_url(url)
        file = file_of(parsed)
        if file is not None and Path(file).is_file():
            store = cls(create_engine(parsed), None)
            with store.write() as connection:
                if migrate.is_current(connection):
                    return store
            store.close()
        return cls.open(url)

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that is committed at the end, or rolled back on any error."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise storage_error(self.engine.url, error) from error

    def close(self) -> None:
        """Close the connections and let the next crawl in."""
        self.engine.dispose()
        if self._lock is not None:
            self._lock.release()

    @property
    def path(self) -> str | None:
        """The file of the database; ``None`` if it is none."""
        return file_of(self.engine.url)

    @property
    def url(self) -> str:
        """The SQLAlchemy URL it was opened with."""
        return self.engine.url.render_as_string(hide_password=False)

    def describe(self) -> str:
        """Say where the data lies, without a password."""
        return describe(self.engine.url)


def parse_url(url: str) -> sa.URL:
    """Read an SQLAlchemy URL, or raise ``ConfigError``."""
    try:
        return sa.make_url(url)
    except sa.exc.ArgumentError:
        # Only its beginning is shown: further on there may be a password.
        shown = re.split("[:/]", url)[0]
        raise ConfigError(
            f"setting `HARVEST_DATABASE_URL`: not an SQLAlchemy URL (sqlite:///data/x.db): '{shown}…'"
        ) from None


def file_of(url: sa.URL) -> str | None:
    """Give the file of an SQLite database; ``None`` for other databases."""
    in_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return url.database if in_file else None


def describe(url: sa.URL) -> str:
    """Say where the database at *url* lies, without a password."""
    return file_of(url) or mask_url(url.render_as_string(hide_password=False))


def _take_lock(url: sa.URL) -> FileLock | None:
    file = file_of(url)
    if file is None:
        return None
    path = Path(file)
    lock = FileLock(f"{path}.lock", timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        # It waits as well for a file that cannot be made at all, in /proc or on some shares.
        if not Path(lock.lock_file).exists():
            raise StorageError(f"database {path} cannot be opened: no file can be made beside it") from None
        raise DatabaseInUseError(
            f"database {path} is in use by another crawl: this one fetches nothing"
        ) from None
    except OSError as error:
        raise StorageError(f"database {path} cannot be opened: {error.strerror}") from None
    return lock


def create_engine(url: sa.URL) -> sa.Engine:
    """Make what connects to the database at *url*, with one writer at a time on SQLite."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    # Python's sqlite3 must not begin transactions by itself: it does so too late for reads before
    # writes, and not at all for DDL.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_immediate(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later could otherwise find the file changed in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def storage_error(url: sa.URL, error: sa.exc.DBAPIError) -> StorageError:
    """Say in one line what the database at *url* had to object."""
    cause = str(error.orig).splitlines()[0] if error.orig is not None else type(error).__name__
    return StorageError(f"database {describe(url)}: {cause}")
