"""The table counter_history, and the columns counted_at."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

COUNTERS = {
    "track": ("playback_count", "favoritings_count", "reposts_count", "comment_count", "download_count"),
    "user": (
        "followers_count",
        "followings_count",
        "track_count",
        "playlist_count",
        "public_favorites_count",
        "reposts_count",
        "likes_count",
        "comments_count",
    ),
    "playlist": ("track_count", "likes_count", "reposts_count"),
}


def upgrade() -> None:
    """Add the table and the columns. Known counters are as old as the last write of their record."""
    op.create_table(
        "counter_history",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_id", ID, autoincrement=False, nullable=False),
        sa.Column("counter", sa.Text(), nullable=False),
        sa.Column("observed_at", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("run_id", ID, nullable=True),
        sa.CheckConstraint("kind IN ('track', 'user', 'playlist')", name="ck_counter_history_kind"),
        sa.PrimaryKeyConstraint("kind", "record_id", "counter", "observed_at", name="pk_counter_history"),
        sqlite_with_rowid=False,
    )
    for kind, counters in COUNTERS.items():
        op.add_column(f"{kind}s", sa.Column("counted_at", sa.Text(), nullable=True))
        known = " OR ".join(f"{name} IS NOT NULL" for name in counters)
        op.execute(f"UPDATE {kind}s SET counted_at = fetched_at WHERE {known}")  # noqa: S608 - our own names
