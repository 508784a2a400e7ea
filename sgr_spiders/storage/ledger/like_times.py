"""Find out when likes and reposts were given.

Three things tell it: the times at which pages end (``Boundaries``), the upload of the track, and the last
look at the list. ``upserts.upsert_engagements`` combines what the lists of a user and of a track say.
docs/like_times.md describes the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from sgr_spiders.model.items import Boundaries, Engagement, Track
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import intervals
from sgr_spiders.storage.prepared import CompiledStatement, LookupStatement
from sgr_spiders.storage.schema import engagements, tracks, walk_pages, walk_records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.model.items import Entry, Page

DELAY = timedelta(hours=1)
"""The delay with which a like may appear in a list; users report minutes."""


@dataclass(frozen=True, slots=True)
class LikeList:
    """A list of the items that an ``owner`` likes or reposts, or is liked or reposted by."""

    kind: Literal["like", "repost"]
    owner: Literal["user_id", "track_id"]

    @property
    def item(self) -> Literal["user_id", "track_id"]:
        """The column of the items of the list."""
        return "track_id" if self.owner == "user_id" else "user_id"

    @property
    def item_kind(self) -> Literal["user", "track"]:
        """The kind of these items."""
        return "track" if self.owner == "user_id" else "user"


LIKE_LISTS: Mapping[str, LikeList] = {
    "user_likes": LikeList("like", "user_id"),
    "user_reposts": LikeList("repost", "user_id"),
    "track_favoriters": LikeList("like", "track_id"),
    "track_reposters": LikeList("repost", "track_id"),
}

_FORGET_END = {
    listed: CompiledStatement(
        sa.update(engagements)
        .where(
            engagements.c[listed.owner] == sa.bindparam("list"),
            engagements.c[listed.item] == sa.bindparam("first"),
            engagements.c.kind == listed.kind,
        )
        .values(not_after=None)
    )
    for listed in LIKE_LISTS.values()
}
_PAGE = sa.and_(
    walk_pages.c.walk_id == sa.bindparam("walk"),
    walk_pages.c.generation == sa.bindparam("generation"),
    walk_pages.c.page == sa.bindparam("number"),
)
_PLACES = LookupStatement(
    sa.select(
        walk_records.c.record_id,
        walk_records.c.generation,
        walk_records.c.position,
        walk_records.c.removed_at,
    ).where(
        walk_records.c.walk_id == sa.bindparam("walk"),
        walk_records.c.kind == sa.bindparam("kind"),
    ),
    walk_records.c.record_id,
)
_BOUNDARY = CompiledStatement(sa.select(walk_pages.c.boundary_at).where(_PAGE))
_FETCHED = CompiledStatement(sa.select(walk_pages.c.fetched_at).where(_PAGE))
_UPLOADED = CompiledStatement(
    sa.select(tracks.c.created_at).where(tracks.c.track_id == sa.bindparam("track"))
)


def note_times(
    connection: sa.Connection, page: Page, state: sa.Row[Any], entries: Sequence[Entry], now: str
) -> str | None:
    """Set the intervals of the engagements of *entries*, which the walk did not see on earlier pages.

    Return the time at which the page ends, if it is to be stored.
    """
    boundaries = page.boundaries
    if boundaries is None:
        return None
    listed = LIKE_LISTS.get(state.endpoint)
    uploads = [] if listed is None else _uploads(connection, state, listed, entries)
    latest = intervals.latest_time(boundaries, now)
    interval = intervals.of_page(boundaries, latest)
    is_trusted = _is_trusted(connection, boundaries, state)
    if is_trusted and intervals.count_later(uploads, interval, latest) > _most_odd(uploads):
        _forget(connection, state)
        is_trusted = False
    if not is_trusted:
        interval = intervals.Interval(None, latest)
    if listed is not None:
        arrived = _compare(connection, state, listed, entries) if is_trusted and state.generation else {}
        for entry, created_at in zip(entries, uploads, strict=True):
            if isinstance(entry.link, Engagement):
                given = intervals.since_upload(interval, created_at, latest)
                if (since := arrived.get(entry.record.record_id)) is not None:
                    given = given.not_before_time(since)
                entry.link.not_before, entry.link.not_after = given.not_before, given.not_after
    return timestamp(boundaries.at) if is_trusted and boundaries.at is not None else None


def _most_odd(uploads: Sequence[str | None]) -> int:
    """Return how many uploads of a page may be later than its likes; more show that its times are wrong."""
    return max(1, len(uploads) // 20)


def _is_trusted(connection: sa.Connection, boundaries: Boundaries, state: sa.Row[Any]) -> bool:
    """Return whether the list is newest first as far as its pages tell; if not, forget what they told."""
    if boundaries.before is not None and boundaries.at is not None and boundaries.at > boundaries.before:
        _forget(connection, state)
        return False
    if state.pages < 2:
        return True
    return (
        _BOUNDARY.execute(connection, _page_key(state, state.generation, state.pages - 1)).scalar()
        is not None
    )


def _page_key(state: sa.Row[Any], generation: int, number: int) -> dict[str, int]:
    return {"walk": state.walk_id, "generation": generation, "number": number}


def _forget(connection: sa.Connection, state: sa.Row[Any]) -> None:
    """Drop the boundaries of this look, and the intervals of what it has listed so far."""
    this_look = sa.and_(walk_pages.c.walk_id == state.walk_id, walk_pages.c.generation == state.generation)
    connection.execute(sa.update(walk_pages).where(this_look).values(boundary_at=None))
    if (listed := LIKE_LISTS.get(state.endpoint)) is not None:
        so_far = sa.select(walk_records.c.record_id).where(
            walk_records.c.walk_id == state.walk_id,
            walk_records.c.generation == state.generation,
            walk_records.c.kind == listed.item_kind,
        )
        among = _engaged(state, listed, engagements.c[listed.item].in_(so_far))
        widest = {"not_before": None, "not_after": engagements.c.last_seen_at}
        connection.execute(sa.update(engagements).where(among).values(widest))


def _engaged(state: sa.Row[Any], listed: LikeList, which: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the condition for the engagements of a list with *which* items."""
    owner = engagements.c[listed.owner] == int(state.target)
    return sa.and_(owner, engagements.c.kind == listed.kind, which)


