"""A database that is only looked at, also while a crawl writes to it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import sqlalchemy as sa

from sgr_spiders.model.exceptions import ConfigError, StorageError
from sgr_spiders.storage.figures.inventory import schema_version
from sgr_spiders.storage.migrate import HEAD
from sgr_spiders.storage.store import describe, parse_url, storage_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine.interfaces import DBAPIConnection

BUSY_SECONDS = 5
"""A reader of a write-ahead log waits for nobody, but for a moment while the log is set up."""


@contextlib.contextmanager
def read(url: str) -> Iterator[sa.Connection]:
    """Give a connection that sees the database at *url* as it is now, and cannot change it.

    No lock is taken and no migration is run. Raises ``ConfigError`` if there is no database, and
    ``StorageError`` if it is of another version or cannot be read.
    """
    parsed = parse_url(url)
    with _connection(parsed) as connection:
        _check_version(connection, describe(parsed))
        yield connection


def stored_revision(url: str) -> str:
    """Return the revision of the schema at *url*, be it older or newer than this version's.

    Raises ``ConfigError`` if there is no database, and ``StorageError`` if it is not one of this project.
    """
    parsed = parse_url(url)
    with _connection(parsed) as connection:
        return _revision(connection, describe(parsed))


@contextlib.contextmanager
def _connection(url: sa.URL) -> Iterator[sa.Connection]:
    engine = sa.create_engine(_read_only(url))
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _begin_by_hand)
        sa.event.listen(engine, "begin", _begin)
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.DBAPIError as error:
        raise storage_error(url, error) from error
    finally:
        engine.dispose()


def _read_only(url: sa.URL) -> sa.URL:
    if url.get_backend_name() != "sqlite":
        return url
    path = Path(url.database or "")
    if not path.is_file():
        raise ConfigError(f"database {describe(url)}: there is no such file; `scrapy crawl` makes it")
    file = f"file:{quote(str(path))}"
    return sa.URL.create(
        url.drivername, database=file, query={"mode": "ro", "uri": "true", "timeout": str(BUSY_SECONDS)}
    )


def _begin_by_hand(connection: DBAPIConnection, _record: object) -> None:
    # Python's sqlite3 begins no transaction for reads, and each query would see another moment.
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _revision(connection: sa.Connection, where: str) -> str:
    if not sa.inspect(connection).has_table("alembic_version"):
        raise StorageError(f"database {where}: it holds no harvest")
    return schema_version(connection)


def _check_version(connection: sa.Connection, where: str) -> None:
    revision = _revision(connection, where)
    if revision < HEAD:
        raise StorageError(
            f"database {where}: its schema is of revision {revision}, older than this version's {HEAD}; "
            "run `scrapy upgrade`"
        )
    if revision > HEAD:
        raise StorageError(
            f"database {where}: its schema is of revision {revision}, which this version (up to {HEAD}) does "
            "not know; use the one that made it"
        )
