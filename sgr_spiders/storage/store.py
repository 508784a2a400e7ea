"""The only access to the database of a harvest: ``read`` a snapshot, ``write`` in a transaction."""

from __future__ import annotations

import contextlib
import logging
import random
import re
import sqlite3
import threading
import time
from contextlib import closing
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from sgr_spiders.model.exceptions import (
    ConfigError,
    ConflictError,
    DatabaseAwayError,
    DatabaseGoneError,
    StorageError,
)
from sgr_spiders.storage import dictionaries, migrate, server, sqlite_file
from sgr_spiders.storage.lock import DatabaseLock, holder
from sgr_spiders.text.invocation import command
from sgr_spiders.text.masking import mask_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from sqlalchemy.engine.interfaces import DBAPIConnection

logger = logging.getLogger(__name__)

WAIT_SECONDS = 30
"""The time that a transaction waits for a process that holds the write lock."""

LONG_ATTEMPT_SECONDS = 5.0
"""Seconds that a long attempt at a transaction takes off the time for which errors are borne, at most."""

PAUSE_SECONDS = 0.02
"""The pause between two tries, where SQLite does not wait by itself."""

RETRY_SECONDS = 0.2
"""At most the pause before a transaction is run again; random, so that two of them do not meet again."""

LOOK_AT_WAL_EVERY = 10.0
"""Seconds between two checks of the size of the WAL, during a long read."""

GROWN = 1 << 30
"""Bytes that the WAL must grow by before a reader is warned."""

HARVEST_TABLES = {"alembic_version", "walks"}
"""The tables that identify a SoundGraph database; ``alembic_version`` alone is not enough."""

SCHEMA = 0x5347_0000
"""The key of PostgreSQL's advisory lock under which the schema is created or migrated."""

CONFLICTS = {"40P01", "40001"}
"""PostgreSQL's codes for a deadlock and a failed serialization: the transaction may be run again."""

AWAY = ("08", "57P")
"""The beginnings of PostgreSQL's codes for a connection that failed, and a server that ends or starts."""

TOO_IDLE = "25P03"
"""PostgreSQL's code for a connection that it has closed, because its transaction was idle for too long."""

Result = TypeVar("Result")

Connection = sa.Connection
"""An open transaction, for callers that pass it on and use no SQL."""

QueryError = sa.exc.DBAPIError
"""An error of the database within a transaction, which ``Store`` raises as a ``StorageError`` at its end."""


