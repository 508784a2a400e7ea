"""Indexes of titles, names and addresses."""

from alembic import op

revision = "0027"
down_revision = "0026"

COLUMNS = (("tracks", "title"), ("users", "username"), ("playlists", "title"))


def upgrade() -> None:
    """Create the indexes; on PostgreSQL, of beginnings, because its indexes contain no long texts."""
    on_server = op.get_bind().dialect.name == "postgresql"
    page = "left(lower(permalink_url), 500)" if on_server else "permalink_url COLLATE NOCASE"
    for table, column in COLUMNS:
        name = f"left({column}, 60)" if on_server else column
        op.execute(f"CREATE INDEX ix_{table}_{column} ON {table} ({name})")
        op.execute(f"CREATE INDEX ix_{table}_permalink_url ON {table} ({page})")
