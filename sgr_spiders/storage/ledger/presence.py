"""Mark what has left its list, and what is gone or private.

Only a whole look at a list tells what has left it: a walk that ends ``done``. What it listed in an earlier
generation and not in this one is marked in the transaction that ends it, unless it was seen elsewhere
meanwhile. Records that are gone are marked at the end of a run, when nothing is doubted any more.

A removed record takes its links along, so that readers need no joins: its engagements, its places in
playlists, its comments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from sgr_spiders.model.items import PRIVATE, REFUSED
from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.ledger.like_times import LIKE_LISTS
from sgr_spiders.storage.retention.pseudonyms import FIRST
from sgr_spiders.storage.schema import (
    RECORD_TABLES,
    comments,
    engagements,
    playlist_tracks,
    playlists,
    runs,
    tracks,
    walk_records,
    walks,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sgr_spiders.storage.ledger.runs import Run
    from sgr_spiders.storage.store import Connection

Reason = Literal["left_list", "owner_removed", "gone", "private", "blocked"]


OWNED = {
    "user_tracks": "track",
    "user_playlists": "playlist",
    "track_comments": "comment",
    "track_page": "comment",
}
"""The lists that contain all public records of their owner, with the kind of these records."""
LOOKUPS = {"tracks_by_id": "track", "users_by_id": "user"}
"""The endpoints that tell which of many records there are, with the kind of these."""
_SINGLE = ("track", "user", "playlist")
"""The endpoints that return one record, named like its kind."""
_LISTS_OF = {
    "track": ("track_favoriters", "track_reposters", "track_comments", "track_related"),
    "user": ("user_tracks", "user_likes", "user_reposts", "user_playlists"),
    "playlist": ("playlist_tracks",),
}
"""The lists of one record, by its kind: the API answers 404 if it is gone."""


def note_end(connection: Connection, walk: sa.Row[Any], status: str, run: Run, now: str) -> None:
    """Mark what has left the list of *walk*, as it was before the page that ends it with *status*.

    Only a look at the whole list tells that, and a look up to a cap only the places of a playlist's tracks.
    """
    if status == "done":
        _note_whole(connection, walk, run, now)
    elif status == "capped" and walk.endpoint == "playlist_tracks":
        _note_capped_playlist(connection, walk)


def _note_whole(connection: Connection, walk: sa.Row[Any], run: Run, now: str) -> None:
    if walk.endpoint in LOOKUPS:
        _note_looked_up(connection, walk, run, now)
        return
    if walk.endpoint == "playlist_tracks":
        _finish_playlist(connection, walk, now)
    if not walk.generation:
        return
    left = _take_off_list(connection, walk, now)
    if (engaged := LIKE_LISTS.get(walk.endpoint)) is not None:
        ids = left.get(engaged.item_kind, [])
        link = sa.and_(
            engagements.c[engaged.owner] == int(walk.target),
            engagements.c.kind == engaged.kind,
            engagements.c.last_seen_at < walk.started_at,
        )
        _mark(connection, engagements.c[engaged.item], ids, _removed("left_list", now), link)
    owned = OWNED.get(walk.endpoint)
    if owned is not None:
        # Cached records are not written again during a run.
        since = min(walk.started_at, run.started_at)
        remove(connection, owned, left.get(owned, ()), "owner_removed", now, since)


def _note_capped_playlist(connection: Connection, walk: sa.Row[Any]) -> None:
    """Move the tracks of a playlist that *walk* has seen up to its cap to their new places."""
    here = playlist_tracks.c.playlist_id == int(walk.target)
    seen = connection.scalar(sa.select(sa.func.max(playlist_tracks.c.next_position)).where(here))
    if seen is None:
        return
    unseen = sa.and_(here, playlist_tracks.c.next_position.is_(None))
    among = sa.and_(unseen, playlist_tracks.c.position <= seen)
    if connection.scalar(sa.select(sa.literal(1)).where(among).limit(1)) is not None:
        # They may have moved beyond the cap, or left.
        behind = playlist_tracks.c.position + seen + 1
        connection.execute(sa.update(playlist_tracks).where(unseen).values(position=behind))
    _move_to_new_places(connection, here)


def note_begin(connection: Connection, walk: sa.Row[Any]) -> None:
    """Forget the places of a playlist's tracks that an earlier look of *walk* has not finished."""
    if walk.endpoint != "playlist_tracks" or walk.pages:
        return
    noted = sa.and_(
        playlist_tracks.c.playlist_id == int(walk.target), playlist_tracks.c.next_position.is_not(None)
    )
    connection.execute(sa.update(playlist_tracks).where(noted).values(next_position=None))


