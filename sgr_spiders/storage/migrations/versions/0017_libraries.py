"""Add the view ``libraries``, and the column ``cut`` of the relationship tables."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

PAIR_TABLES = ("user_similarities", "track_relationships", "artist_relationships", "user_cosines")
LIBRARIES = """
CREATE VIEW libraries AS
SELECT 'user' AS kind, users.user_id AS record_id, CASE
    WHEN walks.status = 'gone' THEN 'hidden'
    WHEN walks.status = 'done' AND walks.received = 0
         AND COALESCE(walks.expected, users.public_favorites_count, walks.kept_before) > 0 THEN 'hidden'
    WHEN walks.status = 'done' THEN 'whole'
    WHEN walks.kept > 0 OR walks.kept_before > 0 THEN 'newest'
    ELSE 'unseen'
END AS library, CASE
    WHEN walks.status IN ('planned', 'running', 'failed') AND walks.kept_before > walks.kept
    THEN walks.kept_before ELSE COALESCE(walks.kept, 0)
END AS kept,
       COALESCE(walks.expected, users.public_favorites_count) AS expected
FROM users
LEFT JOIN walks ON walks.endpoint = 'user_likes' AND walks.target = CAST(users.user_id AS TEXT)
UNION ALL
SELECT 'track' AS kind, tracks.track_id AS record_id, CASE
    WHEN walks.status = 'gone' THEN 'hidden'
    WHEN walks.status = 'done' AND walks.received = 0
         AND COALESCE(walks.expected, tracks.favoritings_count, walks.kept_before) > 0 THEN 'hidden'
    WHEN walks.status = 'done' THEN 'whole'
    WHEN walks.kept > 0 OR walks.kept_before > 0 THEN 'newest'
    ELSE 'unseen'
END AS library, CASE
    WHEN walks.status IN ('planned', 'running', 'failed') AND walks.kept_before > walks.kept
    THEN walks.kept_before ELSE COALESCE(walks.kept, 0)
END AS kept,
       COALESCE(walks.expected, tracks.favoritings_count) AS expected
FROM tracks
LEFT JOIN walks ON walks.endpoint = 'track_favoriters' AND walks.target = CAST(tracks.track_id AS TEXT)
UNION ALL
SELECT 'playlist' AS kind, playlists.playlist_id AS record_id, CASE
    WHEN walks.status = 'gone' THEN 'hidden'
    WHEN walks.status = 'done' AND walks.received = 0
         AND COALESCE(walks.expected, playlists.track_count, walks.kept_before) > 0 THEN 'hidden'
    WHEN EXISTS (
        SELECT 1 FROM playlist_leftovers WHERE playlist_leftovers.playlist_id = playlists.playlist_id
    ) THEN 'newest'
    WHEN walks.status = 'done' THEN 'whole'
    WHEN walks.kept > 0 OR walks.kept_before > 0 THEN 'newest'
    WHEN EXISTS (
        SELECT 1 FROM playlist_tracks WHERE playlist_tracks.playlist_id = playlists.playlist_id
    ) THEN 'whole'
    WHEN walks.walk_id IS NULL AND playlists.track_count = 0 THEN 'whole'
    ELSE 'unseen'
END AS library, (
    SELECT count(*) FROM playlist_tracks
    WHERE playlist_tracks.playlist_id = playlists.playlist_id AND playlist_tracks.removed_at IS NULL
) AS kept,
       COALESCE(walks.expected, playlists.track_count) AS expected
FROM playlists
LEFT JOIN walks ON walks.endpoint = 'playlist_tracks' AND walks.target = CAST(playlists.playlist_id AS TEXT)
"""


def upgrade() -> None:
    """Add the view with the index that it needs, and the column.

    The tables exist once they are built. Their next build fills the column, because its parameters have
    changed.
    """
    op.create_index("ix_walks_endpoint_target", "walks", ["endpoint", "target"], unique=False)
    op.execute(LIBRARIES)
    inspector = sa.inspect(op.get_bind())
    for table in PAIR_TABLES:
        if inspector.has_table(table):
            op.add_column(table, sa.Column("cut", sa.Boolean(), nullable=True))
