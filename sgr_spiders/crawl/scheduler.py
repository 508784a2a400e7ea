"""The ledger as Scrapy's scheduler."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from scrapy.core.scheduler import BaseScheduler

from sgr_spiders.crawl.harvest import Harvest
from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.model import signals
from sgr_spiders.model.exceptions import BudgetSpentError, StorageError
from sgr_spiders.storage.ledger import frontier
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request, Spider
    from scrapy.crawler import Crawler

    from sgr_spiders.model.items import Page, Walk
    from sgr_spiders.storage.ledger.spill import Spilled

LEASE_SIZE = 16
"""Walks leased at a time: few enough that no more wait in memory than are soon fetched, many enough
that leasing costs little beside the pages."""


class LedgerScheduler(BaseScheduler):
    """Hands out one page of each leased walk at a time.

    The next page of a walk, and the walks a page gives rise to, come up only after that page is
    committed. What a middleware sends back (a retry) goes out again first; it is in memory only, but its
    walk is leased and is given back by the next run if this one dies.
    """

    def __init__(self, harvest: Harvest, run_control: RunControl, spider: HarvestSpider) -> None:
        self._harvest = harvest
        self._run_control = run_control
        self._spider = spider
        self._returned: deque[Request] = deque()
        self._leased: deque[Walk] = deque()
        self._drained = False
        self._budget = spider.arguments.max_requests

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        assert isinstance(crawler.spider, HarvestSpider)
        scheduler = cls(Harvest.of(crawler), RunControl.of(crawler), crawler.spider)
        crawler.signals.connect(scheduler.page_spilled, signal=signals.page_spilled)
        return scheduler

    def open(self, spider: Spider) -> None:
        self._harvest.start()

    def has_pending_requests(self) -> bool:
        return self._has_work() and self._budget != 0

    def enqueue_request(self, request: Request) -> bool:
        self._returned.append(request)
        # It may be the first of a seed whose turn begins (crawl/next_turn.py).
        self._drained = False
        return True

    def next_request(self) -> Request | None:
        if not self._returned and not self._leased and not self._drained:
            self._lease()
        if not self._has_work():
            return None
        if self._budget == 0:
            self._note_spent()
            return None
        if self._budget is not None:
            self._budget -= 1
        if self._returned:
            return self._returned.popleft()
        return self._spider.request_for(self._leased.popleft())

    def page_spilled(self, page: Page, spilled: Spilled) -> None:
        """Take up a walk that goes on, and look again for walks: the page may have given rise to some."""
        if spilled.walk is not None:
            self._leased.append(spilled.walk)
        self._drained = False

    def _has_work(self) -> bool:
        return bool(self._returned or self._leased) or not self._drained

    def _note_spent(self) -> None:
        # The crawl ends by itself now, when what is under way has been answered.
        spent = self._spider.arguments.max_requests
        error = BudgetSpentError(f"the budget of {spent} requests is spent")
        self._run_control.error = self._run_control.error or error

    def _lease(self) -> None:
        try:
            with self._harvest.store.write() as connection:
                self._leased.extend(frontier.lease(connection, self._harvest.planner.run, LEASE_SIZE))
        except StorageError as error:
            self._run_control.stop(error)
        self._drained = not self._leased