def note_whole_playlists(connection: Connection, ids: Collection[int], now: str) -> None:
    """Mark the tracks that playlists listed whole *now* do not contain any more."""
    if not ids:
        return
    unseen = playlist_tracks.c.last_seen_at < now
    _mark(connection, playlist_tracks.c.playlist_id, ids, _removed("left_list", now), unseen)


def note_certain(connection: Connection, ids: Sequence[int], run: Run, now: str) -> None:
    """Mark what has left the lists of walks that ended with an empty page, and are not doubted any more.

    Lists without any item wait for the end of the run, which may not believe that so many are empty.
    """
    is_certain = sa.or_(walks.c.received > 0, walks.c.endpoint.in_(LOOKUPS))
    ended = sa.select(walks).where(walks.c.walk_id.in_(ids), walks.c.status == "done", is_certain)
    for walk in connection.execute(ended).all():
        _note_whole(connection, walk, run, now)


def note_private(connection: Connection, found: Collection[tuple[str, int]], now: str) -> None:
    """Mark stored records (kind, ID) that the API now says are private."""
    for kind in RECORD_TABLES:
        ids = [record_id for of, record_id in found if of == kind]
        remove(connection, kind, ids, "private", now, now)


def note_believed(connection: Connection, run: Run, now: str) -> None:
    """Mark what walks that ended without data tell, if it is not doubted any more.

    These are the records that are gone or private, the owners of lists that are gone, and the contents of
    lists that are empty now.
    """
    for kind in _SINGLE:
        for why, ids in _missing(connection, kind).items():
            remove(connection, kind, ids, why, now, now)
            if kind == "user" and why == "gone":
                _remove_uploads(connection, ids, run, now)
    for walk in connection.execute(_emptied()).all():
        _note_whole(connection, walk, run, now)


def remove(
    connection: Connection, kind: str, ids: Collection[int], reason: Reason, now: str, seen_before: str
) -> list[int]:
    """Mark records that were last seen before *seen_before*, and their links, as removed.

    Return the IDs of those that were present.
    """
    if not ids:
        # Building the statements for nothing would take a tenth of the CPU time of each page.
        return []
    table = RECORD_TABLES[kind]
    (key,) = table.primary_key.columns
    unseen = table.c.last_seen_at < seen_before
    removed = _mark(connection, key, ids, _removed(reason, now), unseen)
    _mark_links(connection, kind, removed, reason, now)
    return removed


_LINKS = {
    "track": (engagements, playlist_tracks, comments),
    "user": (engagements, comments),
    "playlist": (playlist_tracks,),
}
"""The tables of links that a removed record takes along, by its kind."""


