"""Tables of PostgreSQL in bulk, and new tables that appear all at once."""

from __future__ import annotations

import contextlib
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from sgr_spiders.model.exceptions import ConfigError, DatabaseInUseError
from sgr_spiders.storage.copying.rows import ROWS_AT_A_TIME
from sgr_spiders.storage.store import HARVEST_TABLES, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import psycopg

    from sgr_spiders.storage.copying.rows import Rows
    from sgr_spiders.storage.store import Store

NO_TIMEOUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
"""The settings that would end a copy that takes long, as in pg_dump."""

_TYPES = """
SELECT attname, atttypid FROM pg_attribute
WHERE attrelid = CAST(%s AS regclass) AND attnum > 0 AND NOT attisdropped
"""
_INDEXES = """
SELECT i.relname, pg_get_indexdef(i.oid), format('DROP INDEX %%I', i.relname)
FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class t ON t.oid = indrelid
WHERE t.relnamespace = CAST(current_schema() AS regnamespace) AND t.relname = ANY(%s)
  AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.oid AND contype <> 'f')
ORDER BY i.relname
"""
_FOREIGN_KEYS = """
SELECT conname,
       format('ALTER TABLE %%I ADD CONSTRAINT %%I %%s', relname, conname, pg_get_constraintdef(c.oid)),
       format('ALTER TABLE %%I DROP CONSTRAINT %%I', relname, conname)
FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid
WHERE t.relnamespace = CAST(current_schema() AS regnamespace) AND t.relname = ANY(%s) AND contype = 'f'
ORDER BY conname
"""


def read(connection: sa.Connection, table: sa.Table) -> Iterator[Rows]:
    """Yield the rows of *table* in the order of its key, in batches."""
    query = sa.select(*table.columns).order_by(*table.primary_key.columns)
    statement = f"COPY ({query.compile(dialect=connection.dialect)}) TO STDOUT (FORMAT BINARY)"
    types = _types_of(connection, table)
    with _driver_of(connection).cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(types)
        rows = copy.rows()
        while batch := list(islice(rows, ROWS_AT_A_TIME)):
            yield batch


def write(connection: sa.Connection, table: sa.Table, batches: Iterable[Rows]) -> None:
    """Insert the rows into *table*, which this transaction has created."""
    names = ", ".join(f'"{name}"' for name in _names_of(table))
    # FREEZE saves the first reader from writing each page again.
    statement = f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY, FREEZE)'
    types = _types_of(connection, table)
    with _driver_of(connection).cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(types)
        for rows in batches:
            for row in rows:
                copy.write_row(row)


def drop_indexes(connection: sa.Connection, tables: Iterable[sa.Table]) -> dict[str, str]:
    """Drop all indexes but those of keys, and the foreign keys; return the statements that build them."""
    names = [table.name for table in tables]
    building: dict[str, str] = {}
    for query in (_INDEXES, _FOREIGN_KEYS):
        for name, build, drop in connection.exec_driver_sql(query, (names,)).all():
            building[name] = build
            connection.exec_driver_sql(drop)
    return building


def finish(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Let the next rows get new IDs, and let the planner know the tables."""
    for table in tables:
        for column in table.primary_key.columns:
            sequence = connection.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name)))
            if sequence is not None:
                following = sa.func.coalesce(sa.func.max(column), 0) + 1
                connection.execute(sa.select(sa.func.setval(sequence, following, False)))  # noqa: FBT003 - SQL
        connection.exec_driver_sql(f'ANALYZE "{table.name}"')


def bytes_of(connection: sa.Connection, tables: Iterable[sa.Table]) -> int:
    """Return the size of the tables with their indexes."""
    sizes = (connection.scalar(sa.select(sa.func.pg_total_relation_size(table.name))) for table in tables)
    return sum(size or 0 for size in sizes)


def lift_timeouts(connection: sa.Connection) -> None:
    """Let the transaction take as long as it needs."""
    for name in NO_TIMEOUTS:
        connection.exec_driver_sql(f"SET LOCAL {name} = 0")


def require_driver(store: Store) -> None:
    """Raise ``ConfigError`` if the URL names a driver without bulk copies."""
    if store.engine.dialect.driver != "psycopg":
        raise ConfigError(f"database {store.describe()}: must begin with postgresql://, for psycopg 3")


@contextlib.contextmanager
def create(target: Store, names: Iterable[str]) -> Iterator[sa.Connection]:
    """Yield a transaction in the schema of *target*, which must have no table or view of these *names*."""
    require_driver(target)
    with target.engine.begin() as connection:
        lift_timeouts(connection)
        # A crawl that starts meanwhile waits for the copy.
        if not connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({SCHEMA})").scalar():
            raise DatabaseInUseError(
                f"database {target.describe()}: another process is creating tables in it; nothing was copied"
            )
        _refuse_content(connection, target, names)
        yield connection


def _refuse_content(connection: sa.Connection, target: Store, names: Iterable[str]) -> None:
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        raise ConfigError(
            f"database {target.describe()}: its encoding is {encoding}; create a database in UTF8"
        )
    inspector = sa.inspect(connection)
    there = {*inspector.get_table_names(), *inspector.get_view_names()}
    if there >= HARVEST_TABLES:
        raise ConfigError(f"database {target.describe()}: holds a harvest already; name an empty database")
    taken = sorted(there.intersection(names))
    if taken:
        raise ConfigError(
            f"database {target.describe()}: already has a table `{taken[0]}`; name an empty database, or an "
            "empty schema with ?options=-csearch_path%3DNAME"
        )


def _types_of(connection: sa.Connection, table: sa.Table) -> list[int]:
    found = connection.exec_driver_sql(_TYPES, (f'"{table.name}"',))
    types = {row.attname: row.atttypid for row in found}
    return [types[name] for name in _names_of(table)]


def _names_of(table: sa.Table) -> list[str]:
    return [column.name for column in table.columns]


def _driver_of(connection: sa.Connection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)
