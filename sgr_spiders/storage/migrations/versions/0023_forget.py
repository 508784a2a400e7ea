"""Add tombstones of forgotten records, and the exports that were made."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "tombstone_salt",
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("salt", name="pk_tombstone_salt"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tombstones",
        sa.Column("digest", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("forgotten_with", ID, nullable=False),
        sa.Column("forgotten_at", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_tombstones"),
        sa.CheckConstraint(
            "kind IN ('track', 'user', 'playlist', 'comment', 'url')", name="ck_tombstones_kind"
        ),
        sa.CheckConstraint("reason IN ('asked', 'gone', 'private')", name="ck_tombstones_reason"),
    )
    op.create_index("ix_tombstones_forgotten_with", "tombstones", ["forgotten_with"], unique=False)
    op.create_table(
        "exports",
        sa.Column("directory", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("directory", name="pk_exports"),
        sqlite_with_rowid=False,
    )
