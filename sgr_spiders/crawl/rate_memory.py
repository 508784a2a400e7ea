"""The learned request rate, kept in the database from run to run."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.model.signals import rate_learned
from sgr_spiders.soundcloud.tokens import Credentials
from sgr_spiders.storage import request_rates
from sgr_spiders.text.formatting import duration
from sgr_spiders.traffic.gate import Gate
from sgr_spiders.traffic.origin import Origin

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from sgr_spiders.crawl.writer import Writer
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)


class RateMemory:
    """Passes the gate the rate that the previous run learned, and stores what this run learns."""

    def __init__(self, crawler: Crawler, writer: Writer) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._writer = writer
        self._key = request_rates.Key(
            str(Origin.required(settings["SOUNDCLOUD_API_URL"], "SOUNDCLOUD_API_URL")),
            Credentials.from_settings(settings).fingerprint,
        )
        self._saving: set[asyncio.Task[None]] = set()
        crawler.signals.connect(self.rate_learned, signal=rate_learned)

    def load(self, connection: Connection) -> None:
        """Pass the stored rate on to the gate, if there is one."""
        stored = request_rates.load(connection, self._key)
        if stored is None:
            return
        if stored.age < 0:
            logger.info("Ignoring the learned request rate: its time is in the future")
            return
        gate = Gate.of(self._crawler)
        gate.resume_rate(stored.interval, stored.age)
        logger.info(
            "Request rate: one every %.2f s at first, learned %s ago",
            gate.pace.interval,
            duration(stored.age),
        )

    def save(self, connection: Connection) -> None:
        """Store the learned rate, or that nothing limits it, if this run has sent requests."""
        pace = Gate.of(self._crawler).pace
        if pace.is_used:
            interval = None if pace.rate.value is None else pace.rate.interval
            request_rates.save(connection, self._key, interval)

    def rate_learned(self) -> None:
        """Store the rate at once, because the process may be killed."""
        task = asyncio.get_running_loop().create_task(self._save())
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def _save(self) -> None:
        try:
            await self._writer.run(self.save)
        except StorageError:
            # The next page gets the same error, which stops the run.
            return
