"""Skip unchanged records."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.model import signals
from sgr_spiders.model.items import FIELDS, MAIN_TYPES, Comment, Fullness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

    from sgr_spiders.model.items import Entry, MainRecord, Page
    from sgr_spiders.soundcloud.track_cache import TrackCache
    from sgr_spiders.storage.ledger.spill import Spilled


VALUES = {kind: attrgetter(*names) for kind, names in FIELDS.items()}
"""Getters of all values of a record, by its kind."""


class DedupePipeline:
    """Marks the records of a page that are already committed in this version, so that the spill skips them.

    It compares whole records, never engagements, with all their fields: a fuller or newer version is never
    skipped. It remembers a version after its page is committed, and at most the last ``DEDUPE_MEMORY``
    versions. Then it also caches the tracks of the page, unless something on it was rejected: a cached track
    would not be rejected again.
    """

    def __init__(self, capacity: int, track_cache: TrackCache, stats: StatsCollector) -> None:
        self._capacity = capacity
        self._track_cache = track_cache
        self._stats = stats
        self._committed: dict[int, None] = {}
        self._pending: dict[int, dict[int, int]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        assert crawler.stats is not None
        assert isinstance(crawler.spider, HarvestSpider)
        pipeline = cls(crawler.settings.getint("DEDUPE_MEMORY"), crawler.spider.track_cache, crawler.stats)
        crawler.signals.connect(pipeline.page_spilled, signal=signals.page_spilled)
        crawler.signals.connect(pipeline.page_dropped, signal=signals.page_dropped)
        return pipeline

    def process_item(self, item: Page) -> Page:
        versions: dict[int, int] = {}
        cached = sum(len(entry.main()) for entry in item.entries if entry.cached is not None)
        for record in _new_records(item.entries):
            # Versions are compared by 64-bit hashes: among a few hundred thousand, two collide with a
            # probability below 1 in 100 million.
            version = hash((record.kind, VALUES[record.kind](record)))
            if version in self._committed:
                item.known.add((record.kind, record.record_id, _fullness(record)))
            versions[id(record)] = version
        self._pending[id(item)] = versions
        self._stats.inc_value("sgr/dedupe/records", len(versions) + cached)
        self._stats.inc_value("sgr/dedupe/known", len(item.known) + cached)
        return item

    def page_spilled(self, page: Page, spilled: Spilled) -> None:
        """Remember the committed versions, without the entries beyond a cap."""
        versions = self._pending.pop(id(page), {})
        committed = {id(record) for record in _new_records(spilled.entries)}
        for version in map(versions.__getitem__, committed):
            self._committed.pop(version, None)
            self._committed[version] = None
        if not page.rejects:
            self._track_cache.keep(page.cacheable, committed)
        while len(self._committed) > self._capacity:
            del self._committed[next(iter(self._committed))]

    def page_dropped(self, page: Page) -> None:
        """Forget the versions of a page that was not committed."""
        self._pending.pop(id(page), None)


def _new_records(entries: list[Entry]) -> Iterator[MainRecord]:
    """Yield the whole records of the *entries* that are not cached."""
    for entry in entries:
        if entry.cached is None:
            for record in entry.records():
                if isinstance(record, MAIN_TYPES):
                    yield record


def _fullness(record: MainRecord) -> int:
    return Fullness.STUB if isinstance(record, Comment) else record.fullness
