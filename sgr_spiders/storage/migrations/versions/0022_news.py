"""Indexes for what was spilled and removed lately."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

TABLES = ("tracks", "users", "playlists", "comments", "playlist_tracks", "engagements")


def upgrade() -> None:
    """Create the indexes."""
    op.create_index("ix_walk_pages_fetched_at", "walk_pages", ["fetched_at"])
    for table in TABLES:
        removed = sa.text("removed_at IS NOT NULL")
        op.create_index(f"ix_{table}_removed_at", table, ["removed_at"], sqlite_where=removed)
