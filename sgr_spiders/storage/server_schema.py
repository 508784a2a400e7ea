"""The parts of the schema that only PostgreSQL needs, beyond the migrations."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sgr_spiders.storage.schema import PRESENCE_TABLES, metadata

if TYPE_CHECKING:
    import sqlalchemy as sa

LOCALISED = """
SELECT relname, attname, format_type(atttypid, atttypmod) FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid JOIN pg_collation ON pg_collation.oid = attcollation
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND attnum > 0 AND collname <> 'C'
ORDER BY relname, attnum
"""
"""Columns of text whose order depends on the locale of the database."""

VIEWS = """
SELECT relname, pg_get_viewdef(oid) FROM pg_class
WHERE relkind = 'v' AND relnamespace = current_schema()::regnamespace ORDER BY oid
"""


def complete(connection: sa.Connection) -> None:
    """Complete the schema after migrations."""
    _compare_bytes(connection)
    _widen_views(connection)


def _compare_bytes(connection: sa.Connection) -> None:
    """Order text by its bytes, as SQLite does: the same on every server, and faster than by a locale."""
    changes: dict[str, list[str]] = defaultdict(list)
    for table, column, type_ in connection.exec_driver_sql(LOCALISED):
        if table in metadata.tables:
            changes[table].append(f'ALTER COLUMN "{column}" TYPE {type_} COLLATE "C"')
    if not changes:
        return
    # PostgreSQL changes no column that a view contains.
    views = connection.exec_driver_sql(VIEWS).all()
    if views:
        connection.exec_driver_sql("DROP VIEW " + ", ".join(f'"{name}"' for name, _ in views))
    for table, changed in changes.items():
        connection.exec_driver_sql(f'ALTER TABLE "{table}" {", ".join(changed)}')
    for name, definition in views:
        connection.exec_driver_sql(f'CREATE VIEW "{name}" AS {definition}')


def _widen_views(connection: sa.Connection) -> None:
    """Add new columns to the views of whole tables, whose columns PostgreSQL fixes at their creation."""
    views = {name for name, _ in connection.exec_driver_sql(VIEWS)}
    for table in (table.name for table in PRESENCE_TABLES if f"{table.name}_history" in views):
        present = "CASE WHEN removed_at IS NULL THEN 1 ELSE 0 END AS present"
        query = f"SELECT {present}, {table}.* FROM {table}"  # noqa: S608 - names of the schema
        connection.exec_driver_sql(f"CREATE OR REPLACE VIEW {table}_history AS {query}")
