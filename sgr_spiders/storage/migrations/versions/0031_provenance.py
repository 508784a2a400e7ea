"""The makings of runs and relationships: whole configurations, and the versions of packages."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Create the table, and add the columns."""
    op.create_table(
        "configurations",
        sa.Column("config_hash", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("first_used_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("config_hash", name="pk_configurations"),
        sqlite_with_rowid=False,
    )
    op.add_column("runs", sa.Column("packages", sa.Text(), nullable=True))
    op.add_column("relationship_runs", sa.Column("packages", sa.Text(), nullable=True))
