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
from tests.soundcloud.documents import comment, track, user


class Pages:
    """Pages of likes that are parsed, validated, deduplicated and committed."""

    def __init__(self, capacity: int = 100) -> None:
        self.cache = TrackCache()
        self.stats = MemoryStatsCollector(get_crawler())
        self.dedupe = DedupePipeline(capacity, self.cache, self.stats)
        self._fetched = 0

    def fetch(self, *items: dict[str, Any], kept: int | None = None, endpoint: str = "user_likes") -> Page:
        """Fetch a page and commit it, or only its first *kept* entries."""
        self._fetched += 1
        walk = Walk(self._fetched, endpoint, str(self._fetched))
        body = json.dumps({"collection": items}).encode()
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


def test_comments_and_their_authors_are_known() -> None:
    pages = Pages()
    pages.fetch(comment(5), endpoint="track_comments")
    # The spill knows a comment by the fullness 0, because comments have none.
    assert pages.fetch(comment(5), endpoint="track_comments").known == {("comment", 5, 0), ("user", 9, 2)}


def test_the_versions_met_last_are_remembered() -> None:
    pages = Pages(capacity=2)

    def meet(number: int) -> bool:
        return bool(pages.fetch(user(number), endpoint="track_favoriters").known)

    assert [meet(number) for number in (1, 2, 1, 3, 1, 2)] == [False, False, True, False, True, False]


@pytest.mark.parametrize("bad", [{"duration": -1}, {"user": {"kind": "user"}}])
def test_a_record_with_a_reject_is_never_cached(bad: dict[str, Any]) -> None:
    pages = Pages()
    rejects = [pages.fetch(track(1, **bad)).rejects for _ in range(2)]
    assert rejects[0]
    assert rejects[0] == rejects[1]
