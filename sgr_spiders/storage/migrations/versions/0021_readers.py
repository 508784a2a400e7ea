"""Views of what is present and of what was, and the columns that tell it for layers.

``discoveries`` contains what is present, ``discoveries_history`` also what was. The views ``tracks_history``,
… are the tables with a column ``present``.
"""

# ruff: noqa: S608 - only constants of this file are put into statements

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

LISTED = """
walk_records.removed_at IS NULL AND (
    walk_records.generation = walks.generation
    OR NOT (
        (walks.status = 'capped' AND walk_records.position < walks.kept)
        OR (walks.status = 'gone' AND NOT walks.doubted
            AND substr(coalesce(walks.reason, ''), 1, 8) <> 'refused:')
    )
)
""".strip()

DISCOVERIES = f"""
CREATE VIEW discoveries AS
SELECT DISTINCT kind, record_id, seed_id, layer
FROM (
    SELECT walk_records.kind AS kind, walk_records.record_id AS record_id,
           walk_requests.seed_id AS seed_id, walk_requests.layer AS layer
    FROM walk_requests
    JOIN walks ON walks.walk_id = walk_requests.walk_id
    JOIN walk_records ON walk_records.walk_id = walk_requests.walk_id
                     AND walk_records.position < walk_requests.widest
    WHERE NOT walk_requests.selective AND walk_requests.removed_at IS NULL AND {LISTED}
    UNION ALL
    SELECT kind, record_id, seed_id, layer FROM selections WHERE removed_at IS NULL
) AS found
"""

DISCOVERIES_HISTORY = f"""
CREATE VIEW discoveries_history AS
SELECT DISTINCT kind, record_id, seed_id, layer, walk_id, requested_at, present,
       CASE WHEN present = 0 THEN removed_at END AS removed_at
FROM (
    SELECT walk_records.kind AS kind, walk_records.record_id AS record_id,
           walk_requests.seed_id AS seed_id, walk_requests.layer AS layer, walks.walk_id AS walk_id,
           walk_requests.requested_at AS requested_at,
           CASE WHEN walk_requests.removed_at IS NULL AND {LISTED} THEN 1 ELSE 0 END AS present,
           coalesce(walk_records.removed_at, walk_requests.removed_at, walks.finished_at) AS removed_at
    FROM walk_requests
    JOIN walks ON walks.walk_id = walk_requests.walk_id
    JOIN walk_records ON walk_records.walk_id = walk_requests.walk_id
                     AND walk_records.position < walk_requests.widest
    WHERE NOT walk_requests.selective
    UNION ALL
    SELECT kind, record_id, seed_id, layer, NULL, first_seen_at,
           CASE WHEN removed_at IS NULL THEN 1 ELSE 0 END, removed_at
    FROM selections
) AS found
"""

TABLES = ("tracks", "users", "playlists", "comments", "engagements", "playlist_tracks")


def upgrade() -> None:
    """Add the columns, and replace the views."""
    op.execute("DROP VIEW discoveries")
    for name in ("requested_at", "removed_at"):
        op.add_column("walk_requests", sa.Column(name, sa.Text(), nullable=True))
    for name in ("settings", "first_seen_at"):
        op.add_column("selections", sa.Column(name, sa.Text(), nullable=True))
    op.execute(
        "UPDATE walk_requests SET requested_at = "
        "(SELECT created_at FROM walks WHERE walks.walk_id = walk_requests.walk_id)"
    )
    # The last settings under which the layer ran around the seed; whatever it chose then, it wrote.
    op.execute(
        "UPDATE selections SET first_seen_at = last_seen_at, settings = (SELECT settings FROM run_scope "
        "WHERE run_scope.seed_id = selections.seed_id AND run_scope.layer = selections.layer "
        "ORDER BY run_id DESC LIMIT 1)"
    )
    op.execute(DISCOVERIES)
    op.execute(DISCOVERIES_HISTORY)
    for table in TABLES:
        op.create_index(
            f"ix_{table}_removed_at", table, ["removed_at"], sqlite_where=sa.text("removed_at IS NOT NULL")
        )
        op.execute(
            f"CREATE VIEW {table}_history AS "
            f"SELECT CASE WHEN removed_at IS NULL THEN 1 ELSE 0 END AS present, {table}.* FROM {table}"
        )
