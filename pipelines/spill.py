"""Commit a page, one transaction each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.exceptions import DropItem

from sgr_spiders.crawl.harvest import Harvest
from sgr_spiders.model import signals
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage.ledger.spill import spill_page
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

    from sgr_spiders.model.items import Page


class SpillPipeline:
    """Writes a page, the walks it gives rise to and its walk's new cursor, or nothing of it."""

    def __init__(self, crawler: Crawler, harvest: Harvest) -> None:
        self._crawler = crawler
        self._harvest = harvest

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler, Harvest.of(crawler))

    def process_item(self, item: Page) -> Page:
        store, planner = self._harvest.store, self._harvest.planner
        try:
            with store.write() as connection:
                spilled = spill_page(connection, item, planner.run)
                if spilled is not None:
                    planner.page_spilled(connection, item, ended=spilled.walk is None)
        except StorageError as error:
            RunControl.of(self._crawler).stop(error)
            raise DropItem(str(error)) from error
        if spilled is None:
            raise DropItem(
                f"walk {item.walk.endpoint} {item.walk.target} has moved on since this page was begun"
            )
        self._crawler.signals.send_catch_log(signals.page_spilled, page=item, spilled=spilled)
        return item
