"""The outcome of a run: what it did, judged when its spider has closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.model import outcome, statistics
from sgr_spiders.reports.summary import RequestTotals
from sgr_spiders.storage.figures.overview import look_at_run
from sgr_spiders.storage.ledger import runs
from sgr_spiders.traffic.run_control import Abandoned

if TYPE_CHECKING:
    from scrapy.statscollectors import StatsCollector

    from sgr_spiders.crawl.planner import Planner
    from sgr_spiders.model.exceptions import HarvestError
    from sgr_spiders.model.outcome import Outcome
    from sgr_spiders.storage.figures.overview import RunOverview
    from sgr_spiders.storage.store import Connection

ABANDONED = f"downloader/exception_type_count/{Abandoned.__module__}.{Abandoned.__qualname__}"
"""Scrapy's statistic of requests that were let go unsent when the run closed."""


@dataclass(frozen=True, slots=True)
class Stop:
    """How the crawl ended: Scrapy's reason, the error that stopped it, exceptions nobody expected."""

    reason: str
    error: HarvestError | None
    internal_errors: int


def judge_run(connection: Connection, planner: Planner, stop: Stop) -> tuple[Outcome, RunOverview]:
    """Return the outcome of the run, whose leases were given back, and what it did."""
    overview = look_at_run(connection, planner.run)
    judged = outcome.classify_run(
        finish_reason=stop.reason,
        stopped_by=stop.error,
        internal_errors=stop.internal_errors + len(planner.broken),
        walks=overview.together.walks.by_status,
        lost_seeds=_lost_seeds(connection, planner.run),
    )
    return judged, overview


def traffic_of(stats: StatsCollector) -> RequestTotals:
    """Return what a run has sent, according to its statistics."""
    get = stats.get_value
    return RequestTotals(
        sent=get("downloader/request_count", 0) - get(ABANDONED, 0),
        retries=get(statistics.RETRIES, 0),
        tokens=get(statistics.TOKEN_EXCHANGES, 0) + get(statistics.TOKEN_REFRESHES, 0),
        hold_seconds=get(statistics.HOLD_SECONDS, 0.0),
    )


def _lost_seeds(connection: Connection, run: runs.Run) -> list[str]:
    seeds = runs.seed_outcomes(connection, run)
    return [f"seed {seed.given} is gone ({seed.reason})" for seed in seeds if seed.status == "gone"]
