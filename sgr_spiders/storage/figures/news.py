"""News of a database since a moment, in small reads that a follower repeats.

Pages lead to what is new: all that a page brings has its time. Only the lists of the walks that went on are
read, and what was removed through the indexes of ``removed_at``; no table is scanned.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.figures.changes import APPEARED, TITLES
from sgr_spiders.storage.ledger.like_times import LIKE_LISTS
from sgr_spiders.storage.schema import (
    RECORD_TABLES,
    engagements,
    playlist_tracks,
    relationship_runs,
    runs,
    tracks,
    walk_pages,
    walk_records,
    walks,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sgr_spiders.storage.store import Connection

PAGES_AT_A_TIME = 200
NEWEST_BUILDS = 50
"""Builds of relationship tables to look at: more do not end between two reads."""
STUBBED = ("track", "user", "playlist")
"""The kinds of records that may be known only by their ID."""


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened in a run: ``ids`` are the columns of its key, ``facts`` further values."""

    at: str
    kind: str
    change: str
    ids: dict[str, int]
    title: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    run: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """The times up to which everything is known: pages, removals, builds and runs."""

    pages: str
    removals: str
    builds: str
    runs: str

    @classmethod
    def at(cls, moment: str) -> Position:
        """Return the position at which nothing after *moment* is known."""
        return cls(moment, moment, moment, moment)


