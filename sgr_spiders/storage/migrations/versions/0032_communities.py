"""The tables of communities and of their builds."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "community_runs",
        sa.Column("community_run_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("graph", sa.Text(), nullable=False),
        sa.Column("validated", sa.Boolean(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("communities", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("modularity", sa.Float(), nullable=True),
        sa.Column("stability", sa.Float(), nullable=True),
        sa.Column("related_at", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("finished_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("community_run_id", name="pk_community_runs"),
    )
    op.create_index("ix_community_runs_kind", "community_runs", ["kind"], unique=False)
    op.create_table(
        "communities",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("node_id", ID, autoincrement=False, nullable=False),
        sa.Column("community", sa.Integer(), nullable=False),
        sa.Column("stability", sa.Float(), nullable=False),
        sa.CheckConstraint("kind IN ('track', 'user', 'artist')", name="ck_communities_kind"),
        sa.PrimaryKeyConstraint("kind", "node_id", name="pk_communities"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_communities_node_id", "communities", ["node_id"], unique=False)
