"""Columns of walks that tell whom a missing answer is about, and the index for the order of leases."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns and replace the index."""
    op.add_column("walks", sa.Column("setbacks", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("walks", sa.Column("doubted", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("walks", sa.Column("kept_before", sa.BigInteger(), nullable=True))
    op.drop_index("ix_walks_status_created_at_walk_id", table_name="walks")
    op.create_index(
        "ix_walks_status_setbacks_created_at_walk_id",
        "walks",
        ["status", "setbacks", "created_at", "walk_id"],
        unique=False,
    )
    op.create_index(
        "ix_walks_doubted",
        "walks",
        ["doubted"],
        unique=False,
        sqlite_where=sa.text("doubted"),
    )