def _uploads(
    connection: sa.Connection, state: sa.Row[Any], listed: LikeList, entries: Sequence[Entry]
) -> list[str | None]:
    """Return when the track of each entry was uploaded."""
    if listed.item_kind == "track":
        return [entry.record.created_at if isinstance(entry.record, Track) else None for entry in entries]
    uploaded = _UPLOADED.execute(connection, {"track": int(state.target)}).scalar()
    return [uploaded] * len(entries)


def _compare(
    connection: sa.Connection, state: sa.Row[Any], listed: LikeList, entries: Sequence[Entry]
) -> dict[int, str]:
    """Compare a page with the last looks at its list.

    Drop what intervals say of engagements that may have been taken back and given again. Return the earliest
    times of those that are new since the last look.
    """
    ids = list(dict.fromkeys(entry.record.record_id for entry in entries))
    places = _places(connection, state, listed, ids)
    changes = intervals.compare_order(ids, places, is_first_page=not state.pages)
    if changes.moved:
        again = _engaged(state, listed, engagements.c[listed.item].in_(changes.moved))
        unknown = {"not_before": None, "not_after": None}
        connection.execute(sa.update(engagements).where(again).values(unknown))
    if changes.first is None:
        return {}
    _FORGET_END[listed].execute(connection, {"list": int(state.target), "first": changes.first})
    if not changes.arrived:
        return {}
    looked = _FETCHED.execute(
        connection, _page_key(state, places[changes.first].generation, number=0)
    ).scalar()
    if looked is None:
        return {}
    since = timestamp(datetime.fromisoformat(looked) - DELAY)
    return dict.fromkeys(_were_visible(connection, state, listed, changes.arrived, looked), since)


def _places(
    connection: sa.Connection, state: sa.Row[Any], listed: LikeList, ids: Sequence[int]
) -> dict[int, intervals.Place]:
    """Return the places of those items that the walk has listed before."""
    here = {"walk": state.walk_id, "kind": listed.item_kind}
    rows = _PLACES.find(connection, ids, here)
    return {row[0]: intervals.Place(row[1], row[2], row[3] is not None) for row in rows}


def _were_visible(
    connection: sa.Connection, state: sa.Row[Any], listed: LikeList, ids: Sequence[int], looked: str
) -> set[int]:
    """Return the items that a look at the time *looked* would have listed.

    A track may have been private then, unless it was known. Who is known to like it otherwise did so before.
    """
    engaged = sa.select(engagements.c[listed.item]).where(
        _engaged(state, listed, engagements.c[listed.item].in_(ids))
    )
    visible = set(ids)
    if listed.item_kind == "track":
        known = sa.select(tracks.c.track_id).where(
            tracks.c.track_id.in_(ids),
            tracks.c.first_seen_at <= looked,
            tracks.c.removed_at.is_(None),
            sa.not_(tracks.c.is_stub),
        )
        visible = set(connection.scalars(known))
    return visible - set(connection.scalars(engaged))
