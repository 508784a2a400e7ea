"""Committed records are not written again; rejected ones are rejected every time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler

from pipelines.dedupe import DedupePipeline
from sgr_spiders.model.items import Page, Walk
from sgr_spiders.soundcloud.answers import Answer, Kind
from sgr_spiders.soundcloud.pages import page_from_answer
from sgr_spiders.soundcloud.track_cache import TrackCache
from sgr_spiders.storage.ledger.spill import Spilled
from tests.pipelines.counting import validate
from tests.soundcloud.documents import track


class Pages:
    """Pages of likes that are parsed, validated, deduplicated and committed."""

    def __init__(self) -> None:
        self.cache = TrackCache()
        self.stats = MemoryStatsCollector(get_crawler())
        self.dedupe = DedupePipeline(100, self.cache, self.stats)
        self._fetched = 0

    def fetch(self, *tracks: dict[str, Any], kept: int | None = None) -> Page:
        """Fetch a page and commit it, or only its first *kept* entries."""
        self._fetched += 1
        walk = Walk(self._fetched, "user_likes", str(self._fetched))
        body = json.dumps({"collection": tracks}).encode()
        answer = Answer(Kind.OK, self.cache.decode(body))
        page, _ = validate(page_from_answer(walk, answer, "https://api.example"))
        self.dedupe.process_item(page)
        self.dedupe.page_spilled(page, Spilled(None, "done", None, page.entries[:kept]))
        return page


def test_an_unchanged_committed_record_is_known() -> None:
    pages = Pages()
    assert pages.fetch(track(1)).known == set()
    page = pages.fetch(track(1), track(2))
    assert {(kind, record_id) for kind, record_id, _ in page.known} == {("user", 7)}
    cached, new = page.entries
    assert cached.main() == [("user", 7), ("track", 1)]
    assert cached.cached is not None
    assert new.cached is None


def test_records_are_counted_whether_cached_or_new() -> None:
    pages = Pages()
    pages.fetch(track(1))
    pages.fetch(track(1), track(2))
    # The first page has a track and its uploader; the second repeats both and adds a track of the same user.
    assert pages.stats.get_value("sgr/dedupe/records") == 2 + 4
    assert pages.stats.get_value("sgr/dedupe/known") == 3


def test_another_version_is_not_known() -> None:
    pages = Pages()
    pages.fetch(track(1))
    page = pages.fetch(track(1, title="changed"))
    assert {kind for kind, *_ in page.known} == {"user"}
    assert page.entries[0].cached is None


def test_records_beyond_a_cap_are_not_known() -> None:
    pages = Pages()
    pages.fetch(track(1, user=None), track(2, user=None), kept=1)
    page = pages.fetch(track(1, user=None), track(2, user=None))
    assert [entry.cached is not None for entry in page.entries] == [True, False]
    assert not page.known


@pytest.mark.parametrize("bad", [{"duration": -1}, {"user": {"kind": "user"}}])
def test_a_record_with_a_reject_is_never_cached(bad: dict[str, Any]) -> None:
    pages = Pages()
    rejects = [pages.fetch(track(1, **bad)).rejects for _ in range(2)]
    assert rejects[0]
    assert rejects[0] == rejects[1]
