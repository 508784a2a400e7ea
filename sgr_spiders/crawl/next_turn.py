"""The change from one due seed to the next in a scheduled run."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import DontCloseSpider, NotConfigured

from sgr_spiders.crawl.doubts import Doubts
from sgr_spiders.crawl.harvest import Harvest
from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.traffic.run_control import RunControl
from sgr_spiders.traffic.scrapy_internals import wake_engine

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

    from sgr_spiders.crawl.planner import Planner
    from sgr_spiders.crawl.turns import Turns
    from sgr_spiders.model.items import Walk
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)


class NextTurn:
    """Extension that begins the turn of the next due seed when the current one has nothing left to fetch.

    The turn begins in the writer's thread. The idle spider stays open meanwhile.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._taking: asyncio.Task[None] | None = None
        self._is_over = False
        crawler.signals.connect(self.spider_idle, signal=signals.spider_idle)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not isinstance(crawler.spider, HarvestSpider) or not crawler.spider.arguments.due:
            raise NotConfigured
        return cls(crawler)

    def spider_idle(self, spider: HarvestSpider) -> None:
        """Take the next turn, unless none is left or the run stops."""
        turns = Harvest.of(self._crawler).turns
        if self._taking is None:
            if self._is_over or turns is None or RunControl.of(self._crawler).error is not None:
                return
            if Doubts.of(self._crawler).is_open:
                raise DontCloseSpider
            self._taking = asyncio.get_running_loop().create_task(self._take(spider, turns))
        raise DontCloseSpider

    async def _take(self, spider: HarvestSpider, turns: Turns) -> None:
        """Request the first page of the next turn; the scheduler then finds the others."""
        harvest, control = Harvest.of(self._crawler), RunControl.of(self._crawler)
        walk: Walk | None = None
        try:
            walk = await harvest.writer.run(
                lambda connection: _first_walk(connection, turns, harvest.planner)
            )
        except StorageError as error:
            control.stop(error)
        except Exception:
            # Otherwise the spider would close as if no seed were left.
            logger.exception("Could not begin the next turn")
            harvest.note_internal_error()
        finally:
            self._taking = None
        # If the run is closing by now, its end gives the walk back.
        if walk is not None and not control.closing:
            self._crawler.engine.crawl(spider.request_for(walk))
        else:
            self._is_over = True
            wake_engine(self._crawler)


def _first_walk(connection: Connection, turns: Turns, planner: Planner) -> Walk | None:
    """Begin the next turn; return its first walk, ``None`` if no turn is left."""
    if not turns.advance(connection):
        return None
    (walk,) = planner.ledger(connection).lease(1)
    return walk
