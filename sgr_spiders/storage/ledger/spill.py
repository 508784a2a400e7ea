"""Spill a page: its records, their positions in the walk, and the walk's new cursor.

The caller owns the transaction, so that new walks that follow from the page are committed with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.items import Comment, PageSize, Playlist, PlaylistTrack
from sgr_spiders.storage import records, schema, upserts
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import (
    counters,
    frontier,
    heads,
    like_times,
    playlist_caps,
    presence,
    progress,
)
from sgr_spiders.storage.ledger.forgotten import drop_forgotten
from sgr_spiders.storage.prepared import CompiledStatement, LookupStatement
from sgr_spiders.storage.schema import walk_pages, walk_records, walks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sgr_spiders.model.items import Entry, Page, Walk
    from sgr_spiders.storage.ledger.runs import Run

_STANDS_HERE = sa.and_(
    walks.c.walk_id == sa.bindparam("here"),
    walks.c.cursor == sa.bindparam("at"),
    walks.c.status == "running",
    walks.c.worker_id == sa.bindparam("leased_to"),
)
"""The fence: the walk is still leased to this worker, and its cursor is still that of the page."""
_MOVED = (
    "cursor", "pages", "received", "kept", "empty_pages", "status", "reason", "capped_at", "finished_at",
    "run_id", "worker_id", "setbacks", "doubted", "page_limit", "without_tracks", "looked", "whole_at",
    "newest_first", "counted", "neighbours", "known_to",
)  # fmt: skip
"""The columns of a walk that a page changes."""
_LOCK = CompiledStatement(
    sa.select(walks, frontier.LARGEST_CAP.label("largest_cap"), frontier.SEED_CAP.label("seed_cap"))
    .where(_STANDS_HERE)
    .with_for_update()
)
_MOVE = CompiledStatement(
    sa.update(walks).where(_STANDS_HERE).values({name: sa.bindparam(f"new_{name}") for name in _MOVED})
)
_HAS_PAGES_SINCE = CompiledStatement(
    sa.select(sa.literal(1))
    .where(
        walk_pages.c.walk_id == sa.bindparam("walk"),
        walk_pages.c.generation == sa.bindparam("generation"),
        walk_pages.c.fetched_at >= sa.bindparam("since"),
    )
    .limit(1)
)
_PLACED = ("walk_id", "kind", "record_id", "position", "generation")
"""The columns of ``walk_records`` that a page writes."""
_PLACES = LookupStatement(
    sa.select(walk_records.c.record_id, walk_records.c.position).where(
        walk_records.c.walk_id == sa.bindparam("walk"),
        walk_records.c.kind == sa.bindparam("kind"),
        walk_records.c.generation == sa.bindparam("generation"),
    ),
    walk_records.c.record_id,
)


@dataclass(frozen=True, slots=True)
class Spilled:
    """The result of spilling a page.

    Attributes:
        walk: The walk at its new cursor; ``None`` if it has ended.
        status: The walk's new status.
        reason: The reason of that status.
        entries: The entries within the cap.
        doubted: Whether the walk ended without data, although there should have been some, or more.
        had_data: Whether it had data when it was last fetched.
        has_restarted: Whether the API refused the walk's cursor, so that it begins again at page 1.
    """

    walk: Walk | None
    status: str
    reason: str | None
    entries: list[Entry]
    doubted: bool = False
    had_data: bool = False
    has_restarted: bool = False


@dataclass(slots=True)
class _Selection:
    """The entries of a page within the cap, and their positions."""

    entries: list[Entry]
    places: list[int]
    added: int
    cut: int
    order: heads.Order
    is_news: bool
    """True if the walk had not seen all of these; unlike a cap, it counts comments and rejects, too."""


def spill_page(connection: sa.Connection, page: Page, run: Run) -> Spilled | None:
    """Write *page*; return ``None`` without writing if its walk has moved since the page was requested."""
    fence = {"here": page.walk.walk_id, "at": page.walk.cursor, "leased_to": run.worker_id}
    state = _LOCK.execute(connection, fence).one_or_none()
    if state is None:
        return None
    if page.status == "planned":
        return _set_back(connection, page, state)
    if page.is_too_large:
        return _resize(connection, page, state, fence)
    drop_forgotten(connection, page)
    now = timestamp()
    presence.note_private(connection, page.private, now)
    if _is_outdated(connection, page, state, run):
        return _restart(connection, page, state, now)
    presence.note_begin(connection, state)
    cap = max((cap for cap in (state.largest_cap, state.seed_cap) if cap is not None), default=None)
    selection = _select(connection, page, state, cap)
    whole = list(_listed_whole(selection.entries))
    left_out = _cut_playlists(connection, page, selection)
    boundary = like_times.note_times(connection, page, state, list(_first_seen(selection, state)), now)
    records.write_entries(connection, selection.entries, page.known, now)
    playlist_caps.write_leftovers(connection, selection.entries, left_out, now)
    presence.note_whole_playlists(connection, whole, now)
    _write_places(connection, page, state, selection)
    _write_rejects(connection, page, state)
    _write_page(connection, page, state, now, boundary)
    change = _next_state(connection, page, state, selection, cap, now)
    _move(connection, page, fence, change)
    if not change["doubted"]:
        presence.note_end(connection, state, change["status"], run, now)
    next_walk = None
    if change["status"] == "running":
        where = {name: change[name] for name in ("cursor", "pages", "received")}
        next_walk = replace(page.walk, **where, setbacks=0, size=_size_after(page, state))
    return Spilled(
        next_walk,
        change["status"],
        change["reason"],
        selection.entries,
        doubted=change["doubted"],
        had_data=(state.kept_before or 0) > 0,
    )


def _set_back(connection: sa.Connection, page: Page, state: sa.Row[Any]) -> Spilled:
    """Return the walk to the ledger; it is fetched after the others."""
    connection.execute(
        sa.update(walks)
        .where(walks.c.walk_id == page.walk.walk_id)
        .values(status="planned", run_id=None, worker_id=None, setbacks=state.setbacks + 1)
    )
    return Spilled(None, "planned", page.reason, [])


def _is_outdated(connection: sa.Connection, page: Page, state: sa.Row[Any], run: Run) -> bool:
    """Return whether the page is a refused cursor, and the walk has not begun again in *run* because of one.

    Only then does its previous generation have a page of this run: the refused one.
    """
    if not page.is_refusal or not page.walk.cursor:
        return False
    before = {"walk": state.walk_id, "generation": state.generation - 1, "since": run.started_at}
    return _HAS_PAGES_SINCE.execute(connection, before).scalar() is None


def _restart(connection: sa.Connection, page: Page, state: sa.Row[Any], now: str) -> Spilled:
    _write_page(connection, page, state, now)
    this = walks.c.walk_id == state.walk_id
    frontier.begin_anew(connection, this, status="running", started_at=now)
    walk = replace(page.walk, cursor="", pages=0, received=0, size=PageSize())
    kept = state.kept if state.kept_before is None else state.kept_before
    return Spilled(walk, "running", None, [], had_data=kept > 0, has_restarted=True)


def _resize(connection: sa.Connection, page: Page, state: sa.Row[Any], fence: dict[str, Any]) -> Spilled:
    """Keep the walk where it is, for a page of another size."""
    size = _size_after(page, state)
    change = state._asdict() | {"page_limit": size.limit, "without_tracks": size.without_tracks}
    _move(connection, page, fence, change)
    return Spilled(replace(page.walk, size=size), "running", None, [])


def _size_after(page: Page, state: sa.Row[Any]) -> PageSize:
    return page.size or PageSize(state.page_limit, state.without_tracks)


def _move(connection: sa.Connection, page: Page, fence: dict[str, Any], change: Mapping[str, Any]) -> None:
    moved = _MOVE.execute(connection, fence | {f"new_{name}": change[name] for name in _MOVED})
    if moved.rowcount != 1:
        raise RuntimeError(f"walk {page.walk.walk_id} moved while it was locked")


def _select(connection: sa.Connection, page: Page, state: sa.Row[Any], cap: int | None) -> _Selection:
    """Assign each distinct record the next position in the walk, up to the *cap*.

    For comments a cap counts their authors, and drops no comment of a fetched page.
    """
    counted = list(map(_counted, page.entries))
    places = _known_places(connection, counted, state)
    is_news = _has_news(connection, page, counted, places, state)
    selection = _Selection([], [], 0, 0, _follow_order(connection, counted, places, state), is_news)
    for entry, (kind, record_id) in zip(page.entries, counted, strict=True):
        if record_id in places:
            if isinstance(entry.link, PlaylistTrack):
                # The first position counts.
                entry = replace(entry, link=None)  # noqa: PLW2901 - the same entry
        else:
            place = state.kept + selection.added
            if cap is not None and place >= cap and kind == entry.record.kind:
                selection.cut += 1
                continue
            places[record_id] = place
            selection.added += 1
        selection.entries.append(entry)
        selection.places.append(places[record_id])
    return selection


def _cut_playlists(connection: sa.Connection, page: Page, selection: _Selection) -> list[PlaylistTrack]:
    """Cut the tracks listed inside the selected playlists; return those left out."""
    if not any(isinstance(entry.record, Playlist) for entry in selection.entries):
        return []
    cap = frontier.largest_inline_cap(connection, page.walk.walk_id)
    if cap is None:
        return []
    selection.entries, left_out = playlist_caps.cut_playlists(selection.entries, cap)
    return left_out


def _first_seen(selection: _Selection, state: sa.Row[Any]) -> Iterator[Entry]:
    """Yield the entries that no earlier page of this look had; a page may repeat items of another."""
    for entry, place in zip(selection.entries, selection.places, strict=True):
        if place >= state.kept:
            yield entry


def _listed_whole(entries: Iterable[Entry]) -> Iterator[int]:
    """Yield the playlists that are listed with all their tracks."""
    for entry in entries:
        if isinstance(entry.record, Playlist) and (
            entry.record.track_count == 0 or any(isinstance(record, PlaylistTrack) for record in entry.inside)
        ):
            yield entry.record.playlist_id


def _counted(entry: Entry) -> tuple[str, int]:
    """Return kind and ID of the record that a cap counts for this entry."""
    record = entry.record
    if isinstance(record, Comment):
        # Each comment without an author counts by itself; the sign avoids collisions with user IDs.
        return "user", -record.comment_id if record.user_id is None else record.user_id
    return record.kind, record.record_id


def _has_news(
    connection: sa.Connection,
    page: Page,
    counted: Sequence[tuple[str, int]],
    places: dict[int, int],
    state: sa.Row[Any],
) -> bool:
    """Return whether the walk sees a record or a rejected item of the page for the first time."""
    comments = [
        (Comment.kind, entry.record.record_id) for entry in page.entries if isinstance(entry.record, Comment)
    ]
    if comments:
        # Their authors, whom a cap counts, may write many, and without a record have no place in the walk.
        counted, places = comments, _known_places(connection, comments, state)
    is_new = any(record_id not in places for _, record_id in counted)
    return is_new or progress.has_new_rejects(connection, page, state)


def _follow_order(
    connection: sa.Connection,
    counted: Sequence[tuple[str, int]],
    places: Mapping[int, int],
    state: sa.Row[Any],
) -> heads.Order:
    if state.endpoint not in heads.LISTED or state.neighbours is None:
        return heads.Order(state.neighbours, state.known_to)
    before = _places_in(connection, counted, state.walk_id, state.generation - 1)
    return heads.follow(state, [record_id for _, record_id in counted], places, before)


def _known_places(
    connection: sa.Connection, counted: Sequence[tuple[str, int]], state: sa.Row[Any]
) -> dict[int, int]:
    return _places_in(connection, counted, state.walk_id, state.generation) if state.kept else {}


def _places_in(
    connection: sa.Connection, counted: Sequence[tuple[str, int]], walk_id: int, generation: int
) -> dict[int, int]:
    if not counted:
        return {}
    walk = {"walk": walk_id, "kind": counted[0][0], "generation": generation}
    ids = list({record_id for _, record_id in counted})
    return {row[0]: row[1] for row in _PLACES.find(connection, ids, walk)}


def _write_places(connection: sa.Connection, page: Page, state: sa.Row[Any], selection: _Selection) -> None:
    first_places: dict[tuple[str, int], int] = {}
    for entry, place in zip(selection.entries, selection.places, strict=True):
        for record in entry.main():
            first_places.setdefault(record, place)
    rows = [
        (state.walk_id, kind, record_id, place, state.generation)
        for (kind, record_id), place in first_places.items()
    ]
    if page.resolved is not None:
        kind, record_id = page.resolved
        upserts.insert_stubs(connection, schema.RECORD_TABLES[kind], [record_id], timestamp())
        rows.append((state.walk_id, kind, record_id, 0, state.generation))
    upserts.place_records(connection, walk_records, _PLACED, rows)


def _write_rejects(connection: sa.Connection, page: Page, state: sa.Row[Any]) -> None:
    rows = [
        (state.walk_id, state.generation, state.pages, item, r.kind, r.record_id, r.field, r.reason, r.raw)
        for item, r in enumerate(page.rejects)
    ]
    upserts.upsert_latest(connection, schema.rejects, tuple(schema.rejects.columns.keys()), rows)


def _write_page(
    connection: sa.Connection, page: Page, state: sa.Row[Any], now: str, boundary: str | None = None
) -> None:
    begun_at = frontier.cursor_hash(page.walk.cursor)
    row = (state.walk_id, state.generation, state.pages, begun_at, page.received, now, boundary)
    upserts.upsert_latest(connection, walk_pages, tuple(walk_pages.columns.keys()), [row])


def _next_state(
    connection: sa.Connection,
    page: Page,
    state: sa.Row[Any],
    selection: _Selection,
    cap: int | None,
    now: str,
) -> dict[str, Any]:
    """Return the columns of the walk after *page*."""
    kept = state.kept + selection.added
    change: dict[str, Any] = {
        "cursor": page.next_cursor if page.next_cursor is not None else page.walk.cursor,
        "pages": state.pages + 1,
        "received": state.received + page.received - selection.cut,
        "kept": kept,
        "empty_pages": 0 if selection.is_news else state.empty_pages + 1,
        "status": "running",
        "reason": None,
        "capped_at": None,
        "finished_at": None,
        "run_id": state.run_id,
        "worker_id": state.worker_id,
        "setbacks": 0,
        "doubted": False,
        "page_limit": _size_after(page, state).limit,
        "without_tracks": _size_after(page, state).without_tracks,
        "looked": state.looked,
        "whole_at": state.whole_at,
        "newest_first": state.newest_first,
        "counted": state.counted,
        "neighbours": selection.order.neighbours,
        "known_to": selection.order.known_to,
    }
    if selection.order.neighbours == heads.DIFFERS:
        change |= {"looked": "whole", "newest_first": None}
    elif state.looked == "head":
        # The cap of the look before.
        change["capped_at"] = state.capped_at
    end = _end(connection, page, state, selection, change, cap)
    if end is None:
        return change
    change |= end | {"finished_at": now, "run_id": None}
    change["doubted"] = _is_doubtful(page, state, change)
    if not change["doubted"]:
        change["worker_id"] = None
    change["setbacks"] = state.setbacks + 1 if change["status"] == "failed" else 0
    if change["status"] in frontier.ENDED:
        change["counted"] = counters.read(connection, state.endpoint, state.target)
        if change["looked"] == "whole":
            known = heads.learn_order(connection, state, selection.order, kept)
            change |= {"whole_at": now, "newest_first": known}
    return change


def _end(
    connection: sa.Connection,
    page: Page,
    state: sa.Row[Any],
    selection: _Selection,
    change: dict[str, Any],
    cap: int | None,
) -> dict[str, Any] | None:
    """Return how the walk ends after *page*; ``None`` if it goes on."""
    whole = {"looked": "whole", "capped_at": None}
    here = {"cursor": page.walk.cursor}
    if page.status is not None:
        return whole | here | {"status": page.status, "reason": page.reason}
    if selection.cut:
        # Keep the cursor at this page: a raised cap still needs the rest of it.
        return whole | here | _capped(cap)
    if page.next_cursor is None:
        early = progress.describe_early_end(state, change["kept"])
        return whole | ({"status": "done"} if early is None else {"status": "failed", "reason": early})
    rest = heads.find_rest(connection, state, selection.order, change["kept"], cap)
    if rest is not None:
        return _end_head(connection, state, selection.order, change, rest, cap)
    if cap is not None and change["kept"] >= cap:
        return whole | _capped(cap)
    guarded = _end_by_guard(connection, page, state, change)
    return None if guarded is None else whole | guarded


def _end_by_guard(
    connection: sa.Connection, page: Page, state: sa.Row[Any], change: dict[str, Any]
) -> dict[str, Any] | None:
    """Return how a walk ends whose list seems to have no end; ``None`` if it goes on."""
    cursor = page.next_cursor or ""
    if frontier.cursor_was_seen(connection, state.walk_id, state.generation, cursor):
        reason = "next_href repeats an earlier page"
        return {"status": "failed", "reason": reason, "cursor": page.walk.cursor}
    if change["empty_pages"] >= progress.MAX_EMPTY_PAGES:
        return progress.end_without_progress(connection, state)
    if (surplus := progress.describe_surplus(connection, state, change)) is not None:
        return {"status": "failed", "reason": surplus}
    return None


def _end_head(
    connection: sa.Connection,
    state: sa.Row[Any],
    order: heads.Order,
    change: Mapping[str, Any],
    rest: heads.Rest,
    cap: int | None,
) -> dict[str, Any]:
    """Take the rest of the list over; return how the look at its head ends."""
    heads.take_over(connection, state, order, change["kept"], cap)
    kept = change["kept"] + rest.below
    was_capped = state.capped_at is not None
    end = _capped(cap) if cap is not None and (kept > cap or was_capped) else {"status": "done"}
    return {"looked": "head", "capped_at": None, "kept": kept if cap is None else min(kept, cap)} | end


def _is_doubtful(page: Page, state: sa.Row[Any], change: dict[str, Any]) -> bool:
    """Return whether the walk ends without data, although there should be some, or more."""
    promised = (state.kept_before or 0) if state.expected is None else state.expected
    ends_empty = change["status"] == "done" and not page.received
    return page.missing or (ends_empty and change["received"] < promised)


def _capped(cap: int | None) -> dict[str, Any]:
    return {"status": "capped", "reason": f"cap of {cap}", "capped_at": cap}
