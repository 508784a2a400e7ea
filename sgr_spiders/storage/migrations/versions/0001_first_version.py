"""The tables of the first version."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

DISCOVERIES = """
CREATE VIEW discoveries AS
SELECT DISTINCT walk_records.kind AS kind, walk_records.record_id AS record_id,
       walk_requests.seed_id AS seed_id, walk_requests.layer AS layer
FROM walk_requests
JOIN walk_records ON walk_records.walk_id = walk_requests.walk_id
                 AND walk_records.position < walk_requests.widest
WHERE NOT walk_requests.selective
UNION
SELECT kind, record_id, seed_id, layer FROM selections
"""


def upgrade() -> None:
    """Create all tables and the view."""
    op.create_table(
        "runs",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("spider", sa.Text(), nullable=False),
        sa.Column("layers", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("refresh", sa.Boolean(), nullable=False),
        sa.Column("fresh_after", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("stats", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
    )
    op.create_table(
        "selections",
        sa.Column("seed_id", ID, autoincrement=False, nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_id", ID, autoincrement=False, nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("seed_id", "layer", "kind", "record_id", name="pk_selections"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "users",
        sa.Column("user_id", ID, autoincrement=False, nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("permalink", sa.Text(), nullable=True),
        sa.Column("permalink_url", sa.Text(), nullable=True),
        sa.Column("full_name", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("website_title", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("avatar_url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("followers_count", sa.BigInteger(), nullable=True),
        sa.Column("followings_count", sa.BigInteger(), nullable=True),
        sa.Column("track_count", sa.BigInteger(), nullable=True),
        sa.Column("playlist_count", sa.BigInteger(), nullable=True),
        sa.Column("public_favorites_count", sa.BigInteger(), nullable=True),
        sa.Column("reposts_count", sa.BigInteger(), nullable=True),
        sa.Column("is_stub", sa.Boolean(), nullable=False),
        sa.Column("fullness", sa.SmallInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("fetched_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_users"),
    )
    op.create_table(
        "walks",
        sa.Column("walk_id", ID, autoincrement=False, nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("empty_pages", sa.Integer(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.BigInteger(), nullable=False),
        sa.Column("capped_at", sa.BigInteger(), nullable=True),
        sa.Column("expected", sa.BigInteger(), nullable=True),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("walk_id", name="pk_walks"),
    )
    op.create_index(
        "ix_walks_status_created_at_walk_id", "walks", ["status", "created_at", "walk_id"], unique=False
    )
    op.create_table(
        "playlists",
        sa.Column("playlist_id", ID, autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("permalink_url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("genre", sa.Text(), nullable=True),
        sa.Column("tag_list", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("playlist_type", sa.Text(), nullable=True),
        sa.Column("label_name", sa.Text(), nullable=True),
        sa.Column("license", sa.Text(), nullable=True),
        sa.Column("release", sa.Text(), nullable=True),
        sa.Column("release_year", sa.Integer(), nullable=True),
        sa.Column("release_month", sa.Integer(), nullable=True),
        sa.Column("release_day", sa.Integer(), nullable=True),
        sa.Column("ean", sa.Text(), nullable=True),
        sa.Column("artwork_url", sa.Text(), nullable=True),
        sa.Column("purchase_url", sa.Text(), nullable=True),
        sa.Column("purchase_title", sa.Text(), nullable=True),
        sa.Column("track_count", sa.BigInteger(), nullable=True),
        sa.Column("likes_count", sa.BigInteger(), nullable=True),
        sa.Column("is_stub", sa.Boolean(), nullable=False),
        sa.Column("fullness", sa.SmallInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("fetched_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.user_id"], name="fk_playlists_owner_id"),
        sa.PrimaryKeyConstraint("playlist_id", name="pk_playlists"),
    )
    op.create_index("ix_playlists_owner_id", "playlists", ["owner_id"], unique=False)
    op.create_table(
        "rejects",
        sa.Column("walk_id", ID, autoincrement=False, nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("page", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["walk_id"], ["walks.walk_id"], name="fk_rejects_walk_id"),
        sa.PrimaryKeyConstraint("walk_id", "generation", "page", "item", name="pk_rejects"),
    )
    op.create_table(
        "run_scope",
        sa.Column("run_id", ID, autoincrement=False, nullable=False),
        sa.Column("seed_id", ID, autoincrement=False, nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_run_scope_run_id"),
        sa.PrimaryKeyConstraint("run_id", "seed_id", "layer", name="pk_run_scope"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_seeds",
        sa.Column("run_id", ID, autoincrement=False, nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("track_id", ID, nullable=True),
        sa.Column("walk_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_run_seeds_run_id"),
        sa.ForeignKeyConstraint(["walk_id"], ["walks.walk_id"], name="fk_run_seeds_walk_id"),
        sa.PrimaryKeyConstraint("run_id", "given", name="pk_run_seeds"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_seeds_walk_id", "run_seeds", ["walk_id"], unique=False)
    op.create_table(
        "tracks",
        sa.Column("track_id", ID, autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("artist_id", ID, nullable=True),
        sa.Column("permalink_url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("genre", sa.Text(), nullable=True),
        sa.Column("tag_list", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("label_name", sa.Text(), nullable=True),
        sa.Column("metadata_artist", sa.Text(), nullable=True),
        sa.Column("isrc", sa.Text(), nullable=True),
        sa.Column("bpm", sa.Float(), nullable=True),
        sa.Column("key_signature", sa.Text(), nullable=True),
        sa.Column("license", sa.Text(), nullable=True),
        sa.Column("release", sa.Text(), nullable=True),
        sa.Column("release_year", sa.Integer(), nullable=True),
        sa.Column("release_month", sa.Integer(), nullable=True),
        sa.Column("release_day", sa.Integer(), nullable=True),
        sa.Column("access", sa.Text(), nullable=True),
        sa.Column("artwork_url", sa.Text(), nullable=True),
        sa.Column("purchase_url", sa.Text(), nullable=True),
        sa.Column("purchase_title", sa.Text(), nullable=True),
        sa.Column("playback_count", sa.BigInteger(), nullable=True),
        sa.Column("favoritings_count", sa.BigInteger(), nullable=True),
        sa.Column("reposts_count", sa.BigInteger(), nullable=True),
        sa.Column("comment_count", sa.BigInteger(), nullable=True),
        sa.Column("download_count", sa.BigInteger(), nullable=True),
        sa.Column("commentable", sa.Boolean(), nullable=True),
        sa.Column("streamable", sa.Boolean(), nullable=True),
        sa.Column("downloadable", sa.Boolean(), nullable=True),
        sa.Column("reveal_stats", sa.Boolean(), nullable=True),
        sa.Column("reveal_comments", sa.Boolean(), nullable=True),
        sa.Column("is_stub", sa.Boolean(), nullable=False),
        sa.Column("fullness", sa.SmallInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("fetched_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["artist_id"], ["users.user_id"], name="fk_tracks_artist_id"),
        sa.PrimaryKeyConstraint("track_id", name="pk_tracks"),
    )
    op.create_index("ix_tracks_artist_id", "tracks", ["artist_id"], unique=False)
    op.create_table(
        "walk_pages",
        sa.Column("walk_id", ID, autoincrement=False, nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("page", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cursor_hash", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("fetched_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["walk_id"], ["walks.walk_id"], name="fk_walk_pages_walk_id"),
        sa.PrimaryKeyConstraint("walk_id", "generation", "page", name="pk_walk_pages"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "walk_records",
        sa.Column("walk_id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_id", ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["walk_id"], ["walks.walk_id"], name="fk_walk_records_walk_id"),
        sa.PrimaryKeyConstraint("walk_id", "kind", "record_id", name="pk_walk_records"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "walk_requests",
        sa.Column("walk_id", ID, autoincrement=False, nullable=False),
        sa.Column("seed_id", ID, autoincrement=False, nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("widest", sa.BigInteger(), nullable=False),
        sa.Column("selective", sa.Boolean(), nullable=False),
        sa.Column("expanded", sa.BigInteger(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["walk_id"], ["walks.walk_id"], name="fk_walk_requests_walk_id"),
        sa.PrimaryKeyConstraint("walk_id", "seed_id", "layer", "step", name="pk_walk_requests"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_walk_requests_seed_id_layer", "walk_requests", ["seed_id", "layer"], unique=False)
    op.create_table(
        "comments",
        sa.Column("comment_id", ID, autoincrement=False, nullable=False),
        sa.Column("track_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("timestamp_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("fetched_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.track_id"], name="fk_comments_track_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name="fk_comments_user_id"),
        sa.PrimaryKeyConstraint("comment_id", name="pk_comments"),
    )
    op.create_index("ix_comments_track_id", "comments", ["track_id"], unique=False)
    op.create_index("ix_comments_user_id", "comments", ["user_id"], unique=False)
    op.create_table(
        "engagements",
        sa.Column("user_id", ID, autoincrement=False, nullable=False),
        sa.Column("track_id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.track_id"], name="fk_engagements_track_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name="fk_engagements_user_id"),
        sa.PrimaryKeyConstraint("user_id", "track_id", "kind", name="pk_engagements"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_engagements_track_id_kind", "engagements", ["track_id", "kind"], unique=False)
    op.create_table(
        "playlist_tracks",
        sa.Column("playlist_id", ID, autoincrement=False, nullable=False),
        sa.Column("track_id", ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlists.playlist_id"], name="fk_playlist_tracks_playlist_id"
        ),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.track_id"], name="fk_playlist_tracks_track_id"),
        sa.PrimaryKeyConstraint("playlist_id", "track_id", name="pk_playlist_tracks"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_playlist_tracks_track_id", "playlist_tracks", ["track_id"], unique=False)
    op.create_table(
        "track_mentions",
        sa.Column("track_id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.track_id"], name="fk_track_mentions_track_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name="fk_track_mentions_user_id"),
        sa.PrimaryKeyConstraint("track_id", "kind", "name", name="pk_track_mentions"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_track_mentions_user_id", "track_mentions", ["user_id"], unique=False)
    op.execute(DISCOVERIES)
