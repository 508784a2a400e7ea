"""The runs of a database: their seeds, statistics and outcomes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.outcome import Outcome
from sgr_spiders.model.versions import package_versions
from sgr_spiders.storage import upserts
from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import workers
from sgr_spiders.storage.ledger.frontier import WANTED_NOW, walk_id
from sgr_spiders.storage.schema import (
    NAMES,
    configurations,
    playlists,
    run_scope,
    run_seeds,
    runs,
    tracks,
    users,
    walk_requests,
    walks,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


LISTS_OF_A_SEED = ("track_favoriters", "track_reposters", "track_comments", "track_related")
"""Endpoints of lists that belong to a track."""

LISTS_OF_SEEDS = ("playlist_tracks", "user_tracks")
"""Endpoints of lists whose tracks become seeds."""


LISTS = ("playlist_tracks", "user_tracks")
"""Endpoints that list the tracks of a playlist or user."""

_PARTS = re.compile("(?:#(?:playlist|user|tracks))+$")
"""The ends of the names of further walks that look up a seed."""

NO_TRACKS = "no public tracks"
"""The reason of a seed that is a playlist or user without tracks."""

GOT_TO_ITS_END = ("complete", "partial")
"""Outcomes of runs that tried everything they wanted."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as one of its workers sees it. It refetches the walks that ended before ``fresh_after``."""

    run_id: int
    started_at: str
    fresh_after: str
    worker_id: int = 0


@dataclass(frozen=True, slots=True)
class SeedOutcome:
    """The outcome of a seed: status and reason of the walk that fetched it, or looked it up.

    ``was_found`` tells whether its track is stored, from this run or an earlier one.
    """

    given: str
    track_id: int | None
    status: str
    reason: str | None
    was_found: bool = False


@dataclass(frozen=True, slots=True)
class ListedSeeds:
    """A playlist or user whose tracks are seeds of a run.

    Attributes:
        kind: `playlist` or `user`.
        record_id: Its ID.
        name: Its title or name, if known.
        seeds: The number of its tracks that are seeds.
        tracks: The number of all its tracks, by the API's counter.
        max_tracks: The number of tracks that may become seeds.
        is_cut: Whether the list was cut there.
    """

    kind: str
    record_id: int
    name: str | None
    seeds: int
    tracks: int | None
    max_tracks: int
    is_cut: bool


def begin_run(  # noqa: PLR0913 - by name
    connection: sa.Connection,
    *,
    spider: str,
    layers: Iterable[str],
    scope: str,
    fresh_after: str,
    refresh: bool,
    config_hash: str = "",
) -> Run:
    """Start a run, which refetches the walks that ended before *fresh_after*.

    A *refresh* refetches everything. If an earlier refresh of the same *scope* is unfinished, the run
    continues it: the walks which that one fetched are up to date.
    """
    now = timestamp()
    if refresh:
        begun = _start_of_unfinished_refresh(connection, scope)
        # A start in the future comes from a wrong clock, and nothing would ever be fresh after it.
        fresh_after = now if begun is None else min(begun, now)
    row = {
        "spider": spider,
        "layers": ",".join(layers),
        "scope": scope,
        "config_hash": config_hash,
        "refresh": refresh,
        "fresh_after": fresh_after,
        "started_at": now,
    }
    run_id = connection.scalar(sa.insert(runs).values(row).returning(runs.c.run_id))
    if run_id is None:
        raise RuntimeError("the database returned no run_id")
    return Run(run_id, now, fresh_after, workers.register(connection, run_id))


def join_run(
    connection: sa.Connection, *, spider: str, scope: str, config_hash: str, refresh: bool
) -> Run | None:
    """Add a worker to a run with the same task that is at work; return ``None`` if there is none."""
    same = sa.and_(
        runs.c.finished_at.is_(None),
        runs.c.spider == spider,
        runs.c.scope == scope,
        runs.c.config_hash == config_hash,
        runs.c.refresh == refresh,
        workers.is_at_work(runs.c.run_id),
    )
    query = sa.select(runs.c.run_id, runs.c.started_at, runs.c.fresh_after).where(same)
    found = connection.execute(query.order_by(runs.c.run_id.desc()).limit(1)).one_or_none()
    return None if found is None else Run(*found, workers.register(connection, found.run_id))