class NewsReader:
    """Reads what is new since a position, which it moves on."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self._stubs: set[tuple[str, int]] = set()

    def note_stubs(self, connection: Connection) -> None:
        """Remember the records that are known only by their ID. They are new once there is more."""
        self._stubs.clear()
        for kind in STUBBED:
            table = RECORD_TABLES[kind]
            (key,) = table.primary_key.columns
            self._stubs.update(
                (kind, row[0]) for row in connection.execute(sa.select(key).where(table.c.is_stub))
            )

    def read(self, connection: Connection) -> tuple[list[News], bool]:
        """Return what is new, in the order of its time, and whether there is more."""
        before = self.position
        try:
            found, is_all = self._read_pages(connection)
            found += self._read_removals(connection)
            found += self._read_builds(connection)
            found += self._read_runs(connection)
        except BaseException:
            # The next call reads all of it.
            self.position = before
            raise
        found.sort(key=lambda news: news.at)
        return _with_runs(connection, found), not is_all

    def _read_runs(self, connection: Connection) -> Iterator[News]:
        """Yield the beginnings and ends of runs."""
        since = self.position.runs
        columns = (runs.c.run_id, runs.c.spider, runs.c.started_at, runs.c.finished_at, runs.c.outcome)
        newest = sa.select(*columns).order_by(runs.c.run_id.desc())
        for run_id, spider, started_at, finished_at, outcome in connection.execute(newest):
            for at, change, facts in (
                (started_at, "started", {"spider": spider}),
                (finished_at, "ended", {"outcome": outcome}),
            ):
                if at is not None and at > since:
                    self.position = replace(self.position, runs=max(self.position.runs, at))
                    yield News(at, "run", change, {}, facts=facts, run=run_id)
            if started_at <= since:
                return  # earlier runs have ended before

    def _read_builds(self, connection: Connection) -> Iterator[News]:
        """Yield the relationship tables that were built or updated, with the pairs before and after."""
        since = self.position.builds
        columns = (relationship_runs.c.type, relationship_runs.c.rows, relationship_runs.c.finished_at)
        newest = sa.select(*columns).order_by(relationship_runs.c.relationship_run_id.desc())
        known = connection.execute(newest.limit(NEWEST_BUILDS)).all()
        for number, (name, rows, at) in enumerate(known):
            if at > since:
                self.position = replace(self.position, builds=max(self.position.builds, at))
                before = next((row.rows for row in known[number + 1 :] if row.type == name), None)
                facts = {"type": name, "pairs": rows, "pairs_before": before}
                yield News(at, "relationships", "updated", {}, facts=facts)

    def _read_removals(self, connection: Connection) -> Iterator[News]:
        for news in _read_removals(connection, self.position.removals):
            self.position = replace(self.position, removals=max(self.position.removals, news.at))
            yield news

    def _read_pages(self, connection: Connection) -> tuple[list[News], bool]:
        pages = connection.execute(
            sa.select(walk_pages.c.walk_id, walk_pages.c.fetched_at)
            .where(walk_pages.c.fetched_at > self.position.pages)
            .order_by(walk_pages.c.fetched_at)
            .limit(PAGES_AT_A_TIME)
        ).all()
        if not pages:
            return [], True
        window = _Window(self.position.pages, pages[-1].fetched_at)
        touched = list({page.walk_id for page in pages})
        found = {
            (news.kind, *news.ids.values()): news for news in self._read_touched(connection, touched, window)
        }
        self.position = replace(self.position, pages=window.last)
        return list(found.values()), len(pages) < PAGES_AT_A_TIME

    def _read_touched(
        self, connection: Connection, touched: Sequence[int], window: _Window
    ) -> Iterator[News]:
        """Yield what the pages in *window* of the walks *touched* have brought."""
        for kind in RECORD_TABLES:
            yield from self._read_records(connection, kind, touched, window)
        owners = connection.execute(
            sa.select(walks.c.walk_id, walks.c.endpoint, walks.c.target).where(walks.c.walk_id.in_(touched))
        ).all()
        for walk_id, endpoint, target in owners:
            if endpoint in LIKE_LISTS:
                yield from _read_engagements(connection, walk_id, endpoint, int(target), window)
        listed = connection.scalars(
            sa.select(walk_records.c.record_id).where(
                walk_records.c.walk_id.in_(touched), walk_records.c.kind == "playlist"
            )
        )
        own = [int(target) for _, endpoint, target in owners if endpoint == "playlist_tracks"]
        yield from self._read_places(connection, {*listed, *own}, window)

    def _read_records(
        self, connection: Connection, kind: str, touched: Sequence[int], window: _Window
    ) -> Iterator[News]:
        """Yield the records that were seen first, and those of which only the ID was known."""
        table = RECORD_TABLES[kind]
        (key,) = table.primary_key.columns
        is_stub: sa.ColumnElement[bool] = table.c.is_stub if kind in STUBBED else sa.false()
        query = (
            sa.select(key, TITLES[kind], table.c.first_seen_at, table.c.fetched_at, is_stub)
            .join_from(walk_records, table, key == walk_records.c.record_id)
            .where(
                walk_records.c.walk_id.in_(touched),
                walk_records.c.kind == kind,
                sa.or_(window.contains(table.c.first_seen_at), window.contains(table.c.fetched_at), is_stub),
            )
        )
        for record_id, title, first_seen_at, fetched_at, stub in connection.execute(query):
            if stub:
                self._stubs.add((kind, record_id))
            elif (kind, record_id) in self._stubs:
                self._stubs.discard((kind, record_id))
                yield News(fetched_at, kind, APPEARED, {"id": record_id}, title)
            elif window.first < first_seen_at <= window.last:
                yield News(first_seen_at, kind, APPEARED, {"id": record_id}, title)

    def _read_places(self, connection: Connection, ids: Collection[int], window: _Window) -> Iterator[News]:
        places = playlist_tracks
        for chunk in chunked(ids):
            query = (
                sa.select(
                    places.c.playlist_id,
                    places.c.track_id,
                    tracks.c.title,
                    places.c.first_seen_at,
                    tracks.c.is_stub,
                )
                .join(tracks, tracks.c.track_id == places.c.track_id)
                .where(places.c.playlist_id.in_(chunk), window.contains(places.c.first_seen_at))
            )
            for playlist_id, track_id, title, at, stub in connection.execute(query):
                if stub:
                    self._stubs.add(("track", track_id))
                both = {"playlist_id": playlist_id, "track_id": track_id}
                yield News(at, "playlist_track", APPEARED, both, title)


@dataclass(frozen=True, slots=True)
class _Window:
    """The time after ``first``, up to and including ``last``."""

    first: str
    last: str

    def contains(self, column: sa.Column[Any]) -> sa.ColumnElement[bool]:
        return sa.and_(column > self.first, column <= self.last)


def _read_engagements(
    connection: Connection, walk_id: int, endpoint: str, owner: int, window: _Window
) -> Iterator[News]:
    engaged = LIKE_LISTS[endpoint]
    query = (
        sa.select(engagements.c.user_id, engagements.c.track_id, tracks.c.title, engagements.c.first_seen_at)
        .join(tracks, tracks.c.track_id == engagements.c.track_id)
        .where(
            engagements.c[engaged.owner] == owner,
            engagements.c.kind == engaged.kind,
            window.contains(engagements.c.first_seen_at),
        )
    )
    if engaged.owner == "track_id":
        # The engagements of a track have an index, but not during a crawl.
        listed = sa.and_(
            walk_records.c.walk_id == walk_id,
            walk_records.c.kind == "user",
            walk_records.c.record_id == engagements.c.user_id,
        )
        query = query.join(walk_records, listed)
    for user_id, track_id, title, at in connection.execute(query):
        yield News(at, engaged.kind, APPEARED, {"user_id": user_id, "track_id": track_id}, title)


def _read_removals(connection: Connection, since: str) -> Iterator[News]:
    for kind, table in RECORD_TABLES.items():
        (key,) = table.primary_key.columns
        kept = sa.not_(table.c.is_stub) if kind in STUBBED else sa.true()
        query = sa.select(key, TITLES[kind], table.c.removed_reason, table.c.removed_at)
        for record_id, title, reason, at in connection.execute(query.where(table.c.removed_at > since, kept)):
            yield News(at, kind, reason, {"id": record_id}, title)
    for links, first, kind_column in (
        (engagements, engagements.c.user_id, engagements.c.kind),
        (playlist_tracks, playlist_tracks.c.playlist_id, sa.literal("playlist_track")),
    ):
        left: sa.Select[Any] = (
            sa.select(
                kind_column,
                first,
                links.c.track_id,
                tracks.c.title,
                links.c.removed_reason,
                links.c.removed_at,
            )
            .join(tracks, tracks.c.track_id == links.c.track_id)
            .where(links.c.removed_at > since)
        )
        for kind, owner, track_id, title, reason, at in connection.execute(left):
            if kind != "comment":  # the comments are listed
                yield News(at, kind, reason, {first.name: owner, "track_id": track_id}, title)


def _with_runs(connection: Connection, found: list[News]) -> list[News]:
    """Return the news with the run of each: the last one that had begun."""
    if not found:
        return found
    starts = connection.execute(
        sa.select(runs.c.started_at, runs.c.run_id)
        .where(runs.c.started_at <= found[-1].at)
        .order_by(runs.c.run_id.desc())
    ).all()
    return [
        news
        if news.run is not None
        else replace(news, run=next((run_id for started_at, run_id in starts if started_at <= news.at), None))
        for news in found
    ]
