"""PostgreSQL servers: tell them from files, load their driver, and configure its connections."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.exceptions import ConfigError

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

INSTALL = '`pip install "psycopg[binary]"`'

SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""PostgreSQL's options for a read-only transaction on a snapshot."""


MAX_IDLE_S = 60.0
"""Seconds after which the server ends the transaction and the connection of a writer that has stopped."""


def on_server(connection: sa.Connection) -> bool:
    """Return whether the database is on a server, which several workers may use, and not in a file."""
    return connection.dialect.name == "postgresql"


def create_engine(url: sa.URL, **options: Any) -> sa.Engine:
    """Create an engine for a server; raise ``ConfigError`` if its driver cannot be loaded."""
    try:
        # A database in another encoding still gets and returns text.
        engine = sa.create_engine(url, client_encoding="utf8", **options)
    except ImportError as error:
        cause = str(error).splitlines()[0]
        raise ConfigError(
            f"PostgreSQL needs the package `psycopg`: {cause}; install it with {INSTALL}"
        ) from None
    if engine.driver == "psycopg":
        sa.event.listen(engine, "connect", _load_sums_as_integers)
    return engine


def create_writing_engine(url: sa.URL) -> sa.Engine:
    """Create an engine whose transactions keep their locks only while their process works.

    A frozen process would otherwise keep all others from the rows that it has locked.
    """
    engine = create_engine(url)
    sa.event.listen(engine, "connect", _limit_idle_time)
    return engine


def _limit_idle_time(connection: DBAPIConnection, _record: object) -> None:
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = {MAX_IDLE_S * 1000:.0f}")
    connection.commit()


def create_reading_engine(url: sa.URL) -> sa.Engine:
    """Create an engine whose transactions read a snapshot, each on a connection of its own."""
    engine = create_engine(url, poolclass=sa.NullPool, execution_options=SNAPSHOT)
    # Compiling the queries of relationships takes longer than it saves: half of the time of the discoveries.
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("SET LOCAL jit = off"))
    return engine


def _load_sums_as_integers(connection: DBAPIConnection, _record: object) -> None:
    # A sum of 64-bit integers has the type `numeric`, which psycopg returns as a Decimal.
    from psycopg.adapt import Loader  # noqa: PLC0415 - an optional package

    class IntegerLoader(Loader):
        def load(self, data: bytes | bytearray | memoryview) -> int:
            return int(bytes(data))

    connection.adapters.register_loader("numeric", IntegerLoader)
