"""Counts of what has appeared and what was removed since a time, by kind and around which seed.

A change is known from the stamps of a row: the last one of each row since that time. A record that was away
and came back is as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.storage.schema import (
    RECORD_TABLES,
    comments,
    engagements,
    playlist_tracks,
    playlists,
    runs,
    selections,
    tracks,
    users,
    walk_records,
    walk_requests,
    walks,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.storage.store import Connection

APPEARED = "appeared"
CHANGES = (APPEARED, "left_list", "owner_removed", "gone", "private", "blocked")
"""The changes: appeared, or one of the reasons in ``removed_reason``."""

RECORDS = tuple(RECORD_TABLES)
LINKS = ("like", "repost", "playlist_track")
KINDS = (*RECORDS, *LINKS)
"""The kinds that change. Engagements of the kind ``comment`` are left out, as comments are records."""

TITLES = {
    "track": tracks.c.title,
    "user": users.c.username,
    "playlist": playlists.c.title,
    "comment": comments.c.body,
}
"""The title, name or text of each kind of record."""

Counts = dict[tuple[str, str], int]
"""Numbers of rows, by kind and change."""


@dataclass(frozen=True, slots=True)
class ChangedRecord:
    """A record or link that changed. ``other_id`` is the track of a like, repost or place in a playlist."""

    kind: str
    record_id: int
    other_id: int | None
    change: str
    at: str
    title: str | None


def start_of_run(connection: Connection, run_id: int | None) -> tuple[int, str] | None:
    """Return ID and start of a run, ``None`` if there is none; without *run_id* of the newest one."""
    which = sa.true() if run_id is None else runs.c.run_id == run_id
    row = connection.execute(
        sa.select(runs.c.run_id, runs.c.started_at).where(which).order_by(runs.c.run_id.desc()).limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def end_of_run(connection: Connection, run_id: int) -> str | None:
    """Return the end of a run; ``None`` if it is running or was killed."""
    return connection.scalar(sa.select(runs.c.finished_at).where(runs.c.run_id == run_id))


def has_refetched(connection: Connection, since: str) -> bool:
    """Return whether any list was looked at again since that time; otherwise all that is new appeared."""
    again = sa.select(sa.literal(1)).where(walks.c.generation > 0, walks.c.finished_at >= since).limit(1)
    return connection.scalar(again) is not None


def count_changes(connection: Connection, since: str) -> Counts:
    """Count the rows that changed since that time."""
    counts: Counts = {}
    for kind in KINDS:
        changed = _changed(kind, since).subquery()
        rows = connection.execute(sa.select(changed.c.change, sa.func.count()).group_by(changed.c.change))
        counts |= {(kind, row[0]): row[1] for row in rows}
    return counts


def count_around_seeds(connection: Connection, since: str) -> dict[int, Counts]:
    """Count the records that changed since that time around each seed, and the links of these records.

    Likes and reposts are around the seeds of their user, places around those of their playlist.
    """
    counts: dict[int, Counts] = {}
    for kind in KINDS:
        changed = _changed(kind, since).subquery()
        found = _found_around(_owner_kind(kind)).subquery()
        rows = connection.execute(
            sa.select(found.c.seed_id, changed.c.change, sa.func.count())
            .join(found, found.c.record_id == changed.c.record_id)
            .group_by(found.c.seed_id, changed.c.change)
        )
        for seed_id, change, count in rows:
            counts.setdefault(seed_id, {})[kind, change] = count
    return counts


def list_changes(connection: Connection, since: str, limit: int) -> list[ChangedRecord]:
    """Return the last *limit* changes of each kind since that time, newest first, records before links."""
    return [
        ChangedRecord(kind, *row)
        for kind in KINDS
        for row in connection.execute(_named(kind, _changed(kind, since).subquery()).limit(limit))
    ]


def titles_of(connection: Connection, seed_ids: Sequence[int]) -> dict[int, str | None]:
    """Return the titles of tracks."""
    rows = connection.execute(
        sa.select(tracks.c.track_id, tracks.c.title).where(tracks.c.track_id.in_(seed_ids))
    )
    return {row[0]: row[1] for row in rows}


def _changed(kind: str, since: str) -> sa.Select[Any]:
    """Return the query of the rows of *kind* that changed: IDs, ``change``, and ``at``, its time."""
    if kind in RECORD_TABLES:
        table = RECORD_TABLES[kind]
        (key,) = table.primary_key.columns
        other: sa.ColumnElement[Any] = sa.null()
        which = sa.not_(table.c.is_stub) if "is_stub" in table.c else sa.true()
    elif kind == "playlist_track":
        table, key, other = playlist_tracks, playlist_tracks.c.playlist_id, playlist_tracks.c.track_id
        which = sa.true()
    else:
        table, key, other = engagements, engagements.c.user_id, engagements.c.track_id
        which = engagements.c.kind == kind
    is_present = table.c.removed_at.is_(None)
    return sa.select(
        key.label("record_id"),
        other.label("other_id"),
        sa.case((is_present, APPEARED), else_=table.c.removed_reason).label("change"),
        sa.func.coalesce(table.c.removed_at, table.c.first_seen_at).label("at"),
    ).where(
        which,
        sa.or_(table.c.removed_at >= since, sa.and_(is_present, table.c.first_seen_at >= since)),
    )


def _owner_kind(kind: str) -> str:
    return {"like": "user", "repost": "user", "playlist_track": "playlist"}.get(kind, kind)


def _found_around(kind: str) -> sa.CompoundSelect[Any]:
    """Return the query of the records of *kind* that were ever found around a seed."""
    listed = (
        sa.select(walk_records.c.record_id, walk_requests.c.seed_id)
        .join(walk_requests, walk_requests.c.walk_id == walk_records.c.walk_id)
        .where(
            walk_records.c.kind == kind,
            walk_records.c.position < walk_requests.c.widest,
            sa.not_(walk_requests.c.selective),
        )
    )
    selected = sa.select(selections.c.record_id, selections.c.seed_id).where(selections.c.kind == kind)
    return sa.union(listed, selected)


def _named(kind: str, changed: sa.Subquery) -> sa.Select[Any]:
    """Return the query of the *changed* rows with the title or name of each, newest first."""
    named = changed.c.record_id if kind in RECORD_TABLES else changed.c.other_id
    record = kind if kind in RECORD_TABLES else "track"
    table = RECORD_TABLES[record]
    (key,) = table.primary_key.columns
    return (
        sa.select(changed, TITLES[record])
        .outerjoin(table, key == named)
        .order_by(changed.c.at.desc(), changed.c.record_id, changed.c.other_id)
    )
