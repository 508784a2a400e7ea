"""The scheduled seeds: their intervals, due times and outcomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from sgr_spiders.config.arguments import GivenSeed
from sgr_spiders.config.schedule import DEFAULT_INTERVAL, next_round, round_at
from sgr_spiders.soundcloud.addresses import parse_address
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import workers
from sgr_spiders.storage.ledger.frontier import WANTED_NOW
from sgr_spiders.storage.names import find_by_page
from sgr_spiders.storage.schema import run_scope, seeds, tracks, users, walk_requests, walks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sgr_spiders.config.schedule import SeedLine
    from sgr_spiders.storage.ledger.runs import Run

TRIED_ALL = ("complete", "partial", "gone")
"""Outcomes of a turn that tried everything the seed wanted."""

MOST_OVERDUE_FIRST = (seeds.c.next_harvest_at, seeds.c.priority.desc(), seeds.c.given)


@dataclass(frozen=True, slots=True)
class ScheduledSeed:
    """A row of ``seeds``. ``title`` and ``artist`` are ``None`` until the seed has been harvested."""

    given: str
    track_id: int | None
    interval_seconds: int
    priority: int
    added_at: str
    last_harvest_at: str | None
    next_harvest_at: str
    last_outcome: str | None
    last_run_id: int | None
    title: str | None
    artist: str | None


# Edit the schedule


def add(connection: sa.Connection, line: SeedLine, now: str) -> Literal["added", "changed", "unchanged"]:
    """Add a seed, due *now*; if it exists, change its interval and priority to those of *line*.

    A track is one seed, whether it is named by ID or by URL.
    """
    row = connection.execute(sa.select(seeds).where(_is(connection, line.seed))).first()
    if row is None:
        new = {
            "given": key_of(line.seed),
            "track_id": _track_of(connection, line.seed),
            "interval_seconds": line.interval or DEFAULT_INTERVAL,
            "priority": line.priority or 0,
            "added_at": now,
            "next_harvest_at": now,
        }
        connection.execute(sa.insert(seeds).values(new))
        return "added"
    interval = row.interval_seconds if line.interval is None else line.interval
    priority = row.priority if line.priority is None else line.priority
    if (interval, priority) == (row.interval_seconds, row.priority):
        return "unchanged"
    due = datetime.fromisoformat(row.next_harvest_at)
    if row.last_outcome in TRIED_ALL and row.last_outcome != "partial":
        # The new interval counts from the last due time.
        due += timedelta(seconds=interval - row.interval_seconds)
    change = {"interval_seconds": interval, "priority": priority, "next_harvest_at": timestamp(due)}
    connection.execute(sa.update(seeds).where(seeds.c.given == row.given).values(change))
    return "changed"


def remove(connection: sa.Connection, seed: GivenSeed) -> bool:
    """Remove a seed, but no harvested data; return whether it existed."""
    return connection.execute(sa.delete(seeds).where(_is(connection, seed))).rowcount > 0


def resolve_known(connection: sa.Connection) -> None:
    """Store the tracks of seeds given as URLs that this database has seen by now."""
    unresolved = sa.select(seeds.c.given).where(seeds.c.track_id.is_(None)).order_by(seeds.c.added_at)
    for given in connection.scalars(unresolved).all():
        track_id = _track_of(connection, GivenSeed(given, url=given))
        if track_id is not None:
            connection.execute(sa.update(seeds).where(seeds.c.given == given).values(track_id=track_id))
            _merge(connection, track_id)


def _merge(connection: sa.Connection, track_id: int, keep: str | None = None) -> None:
    """Make one seed of those with this track: *keep*, else the one harvested last."""
    same = sa.select(seeds).where(seeds.c.track_id == track_id).order_by(seeds.c.added_at)
    rows = connection.execute(same).all()
    if len(rows) < 2:
        return
    kept = max(rows, key=lambda row: (row.given == keep, row.last_harvest_at or ""))
    merged = {
        "interval_seconds": min(row.interval_seconds for row in rows),
        "priority": max(row.priority for row in rows),
        "added_at": rows[0].added_at,
    }
    connection.execute(sa.delete(seeds).where(seeds.c.track_id == track_id, seeds.c.given != kept.given))
    connection.execute(sa.update(seeds).where(seeds.c.given == kept.given).values(merged))


def key_of(seed: GivenSeed) -> str:
    """Return the key of a seed in ``seeds``."""
    return str(seed.track_id) if seed.track_id is not None else str(seed.url)


def _track_of(connection: sa.Connection, seed: GivenSeed) -> int | None:
    """Return the track of *seed*; of a URL if this database has seen it."""
    if seed.url is None:
        return seed.track_id
    found = find_by_page(connection, "track", parse_address(seed.url))
    return found[0] if len(found) == 1 else None


def _is(connection: sa.Connection, seed: GivenSeed) -> sa.ColumnElement[bool]:
    track_id = _track_of(connection, seed)
    same_track = seeds.c.track_id == track_id if track_id is not None else sa.false()
    return sa.or_(seeds.c.given == key_of(seed), same_track)


# Read the schedule


def all_seeds(connection: sa.Connection) -> list[ScheduledSeed]:
    """Return all seeds, soonest due first."""
    return _read(connection, sa.true())


def is_ahead(seed: ScheduledSeed, now: str) -> bool:
    """Return whether *seed* was added or harvested later than *now*: a clock was wrong."""
    return (seed.last_harvest_at or seed.added_at) > now


def is_put_off(seed: ScheduledSeed, now: str) -> bool:
    """Return whether *seed* is due later than a harvest *now* would make it."""
    latest = datetime.fromisoformat(now) + timedelta(seconds=seed.interval_seconds)
    return datetime.fromisoformat(seed.next_harvest_at) > latest


def due_now(known: Iterable[ScheduledSeed], now: str) -> list[ScheduledSeed]:
    """Return the seeds that are due; one from the future is due *now*, as in the next run."""
    due = [replace(seed, next_harvest_at=now) if is_ahead(seed, now) else seed for seed in known]
    return [seed for seed in due if seed.next_harvest_at <= now]


def find(connection: sa.Connection, seed: GivenSeed) -> ScheduledSeed:
    """Return the row of *seed*, which must exist."""
    return _read(connection, _is(connection, seed), limit=1)[0]


def _read(
    connection: sa.Connection, which: sa.ColumnElement[bool], limit: int | None = None
) -> list[ScheduledSeed]:
    query = (
        sa.select(*seeds.c, tracks.c.title, users.c.username)
        .select_from(seeds)
        .outerjoin(tracks, tracks.c.track_id == seeds.c.track_id)
        .outerjoin(users, users.c.user_id == tracks.c.artist_id)
        .where(which)
        .order_by(*MOST_OVERDUE_FIRST)
        .limit(limit)
    )
    return [ScheduledSeed(*row) for row in connection.execute(query)]


def named_by_now(connection: sa.Connection, seed: ScheduledSeed) -> ScheduledSeed:
    """Return the current row of *seed*, or *seed* itself if it was removed in the meantime."""
    return next(iter(_read(connection, seeds.c.given == seed.given)), seed)


# Turns


def next_in_turn(connection: sa.Connection, run: Run) -> ScheduledSeed | None:
    """Return the most overdue seed that was due when *run* began and has had no turn in it yet.

    Seeds whose turn another run has at the moment are left to it.
    """
    return next(iter(_read(connection, _waits_for(run), limit=1)), None)


def count_waiting(connection: sa.Connection, run: Run) -> int:
    """Count the seeds that were due when *run* began and have had no turn in it yet."""
    return connection.scalar(sa.select(sa.func.count()).select_from(seeds).where(_waits_for(run))) or 0


def count_unfinished(connection: sa.Connection, run: Run) -> int:
    """Count the seeds that were due when *run* began and for which it has not tried everything."""
    tried = sa.and_(seeds.c.last_run_id == run.run_id, seeds.c.last_outcome.in_(TRIED_ALL))
    left = sa.and_(seeds.c.next_harvest_at <= run.started_at, sa.not_(sa.func.coalesce(tried, sa.false())))
    return connection.scalar(sa.select(sa.func.count()).select_from(seeds).where(left)) or 0


def tracks_of_all(connection: sa.Connection) -> list[int]:
    """Return the known track IDs of all seeds."""
    return list(connection.scalars(sa.select(seeds.c.track_id).where(seeds.c.track_id.is_not(None))))


def _waits_for(run: Run) -> sa.ColumnElement[bool]:
    had_none = sa.or_(seeds.c.last_run_id.is_(None), seeds.c.last_run_id != run.run_id)
    has_one = sa.and_(seeds.c.last_outcome.is_(None), workers.is_at_work(seeds.c.last_run_id))
    return sa.and_(seeds.c.next_harvest_at <= run.started_at, had_none, sa.not_(has_one))


def begin_turn(connection: sa.Connection, run: Run, seed: ScheduledSeed, freshness_days: float) -> str:
    """Begin the turn of *seed* in *run*; return the time after which its walks count as up to date.

    This is the start of its round, however many runs the round takes. The first round also uses data from
    other harvests, up to *freshness_days* old. A round in which something failed is retried only until the
    next round begins.
    """
    due = datetime.fromisoformat(seed.next_harvest_at)
    if seed.last_outcome == "partial":
        due = round_at(due, seed.interval_seconds, datetime.fromisoformat(run.started_at))
    turn = {"next_harvest_at": timestamp(due), "last_outcome": None, "last_run_id": run.run_id}
    connection.execute(sa.update(seeds).where(seeds.c.given == seed.given).values(turn))
    return timestamp(due if seed.last_harvest_at else due - timedelta(days=freshness_days))


def end_turn(connection: sa.Connection, run: Run, given: str, track_id: int | None, outcome: str) -> None:
    """End the turn of the seed *given* in *run*: store its outcome, and its next due time if finished."""
    row = connection.execute(
        sa.select(seeds.c.next_harvest_at, seeds.c.interval_seconds).where(
            seeds.c.given == given, seeds.c.last_run_id == run.run_id
        )
    ).one_or_none()
    if row is None:
        return  # It was removed in the meantime.
    change: dict[str, object] = {"last_outcome": outcome}
    if track_id is not None:
        change["track_id"] = track_id
    if outcome in TRIED_ALL:
        change["last_harvest_at"] = timestamp()
        if outcome != "partial":
            due, started = (datetime.fromisoformat(text) for text in (row.next_harvest_at, run.started_at))
            change["next_harvest_at"] = timestamp(next_round(due, row.interval_seconds, started))
    connection.execute(sa.update(seeds).where(seeds.c.given == given).values(change))
    if track_id is not None:
        _merge(connection, track_id, keep=given)


def walks_around(connection: sa.Connection, run: Run, seed_id: int) -> dict[str, int]:
    """Count the walks that *run* wants around a seed, by status."""
    wanted = (
        sa.select(walk_requests.c.walk_id)
        .join(run_scope, WANTED_NOW)
        .where(run_scope.c.run_id == run.run_id, run_scope.c.seed_id == seed_id)
    )
    rows = connection.execute(
        sa.select(walks.c.status, sa.func.count()).where(walks.c.walk_id.in_(wanted)).group_by(walks.c.status)
    )
    return {row[0]: row[1] for row in rows}
