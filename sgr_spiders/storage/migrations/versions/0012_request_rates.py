"""The table of learned request rates."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "request_rates",
        sa.Column("api_origin", sa.Text(), nullable=False),
        sa.Column("key_fingerprint", sa.Text(), nullable=False),
        sa.Column("interval_seconds", sa.Float(), nullable=False),
        sa.Column("learned_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("api_origin", "key_fingerprint", name=op.f("pk_request_rates")),
        sqlite_with_rowid=False,
    )
