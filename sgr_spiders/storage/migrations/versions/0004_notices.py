"""Add the table of notices already shown."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "notices",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("said_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_notices"),
        sqlite_with_rowid=False,
    )
