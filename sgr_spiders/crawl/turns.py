"""The turns of a scheduled run: due seeds in sequence, the most overdue first.

A seed is entered only when nothing is left to fetch for the previous one, so a budget finishes the most
overdue seeds instead of starting all of them. The outcome of a turn is committed with the beginning of the
next one and so survives a ``kill -9``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sgr_spiders.config.arguments import GivenSeed
from sgr_spiders.model.outcome import classify_seed
from sgr_spiders.reports.seed_list import describe_seed, format_minute
from sgr_spiders.storage.ledger import runs, seeds, workers
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from sgr_spiders.crawl.planner import Planner
    from sgr_spiders.storage.ledger.seeds import ScheduledSeed
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)


class Turns:
    """The turns of the due seeds in *planner*'s run; ``taken`` counts them."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._seed: ScheduledSeed | None = None
        self.taken = 0

    def advance(self, connection: Connection) -> bool:
        """Finish the current turn, and begin the next one that has something to fetch.

        Return whether there is such a turn.
        """
        workers.lock_planning(connection)
        if self._seed is not None:
            self._end(connection, self._seed, None)
        while (seed := seeds.next_in_turn(connection, self._planner.run)) is not None:
            if self._begin(connection, seed):
                return True
            self._end(connection, seed, None)
        return False

    def cut(self, connection: Connection, outcome: str) -> None:
        """Finish the current turn, if any, because the run ends with *outcome*."""
        if self._seed is not None:
            self._end(connection, self._seed, outcome)

    def _begin(self, connection: Connection, seed: ScheduledSeed) -> int:
        """Begin the turn of *seed*; return the number of walks to fetch."""
        self._seed = seed
        self.taken += 1
        planner = self._planner
        fresh_after = seeds.begin_turn(connection, planner.run, seed, planner.plan.freshness_days)
        url = seed.given if seed.track_id is None else None
        planner.enter(connection, GivenSeed(seed.given, seed.track_id, url), fresh_after)
        pending = planner.ledger(connection).count_planned(seed.given)
        since, to_fetch = format_minute(seed.next_harvest_at), pluralize(pending, "walk")
        logger.info("Seed %s, due since %s (UTC): %s pending", describe_seed(seed), since, to_fetch)
        return pending

    def _end(self, connection: Connection, seed: ScheduledSeed, cut: str | None) -> None:
        run = self._planner.run
        found = [outcome for outcome in runs.seed_outcomes(connection, run) if outcome.given == seed.given]
        self._seed = None
        if not found:
            return  # The transaction that began the turn was rolled back.
        status, track_id = found[0].status, found[0].track_id
        around = {} if track_id is None else seeds.walks_around(connection, run, track_id)
        outcome = cut or classify_seed(status, around, broken=bool(self._planner.broken))
        seeds.end_turn(connection, run, seed.given, track_id, outcome)
        logger.info("Seed %s: %s", describe_seed(seeds.named_by_now(connection, seed)), outcome)
