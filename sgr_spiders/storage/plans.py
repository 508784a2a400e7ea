"""Estimates of harvests, beside the needs of the harvests themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.outcome import FINISHING
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.figures.inventory import describe_database
from sgr_spiders.storage.ledger.frontier import WANTED_NOW, walk_id
from sgr_spiders.storage.schema import plans, run_scope, run_seeds, runs, walk_requests, walks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.storage.store import Connection

ENOUGH_RECORDS = 10_000
"""Records from which on the size of a database tells how large the next ones will be."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A row of ``plans``. Requests are the estimate, and the least and most that are likely."""

    created_at: str
    scope: str
    refresh: bool
    requests: int
    least_requests: int
    most_requests: int
    records: int
    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Needed:
    """The needs of the runs of a harvest since its plan; ``is_finished`` once one got to its end.

    The requests and seconds are unknown if a run was killed, and while it is running.
    """

    runs: int
    requests: int | None
    records: int
    seconds: float | None
    is_finished: bool


def save(connection: Connection, plan: Plan) -> None:
    """Store *plan*."""
    values = {name: getattr(plan, name) for name in Plan.__dataclass_fields__}
    connection.execute(sa.insert(plans).values(values))


def latest(connection: Connection, limit: int) -> list[tuple[Plan, Needed]]:
    """Return the latest plan of each harvest, and what that has needed since; newest first."""
    newest = sa.select(sa.func.max(plans.c.plan_id)).group_by(plans.c.scope, plans.c.refresh)
    columns = [plans.c[name] for name in Plan.__dataclass_fields__]
    query = sa.select(*columns).where(plans.c.plan_id.in_(newest)).order_by(plans.c.plan_id.desc())
    found = [Plan(*row) for row in connection.execute(query.limit(limit))]
    return [(plan, _needed(connection, plan)) for plan in found]


def _needed(connection: Connection, plan: Plan) -> Needed:
    """Return what the runs from *plan* to the first one that got to its end have needed."""
    query = (
        sa.select(runs.c.run_id, runs.c.started_at, runs.c.finished_at, runs.c.requests, runs.c.outcome)
        .where(
            runs.c.scope == plan.scope, runs.c.refresh == plan.refresh, runs.c.started_at >= plan.created_at
        )
        .order_by(runs.c.run_id)
    )
    counted = []
    for row in connection.execute(query):
        counted.append(row)
        if row.outcome in FINISHING - {"unfinished"}:
            break
    requests = [row.requests for row in counted]
    is_open = any(row.finished_at is None for row in counted)
    return Needed(
        runs=len(counted),
        requests=None if None in requests else sum(requests),
        records=_count_records(connection, counted) if counted else 0,
        seconds=None if is_open else round(sum(map(_seconds, counted)), 1),
        is_finished=bool(counted) and counted[-1].outcome in FINISHING - {"unfinished"},
    )


def _seconds(run: sa.Row[*tuple[Any, ...]]) -> float:
    return (datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.started_at)).total_seconds()


def _count_records(connection: Connection, counted: Sequence[sa.Row[*tuple[Any, ...]]]) -> int:
    """Return the records of the walks of these runs that ended in their time."""
    run_ids = [run.run_id for run in counted]
    in_scope = sa.select(walk_requests.c.walk_id).join(run_scope, WANTED_NOW)
    of_layers = in_scope.where(run_scope.c.run_id.in_(run_ids))
    of_seeds = sa.select(run_seeds.c.walk_id).where(run_seeds.c.run_id.in_(run_ids))
    ended = walks.c.finished_at.between(counted[0].started_at, counted[-1].finished_at or timestamp())
    total = connection.scalar(
        sa.select(sa.func.sum(walks.c.received)).where(ended, walks.c.walk_id.in_(of_layers.union(of_seeds)))
    )
    return int(total or 0)


class StoredWalks:
    """The walks that a run need not fetch, because they have ended and are fresh."""

    def __init__(self, connection: Connection, freshness_days: float) -> None:
        """Create it for a run that refetches what is older than *freshness_days*."""
        self._connection = connection
        self._fresh_after = timestamp(datetime.now(UTC) - timedelta(days=freshness_days))
        self._known: dict[tuple[str, str], tuple[str, int | None] | None] = {}

    def cover(self, key: tuple[str, str], cap: int) -> bool:
        """Return whether the walk with this endpoint and target need not be fetched up to *cap*."""
        if key not in self._known:
            query = sa.select(walks.c.status, walks.c.capped_at).where(
                walks.c.walk_id == walk_id(*key), walks.c.finished_at >= self._fresh_after
            )
            row = self._connection.execute(query).one_or_none()
            self._known[key] = None if row is None else (row.status, row.capped_at)
        known = self._known[key]
        if known is None:
            return False
        status, capped_at = known
        return status in {"done", "gone"} or (status == "capped" and (capped_at or 0) >= cap)


def bytes_per_record(connection: Connection, path: str | None) -> int | None:
    """Return the bytes that an item of a list takes in this database; ``None`` if there are too few."""
    total = connection.scalar(sa.select(sa.func.sum(walks.c.received)))
    used = describe_database(connection, path).bytes
    return None if not total or total < ENOUGH_RECORDS or used is None else int(used // int(total))