def _start_of_unfinished_refresh(connection: sa.Connection, scope: str) -> str | None:
    latest = connection.execute(
        sa.select(runs.c.fresh_after, runs.c.outcome)
        .where(runs.c.refresh, runs.c.scope == scope)
        .order_by(runs.c.run_id.desc())
        .limit(1)
    ).one_or_none()
    return latest.fresh_after if latest is not None and latest.outcome not in GOT_TO_ITS_END else None


def start_of_unfinished(connection: sa.Connection, run: Run) -> str:
    """Return the start of the first run after the last one that got to its end; *run* continues it."""
    ended = sa.select(sa.func.max(runs.c.run_id)).where(
        runs.c.run_id < run.run_id, runs.c.outcome.in_(GOT_TO_ITS_END)
    )
    since = sa.func.coalesce(ended.scalar_subquery(), 0)
    start = connection.scalar(sa.select(sa.func.min(runs.c.started_at)).where(runs.c.run_id > since))
    assert isinstance(start, str)
    return start


def first_start(connection: sa.Connection) -> str | None:
    """Return when the first run of the database started; ``None`` if there was none."""
    first: str | None = connection.scalar(sa.select(sa.func.min(runs.c.started_at)))
    return first


def outcome_of(connection: sa.Connection, run: Run) -> Outcome | None:
    """Return the outcome of *run*; ``None`` until one of its workers has ended it."""
    columns = (runs.c.outcome, runs.c.exit_code, runs.c.reason)
    ended = sa.select(*columns).where(runs.c.run_id == run.run_id, runs.c.finished_at.is_not(None))
    row = connection.execute(ended).one_or_none()
    return None if row is None else Outcome(*row)


def note_asked(connection: sa.Connection, run: Run, arguments: str, version: str) -> None:
    """Save how *run* was started: its spider *arguments* as JSON, and all versions."""
    asked = {"arguments": arguments, "version": version, "packages": json.dumps(package_versions())}
    connection.execute(sa.update(runs).where(runs.c.run_id == run.run_id).values(asked))


def note_configuration(connection: sa.Connection, config_hash: str, content: str) -> None:
    """Save a whole configuration as JSON, by its hash, unless it is stored."""
    row = (config_hash, content, timestamp())
    upserts.insert_new(connection, configurations, tuple(configurations.columns.keys()), [row])


def note_requests(connection: sa.Connection, run: Run, sent: int) -> None:
    """Save the number of requests that the worker has sent in *run*, and that of all its workers."""
    # Workers that leave at the same time would each count without the others.
    connection.execute(sa.select(runs.c.run_id).where(runs.c.run_id == run.run_id).with_for_update())
    workers.note_requests(connection, run.worker_id, sent)
    total = workers.count_requests(connection, run.run_id)
    connection.execute(sa.update(runs).where(runs.c.run_id == run.run_id).values(requests=total))


def note_statistics(connection: sa.Connection, run: Run, stats: str) -> None:
    """Save the statistics of *run* so far, as JSON: a killed run leaves only these."""
    connection.execute(sa.update(runs).where(runs.c.run_id == run.run_id).values(stats=stats))


def end_run(
    connection: sa.Connection, run: Run, outcome: str, reason: str | None, exit_code: int, stats: str
) -> None:
    """Save the outcome of *run*, whose last worker leaves it."""
    workers.leave(connection, run.worker_id)
    connection.execute(
        sa.update(runs)
        .where(runs.c.run_id == run.run_id)
        .values(finished_at=timestamp(), outcome=outcome, reason=reason, exit_code=exit_code, stats=stats)
    )


def seed_outcomes(connection: sa.Connection, run: Run) -> list[SeedOutcome]:
    """Return the outcome of each seed of *run*."""
    query = _select_seeds().where(run_seeds.c.run_id == run.run_id).order_by(run_seeds.c.given)
    return [_classify_seed(*row) for row in connection.execute(query)]


def seed_outcomes_of_all(connection: sa.Connection) -> list[SeedOutcome]:
    """Return the outcome of each seed of all runs, once; that of its newest run."""
    rows = connection.execute(_select_seeds().order_by(run_seeds.c.run_id))
    newest = {row.given: row for row in rows}
    return [_classify_seed(*row) for _, row in sorted(newest.items())]


