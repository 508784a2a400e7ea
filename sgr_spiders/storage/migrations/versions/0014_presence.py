"""Columns for what is present, what has been removed, and when.

The times of existing rows come from ``fetched_at`` and from the pages of the walks that list them. What an
earlier generation of a walk listed, and its last whole look did not, is marked as removed.
"""

# ruff: noqa: S608 - only constants of this file are put into statements

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

RECORDS = ("tracks", "users", "playlists", "comments")
TABLES = (*RECORDS, "playlist_tracks", "engagements")
ENGAGED = {
    "user_likes": ("like", "user_id", "track_id", "track"),
    "user_reposts": ("repost", "user_id", "track_id", "track"),
    "track_favoriters": ("like", "track_id", "user_id", "user"),
    "track_reposters": ("repost", "track_id", "user_id", "user"),
}
"""The lists that imply engagements: kind, column of the owner, column and kind of the listed records."""
OWNED = {"user_tracks": "track", "user_playlists": "playlist", "track_comments": "comment"}
"""The lists that contain all public records of their owner."""
LISTS = (*ENGAGED, *OWNED, "playlist_tracks")


def upgrade() -> None:
    """Add the columns, and fill them."""
    for table in TABLES:
        for name in ("first_seen_at", "last_seen_at", "removed_at", "removed_reason"):
            op.add_column(table, sa.Column(name, sa.Text(), nullable=True))
    op.add_column("playlist_tracks", sa.Column("next_position", sa.Integer(), nullable=True))
    op.add_column("walk_records", sa.Column("removed_at", sa.Text(), nullable=True))
    for name in ("last_seen_at", "removed_at"):
        op.add_column("selections", sa.Column(name, sa.Text(), nullable=True))
    connection = op.get_bind()
    for table in RECORDS:
        _execute(connection, f"UPDATE {table} SET first_seen_at = fetched_at, last_seen_at = fetched_at")
    _stamp_links(connection)
    for endpoint in LISTS:
        for walk in _whole_walks(connection, endpoint):
            _mark_left(connection, walk)
    _mark_gone(connection)


def _execute(
    connection: sa.Connection, statement: str, values: dict[str, Any] | None = None
) -> sa.CursorResult[Any]:
    return connection.execute(sa.text(statement), values or {})


def _stamp_links(connection: sa.Connection) -> None:
    """Set the times of links: those of the pages that listed them, else those of their records."""
    for endpoint in LISTS:
        looks = _execute(
            connection,
            "SELECT walks.walk_id AS walk, target, walk_pages.generation, max(fetched_at) AS seen "
            "FROM walk_pages JOIN walks ON walks.walk_id = walk_pages.walk_id WHERE endpoint = :endpoint "
            "GROUP BY walks.walk_id, target, walk_pages.generation ORDER BY seen",
            {"endpoint": endpoint},
        ).all()
        for look in looks:
            values = look._asdict() | {"target": int(look.target)}
            if (which := _links_of(endpoint)) is not None:
                listed = which.replace("$listed", "= :generation")
                table = "playlist_tracks" if endpoint == "playlist_tracks" else "engagements"
                _execute(
                    connection,
                    f"UPDATE {table} SET first_seen_at = coalesce(first_seen_at, :seen), last_seen_at = "
                    "CASE WHEN last_seen_at > :seen THEN last_seen_at ELSE :seen END "
                    f"WHERE {listed}",
                    values,
                )
    for table, parent, key in (
        ("playlist_tracks", "playlists", "playlist_id"),
        ("engagements", "tracks", "track_id"),
    ):
        seen = f"(SELECT fetched_at FROM {parent} WHERE {parent}.{key} = {table}.{key})"
        _execute(
            connection,
            f"UPDATE {table} SET first_seen_at = {seen}, last_seen_at = {seen} WHERE last_seen_at IS NULL",
        )


def _links_of(endpoint: str) -> str | None:
    """Return the condition of the links that a walk lists in generations that are ``$listed``."""
    records = (
        "(SELECT record_id FROM walk_records WHERE walk_id = :walk AND kind = '{}' AND generation $listed)"
    )
    if endpoint == "playlist_tracks":
        return "playlist_id = :target AND track_id IN " + records.format("track")
    if endpoint not in ENGAGED:
        return None
    kind, owner, listed, record = ENGAGED[endpoint]
    return f"{owner} = :target AND kind = '{kind}' AND {listed} IN " + records.format(record)


