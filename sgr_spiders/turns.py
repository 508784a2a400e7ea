"""The turns of a scheduled run: one due seed after the other, the most overdue first.

A seed is entered only when nothing is left to fetch for the one before, so a budget finishes the most overdue
seeds instead of touching all of them a little. How a turn ended is committed with the beginning of the next
one, and so outlives a ``kill -9``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sgr_spiders.arguments import GivenSeed
from sgr_spiders.figures import counted
from sgr_spiders.outcome import judge_seed
from sgr_spiders.seed_list import minute, named
from sgr_spiders.storage import ledger, runs, seeds

if TYPE_CHECKING:
    from sgr_spiders.planner import Planner
    from sgr_spiders.storage.seeds import ScheduledSeed
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)


class Turns:
    """Gives the due seeds of *planner*'s run their turns. ``taken`` counts them."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._seed: ScheduledSeed | None = None
        self.taken = 0

    def advance(self, connection: Connection) -> bool:
        """End the turn that is on, and begin the next one in which something is to be fetched.

        Tell whether there is one.
        """
        while self._begin_next(connection):
            if ledger.count_by_status(connection, self._planner.run).get("planned"):
                return True
        return False

    def cut(self, connection: Connection, outcome: str) -> None:
        """End the turn that is on, if one is, because the run ends with *outcome*."""
        if self._seed is not None:
            self._end(connection, self._seed, outcome)

    def _begin_next(self, connection: Connection) -> bool:
        if self._seed is not None:
            self._end(connection, self._seed, None)
        self._seed = seed = seeds.next_in_turn(connection, self._planner.run)
        if seed is None:
            return False
        self.taken += 1
        fresh_after = seeds.begin_turn(connection, self._planner.run, seed, self._planner.plan.freshness_days)
        url = seed.given if seed.track_id is None else None
        self._planner.enter(connection, GivenSeed(seed.given, seed.track_id, url), fresh_after)
        waiting = ledger.count_by_status(connection, self._planner.run).get("planned", 0)
        logger.info(
            "Seed %s, due since %s (UTC): %s to fetch",
            named(seed),
            minute(seed.next_harvest_at),
            counted(waiting, "walk"),
        )
        return True

    def _end(self, connection: Connection, seed: ScheduledSeed, cut: str | None) -> None:
        run = self._planner.run
        found = [one for one in runs.seed_outcomes(connection, run) if one.given == seed.given]
        self._seed = None
        if not found:
            return  # Its beginning was rolled back.
        status, track_id = found[0].status, found[0].track_id
        around = {} if track_id is None else seeds.walks_around(connection, run, track_id)
        outcome = cut or judge_seed(status, around, broken=bool(self._planner.broken))
        seeds.end_turn(connection, run, seed.given, track_id, outcome)
        logger.info("Seed %s: %s", named(seeds.named_by_now(connection, seed)), outcome)
