"""Validate a page, and return the statistics."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler

from pipelines.validate import ValidatePipeline

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from sgr_spiders.model.items import Page

_PREFIX = "sgr/validate/"


@cache
def _crawler() -> Crawler:
    return get_crawler()


def validate(page: Page) -> tuple[Page, dict[str, int]]:
    crawler = _crawler()
    crawler.stats = stats = MemoryStatsCollector(crawler)
    found = ValidatePipeline.from_crawler(crawler).process_item(page)
    assert found is page
    return page, {name.removeprefix(_PREFIX): count for name, count in stats.get_stats().items()}