def vanished(connection: Connection, kind: str, since: str) -> list[int]:
    """Return the records of *kind* that left a list after *since* and were not seen elsewhere.

    Neither in the run in which they left it, nor later.
    """
    table = RECORD_TABLES[kind]
    (key,) = table.primary_key.columns

    def left(time: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        return sa.and_(time >= since, table.c.last_seen_at < _start_of_run(time))

    listed = walk_records.c.record_id == key, walk_records.c.kind == kind
    has_left: sa.ColumnElement[bool] = sa.exists().where(*listed, left(walk_records.c.removed_at))
    if kind == "track":
        place = playlist_tracks.c.track_id == key
        has_left = has_left | sa.exists().where(place, left(playlist_tracks.c.removed_at))
    unknown = sa.or_(
        table.c.removed_at.is_(None),
        sa.and_(table.c.removed_at >= since, table.c.removed_reason == "owner_removed"),
    )
    # The API knows no pseudonyms.
    real = key < FIRST if kind == "user" else sa.true()
    return list(connection.scalars(sa.select(key).where(unknown, has_left, real).order_by(key)))


def _start_of_run(time: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Return the expression for the start of the run that was at work at a time."""
    return sa.select(sa.func.max(runs.c.started_at)).where(runs.c.started_at <= time).scalar_subquery()


def _remove_uploads(connection: Connection, user_ids: Collection[int], run: Run, now: str) -> None:
    """Mark the tracks and playlists of users that are gone, unless the run has seen them."""
    for kind, owner in (("playlist", playlists.c.owner_id), ("track", tracks.c.artist_id)):
        (key,) = RECORD_TABLES[kind].primary_key.columns
        for chunk in chunked(user_ids):
            ids = list(connection.scalars(sa.select(key).where(owner.in_(chunk))))
            remove(connection, kind, ids, "gone", now, run.started_at)


def _note_looked_up(connection: Connection, walk: sa.Row[Any], run: Run, now: str) -> None:
    """Mark the records that *walk* looked up and did not find as gone; those that it found are there."""
    kind = LOOKUPS[walk.endpoint]
    table = RECORD_TABLES[kind]
    (key,) = table.primary_key.columns
    ids = list(map(int, walk.target.split(",")))
    gone = remove(connection, kind, ids, "gone", now, walk.started_at)
    if kind == "user":
        _remove_uploads(connection, gone, run, now)
    else:
        _note_blocked(connection, ids, run)
    for chunk in chunked(sorted(ids)):
        unseen = sa.and_(key.in_(chunk), table.c.last_seen_at < walk.started_at)
        removed_before = sa.and_(unseen, table.c.removed_reason == "owner_removed")
        connection.execute(sa.update(table).where(removed_before).values(removed_reason="gone"))
        found = sa.select(key).where(key.in_(chunk), table.c.removed_at.is_(None))
        for links in _LINKS[kind]:
            back = sa.and_(links.c[key.name].in_(found), links.c.removed_reason == "owner_removed")
            if links is playlist_tracks:
                removed = sa.select(playlists.c.playlist_id).where(playlists.c.removed_at.is_not(None))
                back &= links.c.playlist_id.not_in(removed)
            connection.execute(sa.update(links).where(back).values(removed_at=None, removed_reason=None))


def _note_blocked(connection: Connection, track_ids: Collection[int], run: Run) -> None:
    """Mark links that left their lists in this run as blocked if their track is."""
    for chunk in chunked(sorted(track_ids)):
        blocked = sa.select(tracks.c.track_id).where(
            tracks.c.track_id.in_(chunk), tracks.c.access == "blocked", tracks.c.removed_at.is_(None)
        )
        for links in (engagements, playlist_tracks):
            left = sa.and_(
                links.c.track_id.in_(blocked),
                links.c.removed_reason == "left_list",
                links.c.removed_at >= run.started_at,
            )
            connection.execute(sa.update(links).where(left).values(removed_reason="blocked"))


def _take_off_list(connection: Connection, walk: sa.Row[Any], now: str) -> dict[str, list[int]]:
    """Mark the records that earlier generations of *walk* list, and return their IDs by kind."""
    left: dict[str, list[int]] = {}
    rows = connection.execute(
        sa.update(walk_records)
        .where(
            walk_records.c.walk_id == walk.walk_id,
            walk_records.c.generation < walk.generation,
            walk_records.c.removed_at.is_(None),
        )
        .values(removed_at=now)
        .returning(walk_records.c.kind, walk_records.c.record_id)
    )
    for kind, record_id in rows:
        left.setdefault(kind, []).append(record_id)
    return left


def _mark_links(connection: Connection, kind: str, ids: Sequence[int], reason: Reason, now: str) -> None:
    if kind == "comment":
        _mark_commenters(connection, ids, reason, now)
        return
    key = f"{kind}_id"
    for links in _LINKS[kind]:
        _mark(connection, links.c[key], ids, _removed(reason, now))


def _mark_commenters(connection: Connection, ids: Sequence[int], reason: Reason, now: str) -> None:
    """Mark the engagements of authors none of whose comments on a track is left."""
    other = comments.alias()
    still = sa.exists().where(
        other.c.track_id == engagements.c.track_id,
        other.c.user_id == engagements.c.user_id,
        other.c.removed_at.is_(None),
    )
    for chunk in chunked(sorted(ids)):
        authors = sa.select(comments.c.user_id, comments.c.track_id).where(comments.c.comment_id.in_(chunk))
        for user_id, track_id in connection.execute(authors.distinct()).all():
            which = sa.and_(
                engagements.c.user_id == user_id,
                engagements.c.track_id == track_id,
                engagements.c.kind == "comment",
                engagements.c.removed_at.is_(None),
                sa.not_(still),
            )
            connection.execute(sa.update(engagements).where(which).values(_removed(reason, now)))


def _mark(
    connection: Connection,
    column: sa.Column[Any],
    ids: Collection[int],
    removed: Mapping[str, str],
    which: sa.ColumnElement[bool] | None = None,
) -> list[int]:
    """Mark the present rows whose *column* is among *ids* as *removed*; return these values of them."""
    marked: list[int] = []
    table = column.table
    for chunk in chunked(sorted(ids)):
        present = sa.and_(column.in_(chunk), table.c.removed_at.is_(None))
        rows = connection.scalars(
            sa.update(table)
            .where(present if which is None else sa.and_(present, which))
            .values(removed)
            .returning(column)
        )
        marked.extend(rows)
    return marked


def _removed(reason: Reason, now: str) -> dict[str, str]:
    return {"removed_at": now, "removed_reason": reason}


def _finish_playlist(connection: Connection, walk: sa.Row[Any], now: str) -> None:
    ids = [int(walk.target)]
    unseen = playlist_tracks.c.last_seen_at < walk.started_at
    _mark(connection, playlist_tracks.c.playlist_id, ids, _removed("left_list", now), unseen)
    _move_to_new_places(connection, playlist_tracks.c.playlist_id.in_(ids))


def _move_to_new_places(connection: Connection, here: sa.ColumnElement[bool]) -> None:
    noted = sa.and_(here, playlist_tracks.c.next_position.is_not(None))
    connection.execute(
        sa.update(playlist_tracks)
        .where(noted)
        .values(position=playlist_tracks.c.next_position, next_position=None)
    )


def _missing(connection: Connection, kind: str) -> dict[Reason, list[int]]:
    """Return the records of *kind* that are stored as present and that the API does not show any more.

    A list that is gone tells that its owner is, unless the run that asked for it saw the owner elsewhere.
    """
    table = RECORD_TABLES[kind]
    (key,) = table.primary_key.columns
    # An interrupted run is continued by another one.
    asked_at = sa.case((walks.c.generation == 0, walks.c.created_at), else_=walks.c.started_at)
    itself = sa.and_(walks.c.endpoint == kind, table.c.last_seen_at < walks.c.finished_at)
    list_of_it = sa.and_(
        walks.c.endpoint.in_(_LISTS_OF[kind]),
        walks.c.reason.startswith("HTTP 404"),
        table.c.last_seen_at < _start_of_run(asked_at),
    )
    query = (
        sa.select(key, walks.c.reason)
        .join_from(walks, table, key == sa.cast(walks.c.target, key.type))
        .where(
            walks.c.status == "gone",
            walks.c.endpoint.in_((kind, *_LISTS_OF[kind])),
            sa.not_(walks.c.doubted),
            sa.not_(sa.func.coalesce(walks.c.reason, "").startswith(REFUSED)),
            table.c.removed_at.is_(None),
            sa.or_(itself, list_of_it),
        )
    )
    found: dict[Reason, list[int]] = {}
    for record_id, reason in connection.execute(query):
        found.setdefault(_reason_of(reason or ""), []).append(record_id)
    return found


def _emptied() -> sa.Select[Any]:
    """Return the query of the lists that are empty, and were not in an earlier generation."""
    listed = sa.exists().where(
        walk_records.c.walk_id == walks.c.walk_id,
        walk_records.c.generation < walks.c.generation,
        walk_records.c.removed_at.is_(None),
    )
    return sa.select(walks).where(
        walks.c.status == "done",
        walks.c.received == 0,
        walks.c.generation > 0,
        sa.not_(walks.c.doubted),
        listed,
    )


def _reason_of(reason: str) -> Reason:
    return "private" if reason == PRIVATE or reason.startswith("HTTP 403") else "gone"
