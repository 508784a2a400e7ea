"""Commit each page in one transaction."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy.exceptions import DropItem

from sgr_spiders.crawl.doubts import Doubts
from sgr_spiders.crawl.harvest import Harvest
from sgr_spiders.model import signals
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage.ledger.spill import spill_page
from sgr_spiders.text.escape import for_log
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

    from sgr_spiders.crawl.planner import Planner
    from sgr_spiders.model.items import Page
    from sgr_spiders.storage.ledger.spill import Spilled
    from sgr_spiders.storage.store import Connection


logger = logging.getLogger(__name__)


class SpillPipeline:
    """Writes a page, the new walks that follow from it and its walk's new cursor atomically.

    The writer's thread commits the pages in the order of their arrival. Then the reactor's thread sends the
    signal ``page_spilled``.
    """

    def __init__(self, crawler: Crawler, harvest: Harvest) -> None:
        self._crawler = crawler
        self._harvest = harvest
        self._doubts = Doubts.of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler, Harvest.of(crawler))

    async def process_item(self, item: Page) -> Page:
        planner = self._harvest.planner
        try:
            spilled = await self._harvest.writer.run(
                lambda connection: _spill(connection, planner, self._doubts, item)
            )
        except StorageError as error:
            RunControl.of(self._crawler).stop(error)
            # The run stops with this error; a line for each page in work would repeat it.
            raise DropItem(str(error), log_level="DEBUG") from error
        if spilled is None:
            self._crawler.signals.send_catch_log(signals.page_dropped, page=item)
            raise DropItem(
                f"walk {item.walk.endpoint} {item.walk.target} has moved since this page was requested"
            )
        self._doubts.page_spilled()
        if spilled.has_restarted:
            logger.info(
                "The API refuses the cursor of walk %s %s (%s); it begins again at page 1",
                item.walk.endpoint,
                for_log(item.walk.target),
                item.reason,
            )
        self._crawler.signals.send_catch_log(signals.page_spilled, page=item, spilled=spilled)
        return item


def _spill(connection: Connection, planner: Planner, doubts: Doubts, page: Page) -> Spilled | None:
    planner.prepare(connection, page.walk.walk_id)
    spilled = spill_page(connection, page, planner.run)
    if spilled is not None and spilled.status != "planned":
        ledger = planner.ledger(connection)
        planner.page_spilled(ledger, page, ended=spilled.walk is None)
        doubts.note(ledger, page, spilled)
    return spilled
