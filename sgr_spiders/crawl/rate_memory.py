"""The learned request rates of the lanes, kept in the database from run to run."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.model.signals import rate_learned
from sgr_spiders.storage import request_rates
from sgr_spiders.text.formatting import duration
from sgr_spiders.traffic.lanes import Lanes
from sgr_spiders.traffic.origin import Origin

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from sgr_spiders.crawl.writer import Writer
    from sgr_spiders.storage.store import Connection
    from sgr_spiders.traffic.lanes import Lane

logger = logging.getLogger(__name__)


class RateMemory:
    """Passes the lanes the rates that the previous run learned, and stores what this run learns."""

    def __init__(self, crawler: Crawler, writer: Writer) -> None:
        self._crawler = crawler
        self._writer = writer
        self._origin = str(Origin.required(crawler.settings["SOUNDCLOUD_API_URL"], "SOUNDCLOUD_API_URL"))
        self._saving: set[asyncio.Task[None]] = set()
        crawler.signals.connect(self.rate_learned, signal=rate_learned)

    def load(self, connection: Connection) -> None:
        """Pass the stored rates on to the lanes, if there are any."""
        for lane in Lanes.of(self._crawler).all:
            stored = request_rates.load(connection, self._key_of(lane))
            if stored is not None:
                _resume(lane, stored)

    def save(self, connection: Connection) -> None:
        """Store the learned rates, or that nothing limits them, of the lanes that have sent requests."""
        for lane in Lanes.of(self._crawler).all:
            rate = lane.pace.rate
            if lane.pace.is_used:
                interval = None if rate.value is None else rate.interval
                request_rates.save(connection, self._key_of(lane), interval)

    def rate_learned(self) -> None:
        """Store the rate at once, because the process may be killed."""
        task = asyncio.get_running_loop().create_task(self._save())
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    def _key_of(self, lane: Lane) -> request_rates.Key:
        return request_rates.Key(self._origin, lane.credentials.fingerprint)

    async def _save(self) -> None:
        try:
            await self._writer.run(self.save)
        except StorageError:
            # The next page gets the same error, which stops the run.
            return


def _resume(lane: Lane, stored: request_rates.StoredRate) -> None:
    """Start *lane* with a stored rate."""
    of_lane = f" of lane {lane.name}" if lane.is_named else ""
    if stored.age < 0:
        logger.info("Ignoring the learned request rate%s: its time is in the future", of_lane)
        return
    lane.resume_rate(stored.interval, stored.age)
    logger.info(
        "Request rate%s: one every %.2f s at first, learned %s ago",
        of_lane,
        lane.pace.interval,
        duration(stored.age),
    )
