"""The ledger: which walks are wanted, by whom, up to which cap, and how far they are.

It is the frontier of a crawl. Walks wait here, not in memory: they are ``planned``, then leased to a
run (``running``), and end as ``done``, ``capped``, ``gone`` or ``failed``. A run drains only the walks
that its own seeds and layers ask for under the settings it has now.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.items import Walk
from sgr_spiders.storage import upserts
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.prepared import Prepared
from sgr_spiders.storage.schema import run_scope, run_seeds, walk_pages, walk_records, walk_requests, walks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sgr_spiders.model.items import WalkRequest
    from sgr_spiders.storage.ledger.runs import Run

CHUNK = 500
"""Walks in one ``IN``, see ``records.CHUNK``."""

NEW_WALK = (
    "walk_id",
    "endpoint",
    "target",
    "status",
    "cursor",
    "generation",
    "pages",
    "empty_pages",
    "received",
    "kept",
    "expected",
    "created_at",
)
"""The columns of ``walks`` that a new walk has."""

WANTED_NOW = sa.and_(
    run_scope.c.seed_id == walk_requests.c.seed_id,
    run_scope.c.layer == walk_requests.c.layer,
    run_scope.c.settings == walk_requests.c.settings,
)
"""A request is in the scope of a run if it was made under the settings that the run has."""

ENDED = ("done", "capped", "gone")
"""Statuses that hold until the walk is no longer fresh."""

_SHOWN_UP_TO = sa.case((walk_requests.c.cap < walks.c.kept, walk_requests.c.cap), else_=walks.c.kept)
_EXPANSIONS = Prepared(
    sa.select(
        walks.c.walk_id,
        walks.c.endpoint,
        walk_requests.c.seed_id,
        walk_requests.c.layer,
        walk_requests.c.step,
        walk_requests.c.expanded,
        _SHOWN_UP_TO,
    )
    .join(walks, walks.c.walk_id == walk_requests.c.walk_id)
    .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == sa.bindparam("run")))
    .where(walk_requests.c.walk_id == sa.bindparam("walk"), walk_requests.c.expanded < _SHOWN_UP_TO)
    .order_by(walk_requests.c.seed_id, walk_requests.c.layer, walk_requests.c.step)
)
_LARGEST_CAP = Prepared(
    sa.select(sa.func.max(walk_requests.c.cap)).where(walk_requests.c.walk_id == sa.bindparam("walk"))
)
_SEEN_CURSOR = Prepared(
    sa.select(sa.literal(1))
    .where(
        walk_pages.c.walk_id == sa.bindparam("walk"),
        walk_pages.c.generation == sa.bindparam("generation"),
        walk_pages.c.cursor_hash == sa.bindparam("cursor_hash"),
    )
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Expansion:
    """Records of a walk that a layer has not been shown yet: places ``start`` up to before ``stop``."""

    walk_id: int
    endpoint: str
    seed_id: int
    layer: str
    step: str
    start: int
    stop: int


def walk_id(endpoint: str, target: str) -> int:
    """Give the id of a walk: 63 bits of a hash, so that it is the same in every database.

    Ids need not be looked up then, and two databases can be compared or merged. Among ten million
    walks two would share an id with a probability of 5 in a million.
    """
    digest = hashlib.blake2b(f"{endpoint}\n{target}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def cursor_hash(cursor: str) -> int:
    """Give 63 bits that stand for a cursor in ``walk_pages``."""
    return walk_id("", cursor)


# Asking for walks


def add_seed(
    connection: sa.Connection, run: Run, given: str, request: WalkRequest, track_id: int | None
) -> int:
    """Note that *run* starts from the seed *given*, which the requested walk looks up. Give the walk's id."""
    seed_walk = _add_walks(connection, [request])[0]
    row = (run.run_id, given, track_id, seed_walk)
    upserts.insert_new(connection, run_seeds, ("run_id", "given", "track_id", "walk_id"), [row])
    _reopen_ended(connection, run, [seed_walk])
    return seed_walk


def request(
    connection: sa.Connection,
    run: Run,
    seed_id: int,
    layer: str,
    settings: str,
    wanted: Sequence[WalkRequest],
) -> None:
    """Let *layer* ask for walks around a seed.

    A walk that is there already is not fetched twice: it is opened again only if it failed in an
    earlier run, is no longer fresh, or stopped at a smaller cap.
    """
    ids = _add_walks(connection, wanted)
    rows = [
        (walk, seed_id, layer, want.step, want.cap, want.cap, want.selective, 0, settings)
        for walk, want in zip(ids, wanted, strict=True)
    ]
    columns = ("walk_id", "seed_id", "layer", "step", "cap", "widest", "selective", "expanded", "settings")
    upserts.ask_again(connection, walk_requests, columns, rows)
    _reopen_ended(connection, run, ids)
    _reopen_capped(connection, ids)


