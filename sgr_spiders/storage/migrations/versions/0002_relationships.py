"""Add the relationship tables and the log of their builds."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _pair_table(name: str, node: str, parent: str, *measures: sa.Column[Any]) -> None:
    keys = (f"{node}_a", f"{node}_b")
    op.create_table(
        name,
        *(sa.Column(key, ID, autoincrement=False, nullable=False) for key in keys),
        *measures,
        *(sa.ForeignKeyConstraint([key], [parent], name=f"fk_{name}_{key}") for key in keys),
        sa.PrimaryKeyConstraint(*keys, name=f"pk_{name}"),
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{name}_{keys[1]}", name, [keys[1]], unique=False)


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _real(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Float(), nullable=False)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "relationship_runs",
        sa.Column("relationship_run_id", ID, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_relationship_runs_run_id"),
        sa.PrimaryKeyConstraint("relationship_run_id", name="pk_relationship_runs"),
    )
    op.create_index("ix_relationship_runs_type", "relationship_runs", ["type"], unique=False)
    sizes = ("common_tracks", "tracks_a", "tracks_b")
    _pair_table("user_similarities", "user_id", "users.user_id", _real("jaccard"), *map(_count, sizes))
    _pair_table("user_cosines", "user_id", "users.user_id", _real("cosine"), *map(_count, sizes))
    _pair_table(
        "track_relationships", "track_id", "tracks.track_id", _count("cooccurrences"), _real("weight")
    )
    _pair_table(
        "artist_relationships", "artist_id", "users.user_id", _count("shared_fans"), _real("strength")
    )
