"""The metrics of a running crawl, in a file and on a port."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy import signals as scrapy_signals
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import create_looping_call

from sgr_spiders.config.settings import listen_address
from sgr_spiders.crawl.harvest import Harvest
from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.model import signals, statistics
from sgr_spiders.model.exceptions import HarvestError
from sgr_spiders.model.items import RECORD_TYPES
from sgr_spiders.reports.metrics.reading import Lane, Reading
from sgr_spiders.storage.figures.harvest_state import HarvestState, LastRun, read_state
from sgr_spiders.storage.store import Store
from sgr_spiders.traffic.lanes import Lanes
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

    from sgr_spiders.model.items import Page
    from sgr_spiders.reports.metrics.page import MetricsPage
    from sgr_spiders.storage.ledger.spill import Spilled

logger = logging.getLogger(__name__)

READING_SHARE = 0.01
"""The share of the time that may go into reading the database: counting millions of rows takes seconds."""


class Metrics:
    """Extension that updates the metrics of the crawl every ``HARVEST_METRICS_INTERVAL`` seconds.

    Threads of their own read the database, write the file and serve the port. The file is written once more
    when the run has ended, and stays.
    """

    def __init__(self, crawler: Crawler, file: Path | None, address: tuple[str, int] | None) -> None:
        self._crawler = crawler
        self._file = file
        self._address = address
        # Harvest's own is closed before the last update.
        self._store = Store(crawler.settings["HARVEST_DATABASE_URL"])
        self._page: MetricsPage | None = None
        self._started = time.time()
        self._has_begun = False
        self._pages = 0
        self._received = Counter(dict.fromkeys(RECORD_TYPES, 0))
        self._state = HarvestState()
        self._read_again = 0.0
        self._is_written = True
        self._timer = create_looping_call(self._update)
        self._updating: asyncio.Task[None] | None = None
        connect = crawler.signals.connect
        connect(self.spider_opened, signal=scrapy_signals.spider_opened)
        connect(self.page_spilled, signal=signals.page_spilled)
        connect(self.engine_stopped, signal=scrapy_signals.engine_stopped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        file, port = (crawler.settings[f"HARVEST_METRICS_{name}"] for name in ("FILE", "PORT"))
        if (not file and port in {"", None}) or not isinstance(crawler.spider, HarvestSpider):
            raise NotConfigured
        return cls(
            crawler, Path(file) if file else None, None if port in {"", None} else listen_address(port)
        )

    async def spider_opened(self) -> None:
        self._has_begun = RunControl.of(self._crawler).error is None
        self._page = await asyncio.to_thread(self._create_page)
        await self._refresh()
        if self._address is not None:
            # In a thread, because the name of the host may have to be looked up.
            await asyncio.to_thread(self._serve, self._page, *self._address)
        # The first read includes compiling the queries, so its duration says nothing about the next.
        self._read_again = 0.0
        self._timer.start(self._crawler.settings.getfloat("HARVEST_METRICS_INTERVAL"), now=False)

    def page_spilled(self, page: Page, spilled: Spilled) -> None:
        self._pages += 1
        self._received.update(entry.record.kind for entry in spilled.entries)

    async def engine_stopped(self) -> None:
        """Update the metrics a last time: the outcome is saved, and the database is closed."""
        if self._timer.running:
            self._timer.stop()
        if self._updating is not None:
            await self._updating
        self._read_again = 0.0
        await self._refresh(ended_at=time.time())

    def _create_page(self) -> MetricsPage:
        # Lazy import: most crawls have no metrics, and it takes 0.1 s.
        from sgr_spiders.reports.metrics.page import MetricsPage  # noqa: PLC0415

        labels = {"database": self._store.name}
        if self._file is not None:
            # The textfile collector refuses two files with the same metric and labels.
            labels["worker"] = self._file.stem
        return MetricsPage(labels)

    def _serve(self, page: MetricsPage, host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        try:
            port = page.serve(host, port)
        except OSError as error:
            logger.warning(
                "Could not serve metrics on %s:%d: %s; the crawl continues", shown, port, error.strerror
            )
        else:
            logger.info("Serving metrics at http://%s:%d/metrics", shown, port)

    def _update(self) -> None:
        if self._updating is None:
            self._updating = asyncio.get_running_loop().create_task(self._refresh())

    async def _refresh(self, ended_at: float | None = None) -> None:
        """Show the current figures; those of the database as often as reading them is cheap."""
        try:
            if time.monotonic() >= self._read_again:
                await self._read_state()
            if self._page is not None:
                self._page.reading = self._read(ended_at)
                if self._file is not None:
                    await asyncio.to_thread(self._write, self._page, self._file)
        finally:
            self._updating = None

    async def _read_state(self) -> None:
        """Read the figures of the database; after an error, which also stops the run, they do not change."""
        began = time.monotonic()
        with suppress(HarvestError):
            if self._has_begun:
                self._state = await asyncio.to_thread(self._query)
        now = time.monotonic()
        self._read_again = now + (now - began) / READING_SHARE

    def _query(self) -> HarvestState:
        with self._store.read() as connection:
            return read_state(connection, Harvest.of(self._crawler).planner.run)

    def _read(self, ended_at: float | None) -> Reading:
        stats = self._crawler.stats.get_stats()
        return Reading(
            now=time.time(),
            started=self._started,
            running=ended_at is None,
            stats={name: value for name, value in stats.items() if isinstance(value, int | float)},
            pages=self._pages,
            received=self._received.copy(),
            lanes=self._lanes(),
            state=self._state,
            last_run=self._last_run(ended_at),
        )

    def _lanes(self) -> list[Lane]:
        offset = time.time() - time.monotonic()
        held = {lane: lane.pace.open_at + offset for lane in Lanes.of(self._crawler).all}
        return [
            Lane(lane.name, lane.state, lane.pace.interval, until if until > time.time() else 0)
            for lane, until in held.items()
        ]

    def _last_run(self, ended_at: float | None) -> LastRun | None:
        """Return the last run that the database knows, or this one if it ended without saving its outcome."""
        code = self._crawler.stats.get_value(statistics.EXIT_CODE)
        if ended_at is not None and code is not None and Harvest.of(self._crawler).result is None:
            return LastRun(None, code, ended_at)
        return self._state.last_run

    def _write(self, page: MetricsPage, file: Path) -> None:
        """Write the file; warn once, until it can be written again."""
        try:
            page.write(file)
        except OSError as error:
            if self._is_written:
                logger.warning("Could not write metrics to %s: %s; the crawl continues", file, error.strerror)
            self._is_written = False
        else:
            self._is_written = True
