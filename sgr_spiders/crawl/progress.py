"""The progress display of a running harvest."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from typing import TYPE_CHECKING

from scrapy import signals as scrapy_signals
from scrapy.exceptions import DontCloseSpider, NotConfigured
from scrapy.utils.asyncio import create_looping_call

from sgr_spiders.crawl.harvest import Harvest
from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.model import signals, statistics
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.reports.progress.estimate import PAGE_SIZES
from sgr_spiders.reports.progress.line import lines
from sgr_spiders.reports.progress.snapshot import RequestState, Snapshot, Tally
from sgr_spiders.storage.figures.progress_counts import WalkCounter
from sgr_spiders.traffic import scrapy_internals
from sgr_spiders.traffic.gate import API_SLOT, Gate
from sgr_spiders.traffic.lanes import Lanes
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from sgr_spiders.model.items import Page
    from sgr_spiders.reports.progress.terminal import Terminal
    from sgr_spiders.storage.figures.progress_counts import WalkGroup
    from sgr_spiders.storage.ledger.spill import Spilled

logger = logging.getLogger(__name__)


FRAME = 0.5
"""Seconds between two drawings of the bar."""

COUNTING_SHARE = 0.01
"""The share of the time that may go into counting walks. Counting 100,000 walks takes half a second, counting
1,000 a few milliseconds."""


class Progress:
    """Extension that shows a bar for each layer on a terminal, and log lines at intervals elsewhere.

    It counts pages and records as they are spilled. It counts walks in the database, which includes earlier
    runs and walks that layers share; a separate thread reads them from a snapshot. The bar disappears when
    the spider is idle or closes, so that other log lines do not mix with it.
    """

    def __init__(self, crawler: Crawler, spider: HarvestSpider, mode: str) -> None:
        self._crawler = crawler
        self._mode = mode
        self._terminal: Terminal | None = None
        rules = spider.rules.items()
        self._counter = WalkCounter({name: layer.expanding_steps for name, layer in rules}, PAGE_SIZES)
        choosing = {name for name, layer in rules if layer.needs_second_pass}
        self._tally = Tally(spider.layer_names, choosing, time.time())
        self._timer = create_looping_call(self._show)
        self._count_again = 0.0
        self._showing: asyncio.Task[None] | None = None
        self._idle = False
        connect = crawler.signals.connect
        connect(self.spider_opened, signal=scrapy_signals.spider_opened)
        connect(self.spider_idle, signal=scrapy_signals.spider_idle)
        connect(self.spider_closed, signal=scrapy_signals.spider_closed)
        connect(self.page_spilled, signal=signals.page_spilled)
        connect(self.hold_started, signal=signals.hold_started)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        mode = _mode(crawler.settings)
        if mode == "off" or not isinstance(crawler.spider, HarvestSpider):
            raise NotConfigured
        return cls(crawler, crawler.spider, mode)

    async def spider_opened(self) -> None:
        if RunControl.of(self._crawler).error is not None:
            return
        await self._count()
        # The first count includes compiling the query, so its duration says nothing about the next.
        self._count_again = 0.0
        if not any(group.pending for group in self._tally.groups):
            return
        settings = self._crawler.settings
        if self._mode == "bar":
            self._terminal = _terminal(settings)
            self._timer.start(FRAME)
        else:
            self._timer.start(settings.getfloat("PROGRESS_INTERVAL"), now=False)

    def page_spilled(self, page: Page, spilled: Spilled) -> None:
        self._idle = False
        self._tally.add_page(entry.record.kind for entry in spilled.entries)

    def hold_started(self, until: float, reason: str) -> None:
        self._tally.holds.begin(time.time(), until, reason)

    def spider_idle(self) -> None:
        """Log the last line, because an idle spider closes unless another extension has more work for it.

        The spider stays open until the walks are counted.
        """
        if not self._timer.running or self._idle:
            return
        if self._terminal is not None:
            self._idle = True
            self._terminal.hide()
            return
        if self._showing is None:
            self._showing = asyncio.get_running_loop().create_task(self._log_last())
        raise DontCloseSpider

    def spider_closed(self) -> None:
        if self._timer.running:
            self._timer.stop()
        if self._terminal is not None:
            self._terminal.hide()

    def _show(self) -> None:
        if not self._idle and self._showing is None:
            self._showing = asyncio.get_running_loop().create_task(self._count_and_show())

    async def _count_and_show(self) -> None:
        try:
            await self._count()
            # The spider may have closed meanwhile.
            if self._timer.running and not self._idle:
                self._draw_or_log()
        finally:
            self._showing = None
            scrapy_internals.wake_engine(self._crawler)

    async def _log_last(self) -> None:
        try:
            self._count_again = 0.0
            await self._count()
            self._idle = True
            self._log()
        finally:
            self._showing = None
            scrapy_internals.wake_engine(self._crawler)

    def _draw_or_log(self) -> None:
        if self._terminal is None:
            self._log()
        else:
            self._draw(self._terminal)

    def _draw(self, terminal: Terminal) -> None:
        from sgr_spiders.reports.progress.block import block  # noqa: PLC0415 - see _terminal

        snapshot = self._snapshot()
        if snapshot.closing and not snapshot.requests.in_flight:
            terminal.hide()
        else:
            terminal.show(block(snapshot, terminal.space))

    def _log(self) -> None:
        for line in lines(self._snapshot()):
            logger.info("%s", line)

    def _snapshot(self) -> Snapshot:
        closing = RunControl.of(self._crawler).closing
        return self._tally.snapshot(time.time(), self._traffic(), closing=closing)

    async def _count(self) -> None:
        began = time.monotonic()
        if began < self._count_again:
            return
        try:
            self._tally.groups = await asyncio.to_thread(self._read_groups)
        except StorageError:
            # The next page gets the same error, which stops the run.
            return
        self._count_again = began + (time.monotonic() - began) / COUNTING_SHARE

    def _read_groups(self) -> Sequence[WalkGroup]:
        harvest = Harvest.of(self._crawler)
        with harvest.store.read() as connection:
            return self._counter.count(connection, harvest.planner.run)

    def _traffic(self) -> RequestState:
        gate, lanes = Gate.of(self._crawler), Lanes.of(self._crawler)
        # Requests to the API that wait for their turn have not been sent.
        in_flight = scrapy_internals.transfer_count(self._crawler, without=API_SLOT) + gate.in_flight
        sent = self._crawler.stats.get_value(statistics.REQUESTS, 0)
        states = {lane.name: lane.state for lane in lanes.all} if len(lanes.all) > 1 else {}
        return RequestState(sent, in_flight, lanes.interval, is_limited=lanes.is_limited, lanes=states)


def _mode(settings: BaseSettings) -> str:
    """Return ``bar``, ``lines`` or ``off``."""
    asked = settings["PROGRESS"]
    if asked == "off":
        return "off"
    # A dumb terminal cannot move its cursor, and a JSON log must contain nothing else.
    if os.environ.get("TERM") in {"dumb", "unknown"} or settings.getbool("LOG_JSON"):
        return "lines"
    has_bar = asked == "bar" or (sys.stderr.isatty() and not settings["LOG_FILE"])
    return "bar" if has_bar else "lines"


def _terminal(settings: BaseSettings) -> Terminal:
    # Lazy import: rich is slow to import, and most crawls have no terminal.
    from sgr_spiders.reports.progress.terminal import Terminal  # noqa: PLC0415

    # Scrapy replaces its handler after it has created the extensions, so it is read here.
    plain = logging.Formatter(settings["LOG_FORMAT"], settings["LOG_DATEFORMAT"])
    return Terminal(scrapy_internals.root_log_handler(), plain, forced=settings["PROGRESS"] == "bar")