def _add_walks(connection: sa.Connection, wanted: Sequence[WalkRequest]) -> list[int]:
    ids = [walk_id(want.endpoint, want.target) for want in wanted]
    now = timestamp()
    rows = [
        (walk, want.endpoint, want.target, "planned", "", 0, 0, 0, 0, 0, want.expected, now)
        for walk, want in zip(ids, wanted, strict=True)
    ]
    upserts.add_walks(connection, walks, NEW_WALK, rows)
    return ids


def _reopen_ended(connection: sa.Connection, run: Run, ids: Sequence[int]) -> None:
    for chunk in _chunks(ids):
        _reopen(connection, run, walks.c.walk_id.in_(chunk))


def _reopen_capped(connection: sa.Connection, ids: Sequence[int]) -> None:
    largest = (
        sa.select(sa.func.max(walk_requests.c.cap))
        .where(walk_requests.c.walk_id == walks.c.walk_id)
        .scalar_subquery()
    )
    for chunk in _chunks(ids):
        connection.execute(
            sa.update(walks)
            .where(walks.c.walk_id.in_(chunk), walks.c.status == "capped", walks.c.capped_at < largest)
            .values(status="planned", reason=None, capped_at=None, finished_at=None)
        )


def reopen(connection: sa.Connection, run: Run, seed: str | None = None) -> None:
    """Open again what *run* wants and what failed in an earlier run or is no longer fresh.

    With a *seed*, spelt as it was given, only what is wanted around that one.
    """
    _reopen(connection, run, _in_scope(run) if seed is None else _around(run, seed))


def _reopen(connection: sa.Connection, run: Run, which: sa.ColumnElement[bool]) -> None:
    failed = sa.and_(which, walks.c.status == "failed", walks.c.finished_at < run.started_at)
    connection.execute(sa.update(walks).where(failed).values(status="planned", reason=None, finished_at=None))
    stale = sa.and_(which, walks.c.status.in_(ENDED), walks.c.finished_at < run.fresh_after)
    connection.execute(
        sa.update(walk_requests)
        .where(walk_requests.c.walk_id.in_(sa.select(walks.c.walk_id).where(stale)))
        .values(expanded=0)
    )
    connection.execute(
        sa.update(walks)
        .where(stale)
        .values(
            status="planned",
            reason=None,
            cursor="",
            generation=walks.c.generation + 1,
            pages=0,
            empty_pages=0,
            received=0,
            kept=0,
            capped_at=None,
            started_at=None,
            finished_at=None,
        )
    )


# Leases


