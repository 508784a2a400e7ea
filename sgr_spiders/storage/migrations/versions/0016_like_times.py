"""Add the intervals in which likes and reposts were given.

Those of existing rows were given after the upload of the track, and before they were first seen.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the columns, and fill those of engagements."""
    op.add_column("walk_pages", sa.Column("boundary_at", sa.Text(), nullable=True))
    for name in ("not_before", "not_after"):
        op.add_column("engagements", sa.Column(name, sa.Text(), nullable=True))
    # An upload after the like was seen has a wrong time.
    op.execute(
        """
        UPDATE engagements SET
            not_after = first_seen_at,
            not_before = (
                SELECT substr(created_at, 1, 19) || '.000000Z' FROM tracks
                WHERE tracks.track_id = engagements.track_id AND created_at < engagements.first_seen_at
            )
        WHERE kind IN ('like', 'repost')
        """
    )
