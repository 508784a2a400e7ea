"""Memory of the lanes: what runs learn about them, kept in the database from run to run."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sgr_spiders.crawl.shared_lanes import LaneThread
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.model.signals import lane_changed, rate_learned
from sgr_spiders.storage import lanes
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.text.formatting import duration
from sgr_spiders.traffic.lanes import Lanes
from sgr_spiders.traffic.origin import Origin

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from sgr_spiders.crawl.writer import Writer
    from sgr_spiders.storage.store import Connection, Store
    from sgr_spiders.traffic.lanes import Lane

logger = logging.getLogger(__name__)


class RateMemory:
    """Passes the lanes the rates that the previous run learned, and stores what this run learns.

    On a server, other workers may share the lanes (``HARVEST_SHARE_LANES``).
    """

    def __init__(self, crawler: Crawler, writer: Writer) -> None:
        self._crawler = crawler
        self._writer = writer
        self._origin = str(Origin.required(crawler.settings["SOUNDCLOUD_API_URL"], "SOUNDCLOUD_API_URL"))
        self._may_share = crawler.settings.getbool("HARVEST_SHARE_LANES")
        self._thread: LaneThread | None = None
        self._saving: set[asyncio.Task[None]] = set()
        crawler.signals.connect(self.save_soon, signal=rate_learned)
        crawler.signals.connect(self.save_soon, signal=lane_changed)

    def load(self, connection: Connection) -> None:
        """Pass the stored rates on to the lanes, if there are any."""
        now = timestamp()
        for lane in Lanes.of(self._crawler).all:
            stored = lanes.begin(connection, self._key_of(lane), lane.name, now)
            if stored is not None:
                _resume(lane, stored)

    def share(self, store: Store) -> None:
        """Let the lanes take their slots from the database, if other workers can do so as well."""
        if store.on_server and self._may_share:
            self._thread = LaneThread(self._crawler, store)
            self._thread.share(self._key_of)

    def stop_sharing(self) -> None:
        """End the thread that takes the slots."""
        if self._thread is not None:
            self._thread.close()

    def save(self, connection: Connection) -> None:
        """Store the states and rates of the lanes that this run has used.

        Rates of shared lanes are in the database already.
        """
        for lane in Lanes.of(self._crawler).all:
            key, rate = self._key_of(lane), lane.pace.rate
            if lane.pace.is_used and self._thread is None:
                lanes.save_rate(connection, key, None if rate.value is None else rate.interval)
            if lane.pace.is_used or not lane.is_usable:
                lanes.save_state(connection, key, lane.state, None if lane.error is None else str(lane.error))

    def save_soon(self) -> None:
        """Store both at once, because the process may be killed."""
        task = asyncio.get_running_loop().create_task(self._save())
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    def _key_of(self, lane: Lane) -> lanes.Key:
        return lanes.Key(self._origin, lane.credentials.fingerprint)

    async def _save(self) -> None:
        try:
            await self._writer.run(self.save)
        except StorageError:
            # The next page gets the same error, which stops the run.
            return


def _resume(lane: Lane, stored: lanes.StoredRate) -> None:
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
