"""Add what layers and caps left out: the tables cuts and playlist_leftovers, and walk_requests.inline_cap.

The layers report what they leave out when they are shown the seed, so they are shown it once more.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, add the column, and have the seeds shown to their layers again."""
    op.create_table(
        "cuts",
        sa.Column("seed_id", ID, autoincrement=False, nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("setting", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("kept", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=True),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seed_id", "layer", "step", "setting", "target", name="pk_cuts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "playlist_leftovers",
        sa.Column("playlist_id", ID, autoincrement=False, nullable=False),
        sa.Column("track_id", ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlists.playlist_id"], name="fk_playlist_leftovers_playlist_id"
        ),
        sa.PrimaryKeyConstraint("playlist_id", "track_id", name="pk_playlist_leftovers"),
        sqlite_with_rowid=False,
    )
    op.add_column("walk_requests", sa.Column("inline_cap", sa.BigInteger(), nullable=True))
    op.execute("UPDATE walk_requests SET expanded = 0 WHERE step = 'seed'")
