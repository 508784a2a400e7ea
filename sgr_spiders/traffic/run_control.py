"""The end of a run, and waits that end with the run."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.defer import deferred_from_coro

from sgr_spiders.model.exceptions import BudgetSpentError
from sgr_spiders.model.signals import run_closing
from sgr_spiders.traffic import scrapy_internals
from sgr_spiders.traffic.extension import Extension

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from sgr_spiders.model.exceptions import HarvestError

logger = logging.getLogger(__name__)

WATCH_INTERVAL = 0.1
"""Seconds between two checks whether the spider is closing. Scrapy has no signal for that, and an interrupted
run must end at once even during a pause of an hour."""


class Abandoned(IgnoreRequest):
    """A request without a response because the run closes. It has not failed; the next run resumes its walk.

    Everything that makes a request wait raises it, and so does the last step before the network.
    """


class Refused(Abandoned):
    """A request whose response stopped the run. The next run asks for its walk last."""


class RunControl(Extension):
    """Extension that stops the run because of an error, and wakes all waits when the run closes.

    ``RunControl.of(crawler)`` returns it. ``error`` is the first error passed to ``stop``, or ``None`` if the
    run ended normally; it remains available after the crawl.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.error: HarvestError | None = None
        self._crawler = crawler
        self._closed = asyncio.Event()
        self._watch_task: asyncio.Task[None] | None = None
        self._stopping: Deferred[None] | None = None
        self._on_close: list[Callable[[], None]] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RunControl:
        control = cls(crawler)
        crawler.signals.connect(control.spider_opened, signals.spider_opened)
        crawler.signals.connect(control.spider_closed, signals.spider_closed)
        return control

    @property
    def closing(self) -> bool:
        """True if the run closes or has closed: no request is sent, and no wait continues."""
        return self._closed.is_set()

    def stop(self, error: HarvestError) -> None:
        """End the run because of *error*. Requests without a response are abandoned, not failed."""
        if self.error is not None:
            return
        self.error = error
        self._close()
        if isinstance(error, BudgetSpentError):
            # The user asked for this end.
            logger.info("Stopping: %s", error)
        else:
            logger.error("Stopping: %s", error)
        reason = type(error).__name__.removesuffix("Error").lower()
        self._stopping = deferred_from_coro(self._crawler.engine.close_spider_async(reason=reason))
        self._stopping.addErrback(_log_failure)

    async def sleep(self, seconds: float) -> None:
        """Wait; raise ``Abandoned`` as soon as the run closes."""
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

    def call_on_close(self, function: Callable[[], None]) -> None:
        """Call *function* as soon as the run closes."""
        self._on_close.append(function)

    def spider_opened(self) -> None:
        self._watch_task = asyncio.get_running_loop().create_task(self._watch())

    def spider_closed(self) -> None:
        if self._watch_task is not None:
            self._watch_task.cancel()
        self._note_closed()

    async def _watch(self) -> None:
        while not self.closing:
            if scrapy_internals.is_closing(self._crawler):
                self._close()
                self._crawler.signals.send_catch_log(run_closing)
                return
            await asyncio.sleep(WATCH_INTERVAL)

    def _note_closed(self) -> None:
        self._closed.set()
        for function in self._on_close:
            function()

    def _close(self) -> None:
        self._note_closed()
        # From here on the download handler abandons all requests.
        scrapy_internals.release_queues(self._crawler)


def _log_failure(failure: Failure) -> None:
    logger.error("Could not close the spider: %s", failure.getErrorMessage())
