"""Retention: the dictionaries of ``raw``, outdated walks, and the check of the key of pseudonyms."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, add the column."""
    op.create_table(
        "raw_dictionaries",
        sa.Column("dictionary_id", ID, autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("trained_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("dictionary_id", name=op.f("pk_raw_dictionaries")),
    )
    op.create_table(
        "pseudonym_key",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("first_used_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_pseudonym_key")),
        sqlite_with_rowid=False,
    )
    op.add_column("walks", sa.Column("outdated", sa.Boolean(), server_default=sa.false(), nullable=False))
