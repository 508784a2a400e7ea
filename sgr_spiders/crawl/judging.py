"""The outcome of a run, judged after its spider has closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.model import outcome, statistics
from sgr_spiders.model.items import FORGOTTEN, PRIVATE
from sgr_spiders.reports.summary import LaneTotals, RequestTotals
from sgr_spiders.storage.figures.overview import look_at_run
from sgr_spiders.storage.ledger import runs
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.statscollectors import StatsCollector

    from sgr_spiders.crawl.planner import Planner
    from sgr_spiders.model.exceptions import HarvestError
    from sgr_spiders.model.outcome import Outcome
    from sgr_spiders.storage.figures.overview import RunOverview
    from sgr_spiders.storage.store import Connection


@dataclass(frozen=True, slots=True)
class Stop:
    """The end of a crawl: Scrapy's reason, the error that stopped it, and its unexpected exceptions."""

    reason: str
    error: HarvestError | None
    internal_errors: int

    @property
    def is_finished(self) -> bool:
        """True if nothing was left to fetch."""
        return self.reason == "finished" and self.error is None


def judge_run(
    connection: Connection, planner: Planner, stop: Stop, forgotten: int = 0
) -> tuple[Outcome, RunOverview]:
    """Return the outcome and the overview of the run, whose leases must have been given back.

    *forgotten* is the number of seeds that were left out because they had been forgotten.
    """
    overview = look_at_run(connection, planner.run)
    judged = outcome.classify_run(
        finish_reason=stop.reason,
        stopped_by=stop.error,
        internal_errors=stop.internal_errors + len(planner.broken),
        walks=overview.together.walks.by_status,
        lost_seeds=_lost_seeds(connection, planner.run) + _describe_forgotten(forgotten),
        refused=overview.refused,
    )
    return judged, overview


def traffic_of(stats: StatsCollector) -> RequestTotals:
    """Return the traffic of a run according to its statistics."""
    get = stats.get_value
    return RequestTotals(
        sent=get(statistics.REQUESTS, 0),
        retries=get(statistics.RETRIES, 0),
        tokens=get(statistics.TOKEN_EXCHANGES, 0) + get(statistics.TOKEN_REFRESHES, 0),
        checks=get(statistics.PROBES, 0) + get(statistics.WITNESSES, 0),
        hold_seconds=get(statistics.HOLD_SECONDS, 0.0),
        lanes=tuple(_lanes_of(stats)),
    )


def _lanes_of(stats: StatsCollector) -> Iterator[LaneTotals]:
    """Yield the traffic of each named lane, in the order of their file."""
    for name, state in statistics.lane_states(stats.get_stats()).items():
        counts = {
            what: stats.get_value(statistics.lane(name, what), 0)
            for what in ("requests", "limited", "hold_seconds")
        }
        yield LaneTotals(name, state, **counts)


def _lost_seeds(connection: Connection, run: runs.Run) -> list[str]:
    seeds = runs.seed_outcomes(connection, run)
    refused = runs.refused_lists(connection, run)
    return [
        *(_describe_lost(seed) for seed in seeds if seed.status in {"gone", "failed"}),
        *(f"seed {given}: {endpoint} refused ({reason})" for given, endpoint, reason in refused),
    ]


def _describe_forgotten(seeds: int) -> list[str]:
    # Their IDs must not be saved again, with the reason of the run.
    return [f"{pluralize(seeds, 'forgotten seed')} left out"] if seeds else []


def _describe_lost(seed: runs.SeedOutcome) -> str:
    name = f"seed {seed.given}"
    if seed.reason == FORGOTTEN:
        return f"{name} was forgotten"
    if seed.status == "failed":
        return f"{name}: not fetched ({seed.reason})"
    if seed.reason == runs.NO_TRACKS:
        return f"{name}: {seed.reason}"
    if seed.was_found or seed.reason == PRIVATE:
        return f"{name} is gone ({seed.reason})"
    return f"{name}: not found, check the address ({seed.reason})"