class Store:
    """A database at an SQLAlchemy URL. It is opened at the first read or write.

    Any thread may ``read`` at any time. On SQLite the write lock is free between the transactions of
    ``write``. The ledger belongs to the process that used ``open``, until that process ends: its lock proves
    that every earlier owner has ended.
    """

    def __init__(self, url: str) -> None:
        """Parse *url*; raise ``ConfigError`` if it is not an SQLAlchemy URL."""
        self._url = parse_url(url)
        self._lock: DatabaseLock | None = None
        self._is_known = False
        self._identity: sqlite_file.Identity | None = None
        self._cancelled = threading.Event()

    @classmethod
    def open(cls, url: str, *, unharmed: str = "nothing was fetched") -> Self:
        """Open the database for a crawl: take its lock, create it if necessary, and migrate it.

        Args:
            url: An SQLAlchemy URL.
            unharmed: The end of the error message if another process holds the lock: what was not done.

        Raises:
            ConfigError: *url* is not an SQLAlchemy URL.
            DatabaseInUseError: Another process holds the lock.
            StorageError: It is not a SoundGraph database, or cannot be used.
        """
        store = cls(url)
        store._refuse_foreign()
        if (path := store.file) is not None:
            store._lock = DatabaseLock(path)
            store._lock.take(unharmed)
        try:
            store._is_known = True
            with store.write() as connection:
                # Two workers may start at the same time.
                store._lock_schema(connection)
                migrate.upgrade(connection)
                # Whoever may write may also read `raw`, and must not take it for damaged.
                dictionaries.load(connection)
            store._identity = None if path is None else sqlite_file.identify(path)
        except BaseException:
            store._release()
            raise
        return store

    @classmethod
    def open_unlocked(cls, url: str) -> Self:
        """Open the database for short writes during a crawl, which must not touch the ledger.

        This takes the lock only to create or migrate the database. Raises the errors of ``open``.
        """
        store = cls(url)
        store._refuse_foreign()
        if store.file is None or sqlite_file.has_content(store.file):
            with store._reading() as connection:
                store._is_known = migrate.revision_of(connection) == migrate.HEAD
        return store if store._is_known else cls.open(url, unharmed="nothing was written")

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Yield a read-only connection to a snapshot of the database.

        It waits for no writer, and no writer waits for it. While it is open, the WAL cannot be truncated.

        Raises:
            ConfigError: There is no database.
            StorageError: It is not a SoundGraph database, has another schema version, or cannot be read.
        """
        self._require()
        with self._reading() as connection:
            migrate.require_head(connection, self.describe())
            yield connection

    def revision(self) -> str:
        """Return the revision of the schema, even if it is older or newer than this version's.

        Raises the errors of ``read``, except for another schema version.
        """
        self._require()
        with self._reading() as connection:
            revision = migrate.revision_of(connection)
        if revision is None:
            raise StorageError(f"database {self.describe()}: not a SoundGraph database")
        return revision

    @contextlib.contextmanager
    def inspect(self) -> Iterator[sa.Connection]:
        """Yield a read-only connection to a server, whatever its database contains.

        Raises the errors of ``read``, except for another schema version.
        """
        self._refuse_foreign()
        with self._reading() as connection:
            yield connection

    @contextlib.contextmanager
    def watching_wal(self) -> Iterator[None]:
        """Warn once if the WAL grows much in this context: an open snapshot keeps it from being emptied."""
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
        for ``WAIT_SECONDS`` or until ``cancel_waiting``, ``DatabaseGoneError`` if the file opened with
        ``open`` is no longer there, and the errors of ``read``.
        """
        if not self._is_known:
            with self.read():
                self._is_known = True
        try:
            with self.engine.begin() as connection:
                yield connection
                # Otherwise SQLite would go on writing to the deleted file.
                self._require_same_file()
        except sa.exc.DBAPIError as error:
            raise self._error(error) from error

    @contextlib.contextmanager
    def autocommit(self) -> Iterator[sa.Connection]:
        """Yield a connection to a server, of one thread, on which each statement is its own transaction.

        They do not wait for the server's disk, so a crash of the server may lose the last of them. Raises
        ``StorageError``; the next call connects again.
        """
        try:
            with self._autocommitting.connect() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            self._autocommitting.dispose()
            raise self._error(error) from error

    def retry(self, transaction: Callable[[], Result]) -> Result:
        """Run a *transaction*, again if it conflicts with another one, or while the server is away.

        Its function must not mind being called several times, even if the first call was committed. Raises
        the error of the last call after about ``WAIT_SECONDS`` of errors, or after ``cancel_waiting``.
        """
        left, latest = float(WAIT_SECONDS), None
        is_away = False
        while True:
            try:
                return transaction()
            except (ConflictError, DatabaseAwayError) as error:
                # A call may last long, or be frozen with its process, and that must not end it.
                now = time.monotonic()
                left -= 0 if latest is None else min(now - latest, LONG_ATTEMPT_SECONDS)
                latest = now
                if not is_away and isinstance(error, DatabaseAwayError):
                    is_away = True
                    logger.warning("%s; waiting up to %d s for the server", error, WAIT_SECONDS)
                pause = RETRY_SECONDS * random.uniform(0.5, 1)  # noqa: S311 - no secret
                if left <= 0 or self._cancelled.wait(pause):
                    raise

    def cancel_waiting(self) -> None:
        """Stop waiting for another process's write lock or for the server, now and later."""
        self._cancelled.set()

    def close(self) -> None:
        """Close the connections, and release the lock.

        A store that holds the lock first moves all data into the database file, so that a copy is complete.
        """
        try:
            if self._lock is not None and not self._is_gone():
                self._optimise()
        finally:
            self._release()

    def _release(self) -> None:
        if "engine" in self.__dict__:
            self.engine.dispose()
        if "_autocommitting" in self.__dict__:
            self._autocommitting.dispose()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @cached_property
    def engine(self) -> sa.Engine:
        """The engine for writes; use it directly only for SQL that cannot run inside ``write``."""
        if self.on_server:
            return server.create_writing_engine(self._url)
        engine = sa.create_engine(self._url)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", self._prepare)
            sa.event.listen(engine, "begin", self._begin_immediate)
        return engine

    @cached_property
    def _reader(self) -> sa.Engine:
        # No pool: a pooled connection would keep the file open, and readers need no `close`.
        if self.on_server:
            return server.create_reading_engine(self._url)
        if self.file is None:
            return sa.create_engine(self._url, poolclass=sa.NullPool)
        engine = sa.create_engine(
            self._url, poolclass=sa.NullPool, creator=partial(sqlite_file.connect_read_only, self.file)
        )
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        return engine

    @cached_property
    def _autocommitting(self) -> sa.Engine:
        return sa.create_engine(
            self._url,
            isolation_level="AUTOCOMMIT",
            poolclass=sa.StaticPool,
            connect_args={"options": "-c synchronous_commit=off"},
        )

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._reader.connect() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise self._error(error) from error

    def _require_same_file(self) -> None:
        if self._is_gone():
            raise DatabaseGoneError(
                f"database {self.describe()} was deleted, moved or replaced while it was in use; put it "
                "back, or rerun to begin again"
            )

    def _is_gone(self) -> bool:
        """Return whether the file that ``open`` opened, or its WAL, is no longer at its path."""
        if self._identity is None or self.file is None:
            return False
        try:
            return sqlite_file.identify(self.file) != self._identity
        except OSError:
            return True

    def _require(self) -> None:
        if self.file is not None and not self.file.is_file():
            # A known database has been removed; an unknown one is probably a mistyped name.
            error = DatabaseGoneError if self._is_known else ConfigError
            create = command("crawl", "deep_harvest", "-a", "track_id=ID")
            raise error(f"database {self.describe()}: no such file; create it with `{create}`")
        self._require_same_file()
        if not self._is_known:
            self._refuse_foreign()

    def _refuse_foreign(self) -> None:
        """Raise ``StorageError`` for anything other than a SoundGraph database, without writing."""
        foreign = f"database {self.describe()}: not a SoundGraph database"
        try:
            if self.file is None:
                with self._reading() as connection:
                    tables = set(sa.inspect(connection).get_table_names())
                # A server's schema may contain tables of other programs.
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
        # Python's sqlite3 must not begin transactions by itself: it does so too late if a read precedes the
        # write, and not at all for DDL.
        connection.isolation_level = None
        with closing(connection.cursor()) as cursor:
            for pragma in sqlite_file.PRAGMAS:
                self._retry_while_locked(partial(cursor.execute, pragma))

    def _begin_immediate(self, connection: sa.Connection) -> None:
        # Otherwise another process could change the file between the transaction's first read and its write.
        self._retry_while_locked(partial(connection.exec_driver_sql, "BEGIN IMMEDIATE"))

    def _retry_while_locked(self, execute: Callable[[], object]) -> None:
        """Retry *execute* while the database is locked: unlike SQLite's own wait, this can be cancelled."""
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

    def _optimise(self) -> None:
        """Update the statistics of SQLite's planner, and empty the WAL into the file."""
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

    def _lock_schema(self, connection: sa.Connection) -> None:
        if self.on_server:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({SCHEMA})")

    def _error(self, error: sa.exc.DBAPIError) -> StorageError:
        """Return the database's error as a ``StorageError`` of one line."""
        try:
            self._require_same_file()
        except DatabaseGoneError as gone:
            return gone
        if isinstance(error, sa.exc.OperationalError) and _is_locked(error):
            by = holder(self.file) if self.file is not None else "another process"
            return StorageError(f"database {self.describe()} is locked by {by}; nothing was written")
        cause = str(error.orig).splitlines()[0] if error.orig is not None else type(error).__name__
        return self._kind_of(error)(f"database {self.describe()}: {cause}")

    def _kind_of(self, error: sa.exc.DBAPIError) -> type[StorageError]:
        if not self.on_server:
            return StorageError
        code = getattr(error.orig, "sqlstate", None)
        if code in CONFLICTS:
            return ConflictError
        # Without a code: the connection failed before the server said anything.
        is_operational = isinstance(error.orig, self.engine.dialect.loaded_dbapi.OperationalError)
        is_away = is_operational and (code is None or code.startswith(AWAY))
        return DatabaseAwayError if is_away or code == TOO_IDLE else StorageError

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
    def on_server(self) -> bool:
        """True for a server, which several workers may use at the same time."""
        return self._url.get_backend_name() == "postgresql"

    @property
    def path(self) -> str | None:
        """The same as a string, as given in the URL."""
        return None if self.file is None else self._url.database

    @property
    def name(self) -> str:
        """The name of the database, without its directory or server."""
        return (self.file.stem if self.file is not None else self._url.database) or ""

    def beside(self, what: str) -> Path:
        """Return a path beside the database file: ``data/x-<what>`` for ``data/x.db``."""
        file = self.file or Path("data", self._url.database or "harvest")
        return file.with_name(f"{file.stem}-{what}")

    @property
    def url(self) -> str:
        """The SQLAlchemy URL, with its password."""
        return self._url.render_as_string(hide_password=False)

    def describe(self) -> str:
        """Return the path, or the URL without its password."""
        return self.path or mask_url(self.url)


def parse_url(url: str) -> sa.URL:
    """Parse an SQLAlchemy URL; raise ``ConfigError`` if it is not one."""
    try:
        return sa.make_url(url)
    except sa.exc.ArgumentError:
        # Show only its beginning: the rest may contain a password.
        shown = re.split("[:/]", url)[0]
        raise ConfigError(
            f"setting `HARVEST_DATABASE_URL`: not an SQLAlchemy URL (sqlite:///data/x.db): '{shown}…'"
        ) from None


def _is_locked(error: sqlite3.OperationalError | sa.exc.OperationalError) -> bool:
    cause = error.orig if isinstance(error, sa.exc.OperationalError) else error
    locked = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return isinstance(cause, sqlite3.OperationalError) and cause.sqlite_errorcode & 0xFF in locked
