"""The state of a harvest for monitoring: what is left, what is stored, and how the last run ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.figures.overview import STATUSES, count_totals
from sgr_spiders.storage.figures.progress_counts import PENDING
from sgr_spiders.storage.ledger.frontier import WANTED_NOW
from sgr_spiders.storage.schema import run_scope, run_seeds, runs, seeds, walk_requests, walks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sgr_spiders.storage.ledger.runs import Run


@dataclass(frozen=True, slots=True)
class LastRun:
    """The end of a run; ``outcome`` is ``None`` if it could not be saved."""

    outcome: str | None
    exit_code: int
    finished_at: float


@dataclass(frozen=True, slots=True)
class HarvestState:
    """The state of a harvest; an empty one if it is not known. Times are in seconds since the epoch.

    Attributes:
        walks: The walks that the run wants, by status.
        unfinished_since: When the oldest unfinished of these was begun, or requested if it was not begun.
        records: The records in the database that are present, without stubs.
        scheduled: The scheduled seeds.
        due: The scheduled seeds that are due.
        next_due_at: When the first scheduled seed is due, or has been due since.
        last_run: The run of the database that ended last.
    """

    walks: Mapping[str, int] = field(default_factory=dict)
    unfinished_since: float | None = None
    records: Mapping[str, int] = field(default_factory=dict)
    scheduled: int | None = None
    due: int | None = None
    next_due_at: float | None = None
    last_run: LastRun | None = None


def read_state(connection: sa.Connection, run: Run) -> HarvestState:
    """Read the state of the harvest of *run*."""
    by_status, since = _read_walks(connection, run)
    scheduled, due, first = connection.execute(_SEEDS, {"now": timestamp()}).one()
    ended = connection.execute(_LAST_RUN).first()
    return HarvestState(
        walks=by_status,
        unfinished_since=since,
        records=count_totals(connection),
        scheduled=scheduled,
        due=due,
        next_due_at=_seconds(first),
        last_run=None if ended is None else LastRun(*ended[:2], datetime.fromisoformat(ended[2]).timestamp()),
    )


_SEEDS = sa.select(
    sa.func.count(),
    sa.func.count(sa.case((seeds.c.next_harvest_at <= sa.bindparam("now"), 1))),
    sa.func.min(seeds.c.next_harvest_at),
)

_LAST_RUN = (
    sa.select(runs.c.outcome, runs.c.exit_code, runs.c.finished_at)
    .where(runs.c.finished_at.is_not(None))
    .order_by(runs.c.finished_at.desc())
    .limit(1)
)

# A refetch keeps the time of the first request, which says nothing about a walk that waits for it.
_SINCE = sa.func.coalesce(walks.c.started_at, sa.case((walks.c.generation == 0, walks.c.created_at)))


def _read_walks(connection: sa.Connection, run: Run) -> tuple[dict[str, int], float | None]:
    """Count the walks that *run* wants by status; also return the time of the oldest unfinished one."""
    wanted = sa.union(
        # With EXISTS instead of a join, SQLite scans the requests in key order and need not sort them.
        sa.select(walk_requests.c.walk_id).where(
            sa.exists().where(WANTED_NOW, run_scope.c.run_id == run.run_id)
        ),
        sa.select(run_seeds.c.walk_id).where(run_seeds.c.run_id == run.run_id),
    ).subquery()
    rows = connection.execute(
        sa.select(walks.c.status, sa.func.count(), sa.func.min(_SINCE))
        .join(wanted, wanted.c.walk_id == walks.c.walk_id)
        .group_by(walks.c.status)
    ).all()
    by_status = dict.fromkeys(STATUSES, 0) | {status: count for status, count, _ in rows}
    since = min((first for status, _, first in rows if status in PENDING and first is not None), default=None)
    return by_status, _seconds(since)


def _seconds(time: str | None) -> float | None:
    return None if time is None else datetime.fromisoformat(time).timestamp()