def _whole_walks(connection: sa.Connection, endpoint: str) -> list[dict[str, Any]]:
    rows = _execute(
        connection,
        "SELECT walk_id AS walk, endpoint, target, generation, started_at, finished_at AS at FROM walks "
        "WHERE endpoint = :endpoint AND status = 'done' AND generation > 0",
        {"endpoint": endpoint},
    )
    return [row._asdict() | {"target": int(row.target)} for row in rows]


def _mark_left(connection: sa.Connection, walk: dict[str, Any]) -> None:
    endpoint = walk.pop("endpoint")
    walk["started"] = walk.pop("started_at") or walk["at"]
    left = "walk_id = :walk AND generation < :generation"
    removed = "removed_at = :at, removed_reason = "
    unseen = "removed_at IS NULL AND last_seen_at < :started"
    if (which := _links_of(endpoint)) is not None:
        table = "playlist_tracks" if endpoint == "playlist_tracks" else "engagements"
        listed = which.replace("$listed", "< :generation")
        _execute(connection, f"UPDATE {table} SET {removed} 'left_list' WHERE {listed} AND {unseen}", walk)
    if endpoint in OWNED:
        kind = OWNED[endpoint]
        _execute(
            connection,
            f"UPDATE {kind}s SET {removed} 'owner_removed' WHERE {kind}_id IN "
            f"(SELECT record_id FROM walk_records WHERE {left} AND kind = '{kind}') AND {unseen}",
            walk,
        )
    if endpoint == "user_playlists":
        # A playlist was listed with its tracks, so a track that no playlist of the list contains has left.
        _execute(
            connection,
            f"UPDATE playlist_tracks SET {removed} 'left_list' WHERE playlist_id IN (SELECT record_id FROM "
            "walk_records WHERE walk_id = :walk AND kind = 'playlist' AND generation = :generation) AND "
            f"track_id IN (SELECT record_id FROM walk_records WHERE {left} AND kind = 'track') "
            "AND removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM walks JOIN walk_records ON "
            "walk_records.walk_id = walks.walk_id WHERE walks.endpoint = 'playlist_tracks' AND "
            "walks.target = CAST(playlist_tracks.playlist_id AS TEXT) AND walk_records.kind = 'track' "
            "AND walk_records.record_id = playlist_tracks.track_id "
            "AND walk_records.generation = walks.generation)",
            walk,
        )
    _execute(connection, f"UPDATE walk_records SET removed_at = :at WHERE {left}", walk)


def _mark_gone(connection: sa.Connection) -> None:
    """Mark records that the API did not find or called private, and the links of all removed ones."""
    for kind in ("track", "user", "playlist"):
        _execute(
            connection,
            f"UPDATE {kind}s SET removed_at = walks.finished_at, removed_reason = "
            "CASE WHEN walks.reason = 'private' OR walks.reason LIKE 'HTTP 403%' THEN 'private' "
            "ELSE 'gone' END "
            f"FROM walks WHERE walks.endpoint = '{kind}' AND walks.status = 'gone' AND NOT walks.doubted "
            f"AND {kind}s.{kind}_id = CAST(walks.target AS BIGINT) AND walks.reason NOT LIKE 'refused: %' "
            f"AND {kind}s.last_seen_at < walks.finished_at",
        )
    for links, kind in (
        ("engagements", "track"),
        ("playlist_tracks", "track"),
        ("comments", "track"),
        ("engagements", "user"),
        ("comments", "user"),
        ("playlist_tracks", "playlist"),
    ):
        key = f"{kind}_id"
        _execute(
            connection,
            f"UPDATE {links} SET removed_at = r.removed_at, removed_reason = r.removed_reason "
            f"FROM {kind}s AS r WHERE r.{key} = {links}.{key} AND r.removed_at IS NOT NULL "
            f"AND {links}.removed_at IS NULL",
        )
    _execute(
        connection,
        "UPDATE engagements SET removed_at = c.removed_at, removed_reason = c.removed_reason "
        "FROM comments AS c WHERE engagements.kind = 'comment' AND engagements.removed_at IS NULL "
        "AND c.removed_at IS NOT NULL "
        "AND c.user_id = engagements.user_id AND c.track_id = engagements.track_id AND NOT EXISTS (SELECT 1 "
        "FROM comments AS o WHERE o.user_id = engagements.user_id AND o.track_id = engagements.track_id "
        "AND o.removed_at IS NULL)",
    )
