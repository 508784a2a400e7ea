"""The time limit of a crawl."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import NotConfigured

from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.model.exceptions import BudgetSpentError
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler


class Deadline:
    """Extension that stops the run after the spider's ``max_minutes``, also during a rate-limit pause."""

    def __init__(self, crawler: Crawler, minutes: float) -> None:
        self._crawler = crawler
        self._minutes = minutes
        self._timer: asyncio.TimerHandle | None = None
        crawler.signals.connect(self.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(self.spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        spider = crawler.spider
        if not isinstance(spider, HarvestSpider) or spider.arguments.max_minutes is None:
            raise NotConfigured
        return cls(crawler, spider.arguments.max_minutes)

    def spider_opened(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._minutes * 60, self._stop)

    def spider_closed(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _stop(self) -> None:
        error = BudgetSpentError(f"the budget of {self._minutes:g} min is spent")
        RunControl.of(self._crawler).stop(error)
