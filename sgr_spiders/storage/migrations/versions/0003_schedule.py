"""Add scheduled seeds, and the arguments of each run."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table, and add the columns to ``runs``."""
    op.create_table(
        "seeds",
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("track_id", ID, nullable=True),
        sa.Column("interval_seconds", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.Text(), nullable=False),
        sa.Column("last_harvest_at", sa.Text(), nullable=True),
        sa.Column("next_harvest_at", sa.Text(), nullable=False),
        sa.Column("last_outcome", sa.Text(), nullable=True),
        sa.Column("last_run_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["last_run_id"], ["runs.run_id"], name="fk_seeds_last_run_id"),
        sa.PrimaryKeyConstraint("given", name="pk_seeds"),
    )
    op.create_index("ix_seeds_track_id", "seeds", ["track_id"], unique=False)
    op.create_index("ix_seeds_next_harvest_at", "seeds", ["next_harvest_at"], unique=False)
    for name in ("arguments", "config_hash", "version"):
        op.add_column("runs", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("requests", sa.BigInteger(), nullable=True))
