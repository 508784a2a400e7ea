"""The facts about a PostgreSQL server that decide whether a harvest can use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

MIN_VERSION: Final = 15_00_00
"""The oldest version that the project supports, as ``server_version_num`` numbers it."""

_QUERY: Final = sa.text(
    "SELECT current_setting('server_version_num')::integer AS version, "
    "current_setting('server_version') AS version_text, "
    "pg_encoding_to_char(encoding) AS encoding, "
    "current_user AS role, current_schema() AS schema_name, "
    "coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create, "
    # The transaction of a reader is read-only anyway.
    "(pg_is_in_recovery() OR (SELECT reset_val FROM pg_settings "
    "WHERE name = 'default_transaction_read_only') = 'on') AS is_read_only, "
    "to_regclass('alembic_version') IS NOT NULL AS has_tables "
    "FROM pg_database WHERE datname = current_database()"
)


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """The version, encoding and permissions of a database on a server, and its schema's revision."""

    version: int
    version_text: str
    encoding: str
    user: str
    schema: str | None
    may_create: bool
    is_read_only: bool
    revision: str | None


def read_facts(store: Store) -> ServerFacts:
    """Read the facts of the server of *store*; raise ``StorageError`` if it cannot be reached."""
    with store.inspect() as connection:
        row = connection.execute(_QUERY).one()
        revision = (
            connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            if row.has_tables
            else None
        )
    return ServerFacts(
        row.version,
        row.version_text.split()[0],
        row.encoding,
        row.role,
        row.schema_name,
        row.may_create,
        row.is_read_only,
        revision,
    )
