"""The way of a worker out of its run, which its last worker ends."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sgr_spiders.storage.ledger import runs, workers
from sgr_spiders.storage.redaction import redact_new_cursors

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.crawl.judging import Stop
    from sgr_spiders.crawl.planner import Planner
    from sgr_spiders.crawl.workers import Heartbeat
    from sgr_spiders.crawl.writer import Writer
    from sgr_spiders.model.outcome import Outcome
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)

LOOK_AGAIN_AFTER = 0.5
"""Seconds after which a worker without work looks again whether others have left some, or have ended."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a run for a worker that is leaving it.

    ``is_last``: the worker is to end the run. ``ended``: the outcome with which another one has ended it.
    """

    is_last: bool
    ended: Outcome | None = None


class Leaving:
    """The way of one worker out of its run."""

    def __init__(
        self, planner: Planner, heartbeat: Heartbeat, take_back_doubts: Callable[[Connection], None]
    ) -> None:
        self._planner = planner
        self._heartbeat = heartbeat
        self._take_back_doubts = take_back_doubts

    async def leave(
        self, writer: Writer, stop: Stop, is_stopped: Callable[[], bool]
    ) -> tuple[Stop, Standing]:
        """Return the worker's walks to the ledger; return why it has stopped, and the state of the run.

        A worker with nothing left to fetch waits for the end of the others, one of which may be killed, or
        until a signal stops it as well.
        """
        standing = await writer.run(lambda connection: self.give_back(connection, stop))
        if not standing.is_last:
            self._heartbeat.pause()
            logger.info("Leaving run %d to its other workers", self._planner.run.run_id)
        while stop.is_finished and not standing.is_last and standing.ended is None:
            if is_stopped():
                return replace(stop, reason="shutdown"), standing
            await asyncio.sleep(LOOK_AGAIN_AFTER)
            standing = await writer.run(lambda connection: self.give_back(connection, stop))
        if standing.is_last:
            self._heartbeat.resume()
        return stop, standing

    def give_back(self, connection: Connection, stop: Stop) -> Standing:
        """Return to the ledger what the worker has leased, or has no reason to believe."""
        run = self._planner.run
        workers.lock_planning(connection)
        workers.bury_dead(connection, self._planner.plan.lease_seconds, run.worker_id)
        ledger = self._planner.ledger(connection)
        if stop.is_finished:
            # Nothing was left to do, so internal errors kept these walks from their end.
            ledger.note_setbacks()
        ledger.give_back()
        self._take_back_doubts(connection)
        redact_new_cursors(connection)
        # In this order: the last worker ends the run and leaves it in one transaction, which another one may
        # commit between these two queries.
        others = workers.others_at_work(connection, run.worker_id, run.run_id)
        ended = runs.outcome_of(connection, run)
        if others or ended is not None:
            workers.leave(connection, run.worker_id)
            return Standing(is_last=False, ended=ended)
        workers.beat(connection, run.worker_id)
        ledger.note_believed()
        self._planner.settle(ledger)
        return Standing(is_last=True)
