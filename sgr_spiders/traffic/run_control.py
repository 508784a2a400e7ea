"""The one way to stop a run with an outcome, and to wait no longer than it lasts."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.utils.defer import deferred_from_coro

from sgr_spiders.model.signals import run_closing
from sgr_spiders.traffic.abandoned import Abandoned

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from sgr_spiders.model.exceptions import HarvestError

logger = logging.getLogger(__name__)

WATCH_INTERVAL = 0.1
"""How often the engine is asked whether it closes, in seconds: Scrapy has no signal for that, and a
run that is interrupted in the middle of an hour's wait should end at once."""


class RunControl:
    """Stops the run with the error that ends it, and wakes whoever waits when the run closes.

    An extension: ``RunControl.of(crawler)`` finds it. ``error`` is the first one given to ``stop``,
    ``None`` when the run ended by itself; it outlives the crawl.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.error: HarvestError | None = None
        self._crawler = crawler
        self._closed = asyncio.Event()
        self._watch_task: asyncio.Task[None] | None = None
        self._stopping: Deferred[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RunControl:
        control = cls(crawler)
        crawler.signals.connect(control.spider_opened, signals.spider_opened)
        crawler.signals.connect(control.spider_closed, signals.spider_closed)
        return control

    @classmethod
    def of(cls, crawler: Crawler) -> RunControl:
        control = crawler.get_extension(cls)
        if control is None:
            raise RuntimeError("setting `EXTENSIONS`: RunControl is missing")
        return control

    @property
    def closing(self) -> bool:
        """Whether the run closes or has closed: nothing more is sent, nothing waits."""
        return self._closed.is_set()

    def stop(self, error: HarvestError) -> None:
        """End the run because of ``error``. What is not answered yet is abandoned, not failed."""
        if self.error is not None:
            return
        self.error = error
        self._close()
        logger.error("Stopping: %s", error)
        reason = type(error).__name__.removesuffix("Error").lower()
        self._stopping = deferred_from_coro(self._crawler.engine.close_spider_async(reason=reason))
        self._stopping.addErrback(_log_failure)

    async def sleep(self, seconds: float) -> None:
        """Wait, or raise ``Abandoned`` as soon as the run closes."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._closed.wait()
        except TimeoutError:
            return
        self.check()

    def check(self) -> None:
        """Raise ``Abandoned`` if the run closes."""
        if self.closing:
            raise Abandoned("the run closes")

    def spider_opened(self) -> None:
        self._watch_task = asyncio.get_running_loop().create_task(self._watch())

    def spider_closed(self) -> None:
        if self._watch_task is not None:
            self._watch_task.cancel()
        self._closed.set()

    async def _watch(self) -> None:
        while not self.closing:
            slot = self._crawler.engine._slot  # noqa: SLF001 - nothing public tells that closing has begun
            if slot is not None and slot.closing is not None:
                self._close()
                self._crawler.signals.send_catch_log(run_closing)
                return
            await asyncio.sleep(WATCH_INTERVAL)

    def _close(self) -> None:
        self._closed.set()
        # Requests that wait for the delay would hold up the end by up to AUTOTHROTTLE_MAX_DELAY each.
        # They are let go to the download handler, which sends nothing any more.
        downloader = self._crawler.engine.downloader
        for slot in downloader.slots.values():
            slot.delay = 0.0
            slot.close()
            downloader._process_queue(slot)  # noqa: SLF001 - no public way to make a slot look again


def _log_failure(failure: Failure) -> None:
    logger.error("Closing the spider failed: %s", failure.getErrorMessage())
