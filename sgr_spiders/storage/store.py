"""The one door to the database of a harvest: ``read`` a snapshot, ``write`` in a transaction."""

from __future__ import annotations

import contextlib
import logging
import re
import sqlite3
import threading
import time
from contextlib import closing
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.exceptions import ConfigError, StorageError
from sgr_spiders.storage import migrate, sqlite_file
from sgr_spiders.storage.lock import DatabaseLock, holder
from sgr_spiders.text.masking import mask_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from sqlalchemy.engine.interfaces import DBAPIConnection

logger = logging.getLogger(__name__)

WAIT_SECONDS = 30
"""How long a transaction waits for a process that holds the write lock."""

PAUSE_SECONDS = 0.02
"""Between two tries, where SQLite does not wait by itself."""

LOOK_AT_WAL_EVERY = 10.0
"""Seconds, while a long reader keeps the write-ahead log from being emptied."""

GROWN = 1 << 30
"""Bytes by which the write-ahead log must grow before a reader is told."""

HARVEST_TABLES = {"alembic_version", "walks"}
"""What makes a database a harvest; other programs have tables of versions as well."""

SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""How PostgreSQL is asked for a transaction that sees one moment and changes nothing."""

Connection = sa.Connection
"""An open transaction, for those who pass it on and know nothing of SQL."""


class Store:
    """A database, at an SQLAlchemy URL. Nothing is opened before it is read or written.

    Anybody may ``read``, at any time and in any thread. On SQLite the write lock is free between the
    transactions of ``write``; the ledger belongs to whoever came in by ``open`` until the process ends,
    however it ends: who holds that lock knows that every earlier owner is dead.
    """

    def __init__(self, url: str) -> None:
        """Raise ``ConfigError`` if *url* is not an SQLAlchemy URL."""
        self._url = parse_url(url)
        self._lock: DatabaseLock | None = None
        self._is_known = False
        self._cancelled = threading.Event()

    @classmethod
    def open(cls, url: str, *, unharmed: str = "nothing was fetched") -> Self:
        """Open the database for a crawl: take its lock, create it if need be, and migrate it.

        *unharmed* ends the error if another process holds the lock. Raises ``ConfigError`` if *url* is not
        an SQLAlchemy URL, ``DatabaseInUseError`` if another process holds the lock, ``StorageError`` if it is
        not a harvest or cannot be used.
        """
        store = cls(url)
        store._refuse_foreign()
        if (path := store.file) is not None:
            store._lock = DatabaseLock(path)
            store._lock.take(unharmed)
        try:
            store._is_known = True
            with store.write() as connection:
                migrate.upgrade(connection)
        except BaseException:
            store._release()
            raise
        return store

    @classmethod
    def open_unlocked(cls, url: str) -> Self:
        """Open the database for short writes beside a crawl, which touch nothing of the ledger.

        Only to create the database, or to migrate it, the lock is needed. Raises what ``open`` raises.
        """
        store = cls(url)
        store._refuse_foreign()
        if store.file is None or sqlite_file.has_content(store.file):
            with store._reading() as connection:
                store._is_known = migrate.revision_of(connection) == migrate.HEAD
        return store if store._is_known else cls.open(url, unharmed="nothing was written")

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Yield a connection that sees the database as it is now, and cannot change it.

        It waits for no writer, and no writer for it; while it is open, the WAL cannot be cut back. Raises
        ``ConfigError`` if there is no database, and ``StorageError`` if it is not a harvest, of another
        version, or cannot be read.
        """
        self._require()
        with self._reading() as connection:
            migrate.require_head(connection, self.describe())
            yield connection

    def revision(self) -> str:
        """Return the revision of the schema, be it older or newer than this version's.

        Raises what ``read`` raises, but for the version.
        """
        self._require()
        with self._reading() as connection:
            revision = migrate.revision_of(connection)
        if revision is None:
            raise StorageError(f"database {self.describe()}: not a SoundGraph database")
        return revision

    @contextlib.contextmanager
    def watching_wal(self) -> Iterator[None]:
        """Warn once if the WAL grows much meanwhile: an open snapshot keeps it from being emptied."""
        before, ended = self._wal_bytes(), threading.Event()

        def watch() -> None:
            while not ended.wait(LOOK_AT_WAL_EVERY):
                if self._wal_bytes() - before > GROWN:
                    logger.warning(
                        "The write-ahead log of %s grows while this command reads: %d MiB so far; "
                        "it is emptied when a later crawl ends",
                        self.describe(),
                        self._wal_bytes() >> 20,
                    )
                    return

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _wal_bytes(self) -> int:
        wal = Path(f"{self.file}-wal")
        return wal.stat().st_size if self.file is not None and wal.exists() else 0

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction that is committed at the end, or rolled back on any error.

        Any thread may write, one at a time. Raises ``StorageError`` if another process holds the write lock
        for ``WAIT_SECONDS``, or after ``cancel_waiting``, and what ``read`` raises.
        """
        if not self._is_known:
            with self.read():
                self._is_known = True
        try:
            with self.engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise self._error(error) from error

    def cancel_waiting(self) -> None:
        """Let whoever waits for another process's write lock give up at once, now and from now on."""
        self._cancelled.set()

    def close(self) -> None:
        """Close the connections, and let the next crawl in.

        Who held the lock leaves all data in the database file itself, so that a copy of it is whole.
        """
        try:
            if self._lock is not None:
                self._put_in_order()
        finally:
            self._release()

    def _release(self) -> None:
        if "engine" in self.__dict__:
            self.engine.dispose()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @cached_property
    def engine(self) -> sa.Engine:
        """What writes; for SQL that no transaction of ``write`` takes."""
        engine = sa.create_engine(self._url)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", self._prepare)
            sa.event.listen(engine, "begin", self._begin_immediate)
        return engine

    @cached_property
    def _reader(self) -> sa.Engine:
        # Without a pool: a connection that is kept keeps the file open, and there is nothing to close then.
        if self.file is None:
            options = SNAPSHOT if self._url.get_backend_name() == "postgresql" else {}
            return sa.create_engine(self._url, poolclass=sa.NullPool, execution_options=options)
        engine = sa.create_engine(
            self._url, poolclass=sa.NullPool, creator=partial(sqlite_file.connect_read_only, self.file)
        )
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        return engine

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._reader.connect() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise self._error(error) from error

    def _require(self) -> None:
        if self.file is not None and not self.file.is_file():
            # One that was there has been removed; one that was never there has a mistyped name.
            error = StorageError if self._is_known else ConfigError
            raise error(f"database {self.describe()}: no such file; create it with `scrapy crawl`")
        if not self._is_known:
            self._refuse_foreign()

    def _refuse_foreign(self) -> None:
        """Raise ``StorageError`` if there is something that is not a harvest. Nothing is written."""
        foreign = f"database {self.describe()}: not a SoundGraph database"
        try:
            if self.file is None:
                with self._reading() as connection:
                    tables = set(sa.inspect(connection).get_table_names())
                # A server's schema may hold what is none of ours.
                tables &= HARVEST_TABLES
            elif not sqlite_file.has_content(self.file):
                return
            elif not sqlite_file.is_database(self.file):
                raise StorageError(foreign)
            else:
                tables = sqlite_file.table_names(self.file)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"database {self.describe()}: {error}") from error
        if tables and not tables >= HARVEST_TABLES:
            raise StorageError(foreign)

    def _prepare(self, connection: DBAPIConnection, _record: object) -> None:
        # Python's sqlite3 must not begin transactions by itself: it does so too late for reads before
        # writes, and not at all for DDL.
        connection.isolation_level = None
        with closing(connection.cursor()) as cursor:
            for pragma in sqlite_file.PRAGMAS:
                self._patiently(partial(cursor.execute, pragma))

    def _begin_immediate(self, connection: sa.Connection) -> None:
        # A transaction that reads first and writes later could otherwise find the file changed in between.
        self._patiently(partial(connection.exec_driver_sql, "BEGIN IMMEDIATE"))

    def _patiently(self, execute: Callable[[], object]) -> None:
        """Execute what may find the database locked, in short tries: SQLite's own waiting cannot be ended."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                execute()
            except (sqlite3.OperationalError, sa.exc.OperationalError) as error:
                if not _is_locked(error):
                    raise
                if self._cancelled.wait(PAUSE_SECONDS) or time.monotonic() > deadline:
                    raise
            else:
                return

    def _put_in_order(self) -> None:
        """Let SQLite note what its planner needs, and empty the WAL into the file."""
        try:
            with self.engine.connect() as connection:
                driver = connection.connection.driver_connection
                assert isinstance(driver, sqlite3.Connection)
                driver.execute("PRAGMA analysis_limit = 1000")
                driver.execute("PRAGMA optimize")
                busy, pages, moved = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except (sqlite3.Error, sa.exc.DBAPIError) as error:
            logger.warning("Could not empty the write-ahead log of %s: %s", self.describe(), error)
            return
        if busy:
            logger.warning(
                "Could not empty the write-ahead log of %s: another process still reads an earlier state "
                "(%d of %d pages moved); copy %s-wal along with the file",
                self.describe(),
                max(moved, 0),
                max(pages, 0),
                self.describe(),
            )

    def _error(self, error: sa.exc.DBAPIError) -> StorageError:
        """Return in one line what the database had to object."""
        if isinstance(error, sa.exc.OperationalError) and _is_locked(error):
            by = holder(self.file) if self.file is not None else "another process"
            return StorageError(f"database {self.describe()} is locked by {by}; nothing was written")
        cause = str(error.orig).splitlines()[0] if error.orig is not None else type(error).__name__
        return StorageError(f"database {self.describe()}: {cause}")

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database; ``None`` for other databases."""
        in_file = self._url.get_backend_name() == "sqlite" and self._url.database not in {
            None,
            "",
            ":memory:",
        }
        return Path(str(self._url.database)) if in_file else None

    @property
    def path(self) -> str | None:
        """The same as text, as it was given."""
        return None if self.file is None else self._url.database

    def beside(self, what: str) -> Path:
        """Return the path of something of this database beside its file: ``data/x.db``, ``data/x-<what>``."""
        file = self.file or Path("data", self._url.database or "harvest")
        return file.with_name(f"{file.stem}-{what}")

    @property
    def url(self) -> str:
        """The SQLAlchemy URL it was opened with."""
        return self._url.render_as_string(hide_password=False)

    def describe(self) -> str:
        """Return where the data is stored, without a password."""
        return self.path or mask_url(self.url)


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


def _is_locked(error: sqlite3.OperationalError | sa.exc.OperationalError) -> bool:
    cause = error.orig if isinstance(error, sa.exc.OperationalError) else error
    locked = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return isinstance(cause, sqlite3.OperationalError) and cause.sqlite_errorcode & 0xFF in locked
