"""The dictionaries of ``raw``."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0013"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "raw_dictionaries",
        sa.Column("dictionary_id", ID, autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("trained_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("dictionary_id", name=op.f("pk_raw_dictionaries")),
    )
