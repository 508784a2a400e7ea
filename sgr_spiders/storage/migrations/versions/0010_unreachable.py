"""The outcome ``unreachable`` of runs and seeds.

On SQLite the check constraints are part of the tables' SQL text in the catalogue, which is edited as in
revision 0006: the rows stay valid, and rebuilding a table would copy it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

NEW = "unreachable"
BEFORE = "unfinished"
"""The value that the new one follows."""

CHOICES = {
    ("runs", "outcome"): ("complete", "partial", "unfinished", "interrupted", "blocked", "failed"),
    ("seeds", "last_outcome"): (
        "complete",
        "partial",
        "gone",
        "unfinished",
        "interrupted",
        "blocked",
        "failed",
    ),
}


def upgrade() -> None:
    """Accept the new value."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _edit_catalogue(connection)
        return
    for (table, column), values in CHOICES.items():
        op.drop_constraint(f"ck_{table}_{column}", table, type_="check")
        op.create_check_constraint(f"ck_{table}_{column}", table, _check(column, _extended(values)))


def _extended(values: tuple[str, ...]) -> tuple[str, ...]:
    after = values.index(BEFORE) + 1
    return (*values[:after], NEW, *values[after:])


def _check(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


def _edit_catalogue(connection: sa.Connection) -> None:
    execute = connection.exec_driver_sql
    version = int(execute("PRAGMA schema_version").scalar_one())
    execute("PRAGMA writable_schema = ON")
    for (table, column), values in CHOICES.items():
        old, new = _check(column, values), _check(column, _extended(values))
        execute(
            "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?",
            (old, new, table),
        )
    # All open connections, including this one, read the catalogue again.
    execute(f"PRAGMA schema_version = {version + 1}")
    execute("PRAGMA writable_schema = RESET")
