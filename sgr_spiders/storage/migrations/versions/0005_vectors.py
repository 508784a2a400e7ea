"""Add the tables of vectors and of the runs that learned them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _vectors(kind: str, target: str, *more: sa.Column[Any]) -> None:
    name, key = f"{kind}_vectors", f"{kind}_id"
    op.create_table(
        name,
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column(key, ID, autoincrement=False, nullable=False),
        sa.Column("vector_run_id", ID, nullable=False),
        *more,
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint([key], [target], name=f"fk_{name}_{key}"),
        sa.ForeignKeyConstraint(
            ["vector_run_id"], ["vector_runs.vector_run_id"], name=f"fk_{name}_vector_run_id"
        ),
        sa.PrimaryKeyConstraint("method", key, name=f"pk_{name}"),
    )


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "vector_runs",
        sa.Column("vector_run_id", ID, nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("finished_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_vector_runs_run_id"),
        sa.PrimaryKeyConstraint("vector_run_id", name="pk_vector_runs"),
    )
    op.create_index("ix_vector_runs_method", "vector_runs", ["method"], unique=False)
    _vectors("track", "tracks.track_id", sa.Column("fans", sa.Float(), nullable=False))
    _vectors("user", "users.user_id")
    _vectors("artist", "users.user_id", sa.Column("tracks", sa.Integer(), nullable=False))
