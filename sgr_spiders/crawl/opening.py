"""The beginning of a run: its plan, its row in the database and its first log lines."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders import __version__
from sgr_spiders.crawl.planner import Plan, Planner
from sgr_spiders.model import statistics
from sgr_spiders.reports.seed_list import describe_seed, format_minute, how_to_add
from sgr_spiders.soundcloud.endpoints import ENDPOINTS
from sgr_spiders.soundcloud.track_page import TRACK_PAGE
from sgr_spiders.storage import indexes
from sgr_spiders.storage.ledger import runs, seeds, workers
from sgr_spiders.storage.ledger.wrong_times import correct_times
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sgr_spiders.crawl.spider import HarvestSpider
    from sgr_spiders.crawl.turns import Turns
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)

KINDS = {name: endpoint.record for name, endpoint in ENDPOINTS.items()} | {
    # A seed's URL resolves to a track, but layers resolve only the URLs of users.
    "resolve": "user",
    TRACK_PAGE: "comment",
}
"""The kind of record that each endpoint lists."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """The start of a run: spider arguments and whole configuration as JSON, and command if known."""

    arguments: str
    configuration: str
    command: str | None

    @classmethod
    def of(cls, spider: HarvestSpider, command: str | None) -> Invocation:
        """Return how the run of *spider* was started."""
        return cls(json.dumps(spider.asked, sort_keys=True), spider.config.as_json, command)


@dataclass(frozen=True, slots=True)
class Route:
    """The names of the API that a run reads from, and of the database that it writes to."""

    source: str
    database: str


def planner_for(spider: HarvestSpider) -> Planner:
    """Build the planner of the run of *spider*."""
    plan = Plan(
        spider=spider.name,
        seeds=spider.arguments.seeds,
        settings={name: spider.config.fingerprint(name) for name in spider.layer_names},
        freshness_days=spider.config.deep_harvest.freshness_days,
        refresh=spider.arguments.refresh,
        by_delta=spider.arguments.by_delta,
        full_refresh_days=spider.config.deep_harvest.full_refresh_days,
        config_hash=spider.config.fingerprint_of_all,
        lease_seconds=spider.settings.getfloat("HARVEST_LEASE_SECONDS"),
        max_seeds=spider.arguments.max_seeds,
    )
    return Planner(plan, spider.rules, KINDS)


def open_run(
    connection: Connection, planner: Planner, turns: Turns | None, invocation: Invocation, route: Route
) -> None:
    """Begin the run of *planner*, and log the work that is left."""
    workers.lock_planning(connection)
    workers.bury_dead(connection, planner.plan.lease_seconds)
    others = workers.all_at_work(connection)
    if not others:
        indexes.drop_deferred(connection)
        # The clocks of several workers may differ a little.
        _correct_times(connection)
    planner.start(connection)
    if planner.has_joined:
        _log_joined(planner, sum(other.run_id == planner.run.run_id for other in others), route)
        return
    _note_invocation(connection, planner, invocation)
    if turns is not None:
        _take_turns(connection, planner, turns, route)
    else:
        _log_start(planner, pluralize(len(planner.plan.seeds), "seed"), route)
        _log_pending(planner.ledger(connection).count_by_status())


def _correct_times(connection: Connection) -> None:
    corrected = correct_times(connection)
    if corrected.walks or corrected.seeds:
        logger.warning(
            "A clock was wrong: %s and %s have times in the future; they count as stale and due",
            pluralize(corrected.walks, "walk"),
            pluralize(corrected.seeds, "scheduled seed"),
        )


def _note_invocation(connection: Connection, planner: Planner, invocation: Invocation) -> None:
    runs.note_asked(connection, planner.run, invocation.arguments, __version__)
    runs.note_configuration(connection, planner.plan.config_hash, invocation.configuration)
    if invocation.command is not None:
        runs.note_statistics(connection, planner.run, json.dumps({statistics.COMMAND: invocation.command}))


def _take_turns(connection: Connection, planner: Planner, turns: Turns, route: Route) -> None:
    due = seeds.count_waiting(connection, planner.run)
    _log_start(planner, pluralize(due, "due seed"), route)
    if not due:
        _log_next_due(connection)
    turns.advance(connection)


def _log_next_due(connection: Connection) -> None:
    known = seeds.all_seeds(connection)
    if known:
        when = format_minute(known[0].next_harvest_at)
        logger.info("No seed is due; the first will be %s at %s (UTC)", describe_seed(known[0]), when)
    else:
        logger.info("No seeds yet: %s", how_to_add())


def _log_start(planner: Planner, around: str, route: Route) -> None:
    layers = pluralize(len(planner.layers), "layer")
    logger.info(
        "Run %d: %s, %s, from %s, writing to %s",
        planner.run.run_id,
        layers,
        around,
        route.source,
        route.database,
    )


def _log_joined(planner: Planner, others: int, route: Route) -> None:
    logger.info(
        "Joining run %d: %s at work, from %s, writing to %s",
        planner.run.run_id,
        pluralize(others, "other worker"),
        route.source,
        route.database,
    )


def _log_pending(walks: Mapping[str, int]) -> None:
    pending = walks.get("planned", 0)
    finished = sum(walks.values()) - pending
    if not pending:
        logger.info("Up to date: %s finished and fresh", pluralize(finished, "walk"))
    elif finished:
        logger.info("Resuming: %s finished, %d pending", pluralize(finished, "walk"), pending)