def lease(connection: sa.Connection, run: Run, limit: int) -> list[Walk]:
    """Give up to *limit* planned walks to *run*, those asked for first first."""
    # On SQLite the lock clause is left out: there one crawl has the whole file.
    next_walks = (
        sa.select(walks.c.walk_id)
        .where(walks.c.status == "planned", _in_scope(run))
        .order_by(walks.c.created_at, walks.c.walk_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    leased = connection.execute(
        sa.update(walks)
        .where(walks.c.walk_id.in_(next_walks))
        .values(
            status="running", run_id=run.run_id, started_at=sa.func.coalesce(walks.c.started_at, timestamp())
        )
        .returning(
            walks.c.walk_id, walks.c.endpoint, walks.c.target, walks.c.cursor, walks.c.pages, walks.c.received
        )
    )
    return [Walk(*row) for row in leased]


def give_back(connection: sa.Connection, run: Run | None = None) -> int:
    """Give back the leases of *run*, or of all runs where a lock proves that they are dead; count them."""
    which = walks.c.status == "running"
    if run is not None:
        which &= walks.c.run_id == run.run_id
    returned = connection.execute(sa.update(walks).where(which).values(status="planned", run_id=None))
    return returned.rowcount


def _in_scope(run: Run) -> sa.ColumnElement[bool]:
    asked = (
        sa.select(sa.literal(1))
        .select_from(walk_requests.join(run_scope, WANTED_NOW))
        .where(run_scope.c.run_id == run.run_id, walk_requests.c.walk_id == walks.c.walk_id)
        .correlate(walks)
        .exists()
    )
    looks_up_a_seed = walks.c.walk_id.in_(
        sa.select(run_seeds.c.walk_id).where(run_seeds.c.run_id == run.run_id)
    )
    return sa.or_(asked, looks_up_a_seed)


def _around(run: Run, seed: str) -> sa.ColumnElement[bool]:
    is_the_seed = sa.and_(
        run_seeds.c.run_id == run_scope.c.run_id, run_seeds.c.track_id == run_scope.c.seed_id
    )
    wanted = (
        sa.select(walk_requests.c.walk_id)
        .join(run_scope, WANTED_NOW)
        .join(run_seeds, is_the_seed)
        .where(run_scope.c.run_id == run.run_id, run_seeds.c.given == seed)
    )
    return walks.c.walk_id.in_(wanted)


# Expansions


def expansions(connection: sa.Connection, run: Run, walk: int) -> list[Expansion]:
    """Tell which records of *walk* the layers of *run* have not been shown yet."""
    rows = _EXPANSIONS.execute(connection, {"run": run.run_id, "walk": walk})
    return [Expansion(*row) for row in rows]


def not_shown(connection: sa.Connection, run: Run, steps: Collection[tuple[str, str]]) -> list[int]:
    """Return the walks of *run* with records that a layer has not been shown; *steps* are layers and steps.

    Another seed's run may have fetched them after the run that asked for the walk was cut short.
    """
    query = (
        sa.select(walk_requests.c.walk_id)
        .distinct()
        .join(walks, walks.c.walk_id == walk_requests.c.walk_id)
        .join(run_scope, sa.and_(WANTED_NOW, run_scope.c.run_id == run.run_id))
        .where(
            sa.tuple_(walk_requests.c.layer, walk_requests.c.step).in_(sorted(steps)),
            walk_requests.c.expanded < _SHOWN_UP_TO,
        )
        .order_by(walk_requests.c.walk_id)
    )
    return list(connection.scalars(query))


def record_ids(connection: sa.Connection, kind: str, walk: int, start: int, stop: int) -> list[int]:
    """Give the ids of *walk*'s records of *kind* at places *start* up to before *stop*, in order."""
    rows = connection.execute(
        sa.select(walk_records.c.record_id)
        .join(
            walks,
            sa.and_(
                walks.c.walk_id == walk_records.c.walk_id, walks.c.generation == walk_records.c.generation
            ),
        )
        .where(
            walk_records.c.walk_id == walk,
            walk_records.c.kind == kind,
            walk_records.c.position >= start,
            walk_records.c.position < stop,
        )
        .order_by(walk_records.c.position)
    )
    return [row[0] for row in rows]


def set_expanded(connection: sa.Connection, expansion: Expansion) -> None:
    """Note that the layer was shown the records of *expansion*."""
    connection.execute(
        sa.update(walk_requests)
        .where(
            walk_requests.c.walk_id == expansion.walk_id,
            walk_requests.c.seed_id == expansion.seed_id,
            walk_requests.c.layer == expansion.layer,
            walk_requests.c.step == expansion.step,
        )
        .values(expanded=expansion.stop)
    )


# Reading


def largest_cap(connection: sa.Connection, walk: int) -> int | None:
    """Give the largest cap anybody asked *walk* for; ``None`` if it only looks up a seed."""
    cap: int | None = _LARGEST_CAP.execute(connection, {"walk": walk}).scalar()
    return cap


def cursor_was_seen(connection: sa.Connection, walk: int, generation: int, cursor: str) -> bool:
    """Tell whether a page of *walk* has already begun at *cursor*."""
    begun = {"walk": walk, "generation": generation, "cursor_hash": cursor_hash(cursor)}
    return _SEEN_CURSOR.execute(connection, begun).scalar() is not None


def count_by_status(connection: sa.Connection, run: Run) -> dict[str, int]:
    """Count the walks that *run* wants, by status."""
    rows = connection.execute(
        sa.select(walks.c.status, sa.func.count()).where(_in_scope(run)).group_by(walks.c.status)
    )
    return {row[0]: row[1] for row in rows}


def count_planned(connection: sa.Connection, run: Run, seed: str) -> int:
    """Count the walks that *run* wants around a seed, spelt as it was given, and that wait."""
    looks_it_up = walks.c.walk_id.in_(
        sa.select(run_seeds.c.walk_id).where(run_seeds.c.run_id == run.run_id, run_seeds.c.given == seed)
    )
    which = sa.and_(walks.c.status == "planned", sa.or_(_around(run, seed), looks_it_up))
    return connection.scalar(sa.select(sa.func.count()).select_from(walks).where(which)) or 0


def _chunks(ids: Collection[int]) -> Iterator[list[int]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
