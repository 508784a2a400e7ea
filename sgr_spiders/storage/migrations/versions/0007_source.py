"""Add the source of the database, and of its runs."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table, and add the columns."""
    op.create_table(
        "source",
        sa.Column("api_origin", sa.Text(), nullable=False),
        sa.Column("is_sandbox", sa.Boolean(), nullable=False),
        sa.Column("world", sa.Text(), nullable=True),
        sa.Column("first_used_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("api_origin", name="pk_source"),
        sqlite_with_rowid=False,
    )
    op.add_column("runs", sa.Column("api_origin", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("is_sandbox", sa.Boolean(), nullable=True))
