"""From one due seed to the next in a scheduled run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import DontCloseSpider, NotConfigured

from sgr_spiders.crawl.harvest import Harvest
from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage.ledger import frontier
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)


class NextTurn:
    """Begins the turn of the next due seed when nothing is left to fetch for the one before."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        crawler.signals.connect(self.spider_idle, signal=signals.spider_idle)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not isinstance(crawler.spider, HarvestSpider) or not crawler.spider.arguments.due:
            raise NotConfigured
        return cls(crawler)

    def spider_idle(self, spider: HarvestSpider) -> None:
        """Send for the first page of the next turn; the scheduler then finds the others."""
        harvest, control = Harvest.of(self._crawler), RunControl.of(self._crawler)
        if control.error is not None or harvest.turns is None:
            return
        try:
            with harvest.store.write() as connection:
                if not harvest.turns.advance(connection):
                    return
                (walk,) = frontier.lease(connection, harvest.planner.run, 1)
        except StorageError as error:
            control.stop(error)
            return
        except Exception:
            # Else the spider would close as if no seed were left.
            logger.exception("Going on to the next seed failed")
            harvest.note_internal_error()
            return
        self._crawler.engine.crawl(spider.request_for(walk))
        raise DontCloseSpider
