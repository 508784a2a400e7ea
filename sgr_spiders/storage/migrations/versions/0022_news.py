"""An index of the pages that were spilled lately."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_walk_pages_fetched_at", "walk_pages", ["fetched_at"])