def _select_seeds() -> sa.Select[Any]:
    """Select the arguments of ``_classify_seed``."""
    looked_up, track, further = walks.alias(), walks.alias(), run_seeds.alias()
    leads_further = (
        sa.select(sa.literal(1))
        .where(further.c.run_id == run_seeds.c.run_id, further.c.found_by == run_seeds.c.walk_id)
        .correlate(run_seeds)
        .exists()
    )
    found = sa.and_(track.c.endpoint == "track", track.c.target == sa.cast(run_seeds.c.track_id, sa.Text))
    return (
        sa.select(
            run_seeds.c.given,
            run_seeds.c.track_id,
            sa.func.coalesce(track.c.status, looked_up.c.status),
            sa.case((track.c.walk_id.is_not(None), track.c.reason), else_=looked_up.c.reason),
            sa.and_(tracks.c.track_id.is_not(None), sa.not_(tracks.c.is_stub)),
            sa.case(
                # The tracks of a list may be seeds already, so that they lead back to others.
                (sa.and_(looked_up.c.endpoint.in_(LISTS_OF_SEEDS), looked_up.c.kept > 0), "found"),
                (leads_further, "found"),
                (run_seeds.c.max_tracks.is_(None), "track"),
                else_=looked_up.c.endpoint,
            ),
        )
        .join(looked_up, looked_up.c.walk_id == run_seeds.c.walk_id)
        .outerjoin(track, found)
        .outerjoin(tracks, tracks.c.track_id == run_seeds.c.track_id)
    )


def listed_seeds(connection: sa.Connection, run: Run, walk: int | None = None) -> list[ListedSeeds]:
    """Return the playlists and users among the seeds of *run* whose tracks are known, or that of *walk*."""
    is_it = sa.true() if walk is None else run_seeds.c.walk_id == walk
    found = []
    for kind, table in (("playlist", playlists), ("user", users)):
        key = table.c[f"{kind}_id"]
        figures = (key, NAMES[kind], table.c.track_count, walks.c.status, walks.c.kept)
        query = (
            sa.select(*figures, run_seeds.c.max_tracks)
            .select_from(run_seeds)
            .join(walks, walks.c.walk_id == run_seeds.c.walk_id)
            .join(table, sa.cast(key, sa.Text) == walks.c.target)
            .where(
                run_seeds.c.run_id == run.run_id,
                run_seeds.c.max_tracks.is_not(None),
                walks.c.endpoint == f"{kind}_tracks",
                walks.c.status.in_(("done", "capped")),
                is_it,
            )
            .distinct()
            .order_by(key)
        )
        for record_id, name, tracks_known, status, kept, max_tracks in connection.execute(query).all():
            is_cut = status == "capped" or kept > max_tracks
            count = min(kept, max_tracks)
            found.append(ListedSeeds(kind, record_id, name, count, tracks_known, max_tracks, is_cut))
    return found


def refused_lists(connection: sa.Connection, run: Run) -> list[tuple[str, str, str]]:
    """Return (seed as given, endpoint, reason) of lists of *run*'s seeds that the API hides (HTTP 403)."""
    lists = {
        walk_id(endpoint, str(seed.track_id)): seed.given
        for seed in seed_outcomes(connection, run)
        for endpoint in LISTS_OF_A_SEED
        if seed.status == "done"
    }
    wanted = (
        sa.select(sa.literal(1))
        .select_from(walk_requests.join(run_scope, WANTED_NOW))
        .where(run_scope.c.run_id == run.run_id, walk_requests.c.walk_id == walks.c.walk_id)
        .correlate(walks)
        .exists()
    )
    refused = []
    for chunk in chunked(lists):
        query = sa.select(walks.c.walk_id, walks.c.endpoint, walks.c.reason).where(
            walks.c.walk_id.in_(chunk), walks.c.status == "gone", walks.c.reason.like("HTTP 403%"), wanted
        )
        refused += [(lists[walk], endpoint, reason) for walk, endpoint, reason in connection.execute(query)]
    return sorted(refused)


def without_marks(given: str) -> str:
    """Return a seed as it was given, without the marks of further walks that look it up."""
    return _PARTS.sub("", given)


def _classify_seed(
    given: str,
    track_id: int | None,
    status: str,
    reason: str | None,
    was_found: bool | None,  # noqa: FBT001 - a column
    sought: str,
) -> SeedOutcome:
    """Return the outcome of a seed.

    *sought*: `track`, the endpoint of the walk that looks for tracks, or `found` if it has led further.
    """
    if sought != "track":
        given = without_marks(given)
    if status not in {"done", "capped"} or track_id is not None:
        return SeedOutcome(given, track_id, status, reason, bool(was_found))
    if sought == "found":
        return SeedOutcome(given, None, "done", None, was_found=True)
    problem = {"track": "not a track", "resolve": "not a track, playlist or user"}.get(sought, NO_TRACKS)
    return SeedOutcome(given, None, "gone", problem)
