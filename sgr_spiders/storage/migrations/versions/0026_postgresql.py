"""Storage parameters and partial indexes on PostgreSQL; nothing changes on SQLite."""

from alembic import op

revision = "0026"
down_revision = "0025"

PRESENCE_TABLES = ("tracks", "users", "playlists", "playlist_tracks", "engagements", "comments")
"""The tables whose index of removed rows also contained the others."""

BIG_TABLES = (*PRESENCE_TABLES, "walk_records", "walk_requests")
"""The tables whose rows are changed in place when they are seen again."""


def upgrade() -> None:
    """Leave room for changed versions of rows, vacuum early, and index few rows."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in PRESENCE_TABLES:
        _index_only(table, "removed_at", "removed_at IS NOT NULL")
    _index_only("walks", "doubted", "doubted")
    # Each page moves its walk, so a page of the table keeps room for a new version of every second row.
    op.execute("ALTER TABLE walks SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02)")
    for table in BIG_TABLES:
        op.execute(
            f"ALTER TABLE {table} SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, "
            "autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02)"
        )


def _index_only(table: str, column: str, condition: str) -> None:
    name = f"ix_{table}_{column}"
    op.execute(f"DROP INDEX IF EXISTS {name}")
    op.execute(f"CREATE INDEX {name} ON {table} ({column}) WHERE {condition}")
