"""The ledger as Scrapy's scheduler."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from scrapy.core.scheduler import BaseScheduler
from scrapy.utils.defer import deferred_from_coro

from sgr_spiders.crawl.doubts import Doubts
from sgr_spiders.crawl.harvest import Harvest
from sgr_spiders.crawl.leaving import LOOK_AGAIN_AFTER
from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.model import signals, statistics
from sgr_spiders.model.exceptions import BudgetSpentError, StorageError
from sgr_spiders.text.formatting import pluralize
from sgr_spiders.traffic.run_control import RunControl
from sgr_spiders.traffic.scrapy_internals import pages_in_work, wake_engine

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request, Spider
    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred

    from sgr_spiders.model.items import Page, Walk
    from sgr_spiders.storage.ledger.spill import Spilled
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)

LEASE_SIZE = 16
"""Walks per lease: few enough that those in memory are fetched soon, many enough that leasing costs little
compared with the pages."""

LOW_WATER = 8
"""Number of walks in memory at which more are leased: a lease queues behind the pages for the writer."""


class LedgerScheduler(BaseScheduler):
    """Hands out one page of each leased walk at a time.

    The next page of a walk, and the walks that a page leads to, become available only after that page is
    committed. A request that a middleware returns (a retry) goes out first. It exists only in memory, but
    its walk is leased, and the next run gives the lease back if this run is killed.

    No method blocks: the writer's thread leases walks, and the engine is woken when they have arrived. No
    request is sent while ``CONCURRENT_ITEMS`` pages wait to be committed, or while a record known to be good
    is asked for.
    """

    def __init__(self, crawler: Crawler, spider: HarvestSpider) -> None:
        self._crawler = crawler
        self._harvest = Harvest.of(crawler)
        self._doubts = Doubts.of(crawler)
        self._spider = spider
        self._returned: deque[Request] = deque()
        self._leased: deque[Walk] = deque()
        self._drained = False
        self._was_doubtful = False
        self._changes = 0
        self._leasing: asyncio.Task[None] | None = None
        self._held: set[int] = set()
        self._waits = False
        self._budget = spider.arguments.max_requests
        self._handed_out = 0
        self._max_pages = crawler.settings.getint("CONCURRENT_ITEMS")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        assert isinstance(crawler.spider, HarvestSpider)
        scheduler = cls(crawler, crawler.spider)
        crawler.signals.connect(scheduler.page_spilled, signal=signals.page_spilled)
        crawler.signals.connect(scheduler.page_dropped, signal=signals.page_dropped)
        return scheduler

    def open(self, spider: Spider) -> Deferred[None]:
        return deferred_from_coro(self._harvest.start())

    def has_pending_requests(self) -> bool:
        if self._leasing is not None or self._doubts.is_asking:
            return True
        return (self._has_work() or self._waits) and not self._is_spent()

    def enqueue_request(self, request: Request) -> bool:
        self._returned.append(request)
        # It may be the first request of a turn (crawl/next_turn.py), whose walk was leased there.
        self._held.add(request.cb_kwargs["walk"].walk_id)
        self._note_change()
        return True

    def next_request(self) -> Request | None:
        if len(self._leased) < LOW_WATER and not self._is_drained and self._leasing is None:
            self._leasing = asyncio.get_running_loop().create_task(self._lease())
        if (not self._returned and not self._leased) or self._doubts.is_asking:
            return None
        if self._is_spent():
            self._note_spent()
            return None
        if pages_in_work(self._crawler) >= self._max_pages:
            # The engine comes again when a page is committed.
            return None
        self._handed_out += 1
        if self._returned:
            return self._returned.popleft()
        return self._spider.request_for(self._leased.popleft())

    def page_spilled(self, page: Page, spilled: Spilled) -> None:
        """Continue the walk if it has a next page, and look for new walks, to which the page may have led."""
        if spilled.walk is not None:
            self._leased.append(spilled.walk)
        else:
            self._held.discard(page.walk.walk_id)
        self._note_change()

    def page_dropped(self, page: Page) -> None:
        """Drop the leased walks: if one of them has moved, others have probably taken all of them over.

        What is leased to this worker all the same is given back when nothing else is left.
        """
        self._held -= {page.walk.walk_id, *(walk.walk_id for walk in self._leased)}
        self._leased.clear()
        self._note_change()

    def _note_change(self) -> None:
        self._drained = False
        self._changes += 1

    def _has_work(self) -> bool:
        return bool(self._returned or self._leased) or not self._is_drained

    @property
    def _is_drained(self) -> bool:
        # Records that left lists are looked up when nothing is doubted any more.
        return self._drained and not (self._was_doubtful and not self._doubts.is_open)

    def _is_spent(self) -> bool:
        """Return whether the budget is used up, by requests of walks or by checks of the API."""
        get = self._crawler.stats.get_value
        checks = get(statistics.PROBES, 0) + get(statistics.WITNESSES, 0)
        return self._budget is not None and self._handed_out + checks >= self._budget

    def _note_spent(self) -> None:
        # The crawl ends after the last response in flight.
        budget = pluralize(self._budget or 0, "request")
        error = BudgetSpentError(f"the budget of {budget} is spent")
        control = RunControl.of(self._crawler)
        control.error = control.error or error

    async def _lease(self) -> None:
        changes = self._changes
        leased: list[Walk] = []
        try:
            leased, self._waits = await self._harvest.writer.run(self._lease_some)
            self._harvest.planner.note_leased()
        except StorageError as error:
            RunControl.of(self._crawler).stop(error)
        except Exception:
            # Otherwise the engine would ask repeatedly.
            logger.exception("Could not lease walks")
            self._harvest.note_internal_error()
        finally:
            self._leasing = None
        self._leased.extend(leased)
        self._held.update(walk.walk_id for walk in leased)
        # A page committed since may have led to walks that this lease could not see.
        self._drained = not leased and changes == self._changes
        self._was_doubtful = self._doubts.is_open
        if self._drained and self._waits:
            self._wait_for_others()
        wake_engine(self._crawler)

    def _wait_for_others(self) -> None:
        # They may wait for this worker's doubts.
        self._doubts.settle()
        asyncio.get_running_loop().call_later(LOOK_AGAIN_AFTER, self._look_again)

    def _look_again(self) -> None:
        self._note_change()
        wake_engine(self._crawler)

    def _lease_some(self, connection: Connection) -> tuple[list[Walk], bool]:
        planner = self._harvest.planner
        leased = planner.lease(connection, LEASE_SIZE, self._held, self._doubts.walks)
        return leased, not leased and planner.waits_for_others(planner.ledger(connection))
