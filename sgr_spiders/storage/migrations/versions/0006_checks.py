"""Add check constraints, and indexes for the view ``discoveries``.

On SQLite a constraint exists only in a table's SQL text in the catalogue. After checking the rows, this
migration edits that text, as https://www.sqlite.org/lang_altertable.html describes for changes that do not
affect the content. Rebuilding the tables, as Alembic's batches do, would copy the largest ones of a harvest
(20 million engagements: minutes, and twice the space).
"""

import sqlalchemy as sa
from alembic import op

from sgr_spiders.model.exceptions import StorageError

revision = "0006"
down_revision = "0005"

CHOICES = {
    ("engagements", "kind"): ("like", "repost", "comment"),
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
    ("selections", "kind"): ("track", "user", "playlist"),
    ("track_mentions", "kind"): ("mention", "featuring", "remixer", "producer", "label"),
    ("tracks", "access"): ("playable", "preview", "blocked"),
    ("walk_records", "kind"): ("track", "user", "playlist", "comment"),
    ("walks", "status"): ("planned", "running", "done", "capped", "gone", "failed"),
}

INDEXES = {
    "walk_records": (["record_id", "kind"],),
    "walk_requests": (["layer"],),
    "selections": (["record_id", "kind"], ["layer"]),
}

DISCOVERIES = """
CREATE VIEW discoveries AS
SELECT DISTINCT kind, record_id, seed_id, layer
FROM (
    SELECT walk_records.kind AS kind, walk_records.record_id AS record_id,
           walk_requests.seed_id AS seed_id, walk_requests.layer AS layer
    FROM walk_requests
    JOIN walk_records ON walk_records.walk_id = walk_requests.walk_id
                     AND walk_records.position < walk_requests.widest
    WHERE NOT walk_requests.selective
    UNION ALL
    SELECT kind, record_id, seed_id, layer FROM selections
) AS found
"""


def upgrade() -> None:
    """Add the constraints and indexes, and replace the view."""
    connection = op.get_bind()
    for (table, column), values in CHOICES.items():
        _refuse_others(connection, table, column, values)
    op.execute("DROP VIEW discoveries")
    checks = {key: _check(key[1], values) for key, values in CHOICES.items()}
    if connection.dialect.name == "sqlite":
        _write_into_catalogue(connection, checks)
    else:
        for (table, column), check in checks.items():
            op.create_check_constraint(f"ck_{table}_{column}", table, check)
    op.execute(DISCOVERIES)
    for table, indexes in INDEXES.items():
        for columns in indexes:
            op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns, unique=False)


def _check(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


def _refuse_others(connection: sa.Connection, table: str, column: str, values: tuple[str, ...]) -> None:
    cell: sa.ColumnClause[str] = sa.column(column)
    other = connection.scalar(
        sa.select(cell).select_from(sa.table(table)).where(cell.not_in(values)).limit(1)
    )
    if other is not None:
        raise StorageError(
            f"database cannot be upgraded: {table}.{column} contains {other!r}; correct it by hand"
        )


def _write_into_catalogue(connection: sa.Connection, checks: dict[tuple[str, str], str]) -> None:
    execute = connection.exec_driver_sql
    version = int(execute("PRAGMA schema_version").scalar_one())
    execute("PRAGMA writable_schema = ON")
    for (table, column), check in checks.items():
        text = str(
            execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).scalar()
        )
        body, _, options = text.rpartition(")")
        new = f"{body.rstrip()}, \n\tCONSTRAINT ck_{table}_{column} CHECK ({check})\n){options}"
        execute("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (new, table))
    # All open connections, including this one, read the catalogue again.
    execute(f"PRAGMA schema_version = {version + 1}")
    execute("PRAGMA writable_schema = RESET")
