"""The spider of ``scrapy plan``: it fetches a few pages, with the traffic components of a crawl."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from scrapy import Request

from sgr_spiders.crawl.planning.rehearsal import Rehearsal
from sgr_spiders.crawl.planning.sampling import choose_seeds, next_batch
from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.model.items import Page, Track, Walk
from sgr_spiders.soundcloud.pages import page_from_answer
from sgr_spiders.storage.ledger.frontier import walk_id
from sgr_spiders.traffic.causes import reason_of
from sgr_spiders.traffic.lanes import Lanes
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import Abandoned
from sgr_spiders.traffic.sandbox_world import WorldGuard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence
    from typing import Self

    from scrapy.crawler import Crawler

    from sgr_spiders.config.arguments import GivenSeed
    from sgr_spiders.crawl.planning.rehearsal import Key, Wants
    from sgr_spiders.storage.lanes import StoredRate
    from sgr_spiders.storage.ledger.source import Source

FEW_SEEDS = 3
"""So many seeds are fetched one by one; of more, one request returns the counters of many."""

PAGE_SECONDS = 0.015
"""The seconds that a page takes at any pace: it is parsed and stored."""

IDS_PER_REQUEST = 200
"""Tracks whose counters one request asks for."""


class SampleSpider(HarvestSpider):
    """Spider that fetches the pages that say most about the size of a harvest, and stores nothing."""

    name = "deep_harvest"
    given: Sequence[GivenSeed]
    """The seeds."""
    budget: int
    """The most requests to send."""
    sent = 0
    """The requests sent."""
    unasked = 0
    """URLs of seeds that were not looked up."""
    lookups: list[Key]
    """The walks, once for each page, that have found the seeds."""
    is_complete = False
    """True once the sample is complete."""
    is_whole = False
    """True if the sample contains everything that the harvest will fetch."""
    rehearsal: Rehearsal
    ids: list[int]
    """The tracks of the seeds, as far as they are known."""
    sampled: list[int]
    """The tracks around which pages were fetched."""
    lost: dict[str, str]
    """The seeds without data, and why."""
    _rates: Mapping[str, StoredRate]
    _source: Source | None

    @classmethod
    def from_crawler(
        cls,
        crawler: Crawler,
        *args: Any,
        sampled_seeds: Sequence[GivenSeed] = (),
        budget: int = 0,
        rates: Mapping[str, StoredRate] = MappingProxyType({}),
        source: Source | None = None,
        **kwargs: Any,
    ) -> Self:
        """Create the spider with the checks of a crawl.

        Args:
            crawler: The crawler.
            args: None.
            sampled_seeds: The seeds.
            budget: The most requests to send, without token requests and retries.
            rates: The rates that lanes have learned earlier, by their names.
            source: The source of the database, if it has one.
            kwargs: The spider arguments.
        """
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.given, spider.budget = sampled_seeds, budget
        spider.rehearsal = Rehearsal(spider.rules)
        spider.ids, spider.sampled, spider.lost, spider.lookups = [], [], {}, []
        spider._rates, spider._source = rates, source  # noqa: SLF001 - its own
        return spider

    @property
    def interval(self) -> float:
        """The seconds between two requests, at the end of the sample."""
        return max(Lanes.of(self.crawler).interval, PAGE_SECONDS)

    @property
    def pace(self) -> str:
        """The reason for the interval."""
        lanes, delay = Lanes.of(self.crawler), self.config.deep_harvest.request_delay
        if any(lane.pace.rate.interval > lane.pace.minimum_interval for lane in lanes.usable):
            return "the rate that the API has allowed"
        is_delay = self.interval <= delay / max(1, self.lanes) * 1.01
        return "request_delay" if is_delay else "the response times"

    @property
    def seed_count(self) -> int:
        """The number of seeds, with those of lists, as far as these were looked up."""
        unfound = sum(seed.track_id is None and seed.text in self.lost for seed in self.given)
        return len(self.ids) + self.unasked + unfound

    @property
    def lanes(self) -> int:
        """The number of lanes in use."""
        return len(Lanes.of(self.crawler).usable)

    def wants(self, seeds: Collection[int]) -> dict[tuple[int, str], Wants]:
        """Return what each layer wants around these seeds."""
        return {
            (track_id, name): self.rehearsal.ask(seed, layer)
            for track_id in seeds
            if (seed := self.rehearsal.seed(track_id)) is not None
            for name, layer in self.rules.items()
        }

    async def start(self) -> AsyncIterator[Any]:
        """Fetch the sample; yield nothing, because there is nothing to schedule."""
        for lane in Lanes.of(self.crawler).all:
            if (rate := self._rates.get(lane.name)) is not None:
                lane.resume_rate(rate.interval, rate.age)
        if (source := self._source) is not None:
            guard = WorldGuard.of(self.crawler)
            guard.expect(source.world, source.describe(), may_adopt=not source.is_sandbox)
        try:
            await self._sample()
            self.is_complete = True
        except Abandoned:
            # The run control has the reason, unless the user ended it.
            return
        for request in list[Request]():
            yield request

    async def _sample(self) -> None:
        for seed in self.given:
            await self._find(seed)
        self.ids = list(dict.fromkeys(self.ids))
        if len(self.ids) > FEW_SEEDS:
            await self._fetch_counters()
        else:
            for track_id in self.ids:
                await self._fetch("track", str(track_id))
        self._note_lost()
        known = {track_id: found for track_id in self.ids if (found := self.rehearsal.seed(track_id))}
        if not known:
            return
        weights = [found.track.favoritings_count or 0 for found in known.values()]
        self.sampled = choose_seeds(list(known), weights, self.budget)
        if await self._spend_budget():
            self.is_whole = len(self.sampled) == self.seed_count - len(self.lost)

    async def _spend_budget(self) -> bool:
        """Fetch the pages that say most; return whether there are no others."""
        while batch := next_batch(self.rehearsal, self.wants(self.sampled)):
            for key in batch:
                if self.sent >= self.budget:
                    return False
                await self._fetch(*key)
        return True

    def _note_lost(self) -> None:
        for track_id in self.ids:
            sample = self.rehearsal.samples.get(("track", str(track_id)))
            if sample is not None and sample.is_lost:
                self.lost[str(track_id)] = sample.reason or "not found"

    async def _find(self, seed: GivenSeed) -> None:
        """Add the tracks of *seed*; look them up unless that would use up the budget."""
        if seed.track_id is not None:
            self.ids.append(seed.track_id)
        elif self.sent >= self.budget // 2:
            self.unasked += 1
        elif seed.listed_by is not None:
            await self._list(seed, *seed.listed_by)
        else:
            page = await self._look_up("resolve", str(seed.url))
            if page.resolved is None:
                self.lost[seed.text] = page.reason or "not found"
            elif page.resolved[0] == "track":
                self.ids.append(page.resolved[1])
            else:
                await self._list(seed, *page.resolved)

    async def _list(self, seed: GivenSeed, kind: str, record_id: int) -> None:
        """Add the tracks of a playlist or a user that become seeds."""
        if kind not in {"playlist", "user"}:
            self.lost[seed.text] = "not a track, playlist or user"
            return
        target, most = str(record_id), self.arguments.max_seeds
        await self._look_up(kind, target)
        page = await self._look_up(f"{kind}_tracks", target)
        sample = self.rehearsal.samples[f"{kind}_tracks", target]
        while sample.spent(most) is None and self.sent < self.budget // 2:
            page = await self._look_up(f"{kind}_tracks", target)
        if not sample.entries:
            self.lost[seed.text] = page.reason or "lists no tracks"
        self.ids += [record.record_id for record in sample.records(most)]

    async def _look_up(self, endpoint: str, target: str) -> Page:
        """Fetch a page that the harvest fetches to find its seeds."""
        self.lookups.append((endpoint, target))
        return await self._fetch(endpoint, target)

    async def _fetch_counters(self) -> None:
        """Fetch the tracks of all seeds, many in each request; those that are not found are lost."""
        for start in range(0, len(self.ids), IDS_PER_REQUEST):
            target = ",".join(map(str, self.ids[start : start + IDS_PER_REQUEST]))
            while self.sent < self.budget // 2:
                page = await self._fetch("tracks_by_id", target)
                for entry in page.entries:
                    if isinstance(entry.record, Track):
                        key = "track", str(entry.record.track_id)
                        self.rehearsal.add(Page(Walk(walk_id(*key), *key), [entry], received=1))
                if page.next_cursor is None:
                    self._note_missing(self.ids[start : start + IDS_PER_REQUEST], page)
                    break

    def _note_missing(self, ids: Sequence[int], last: Page) -> None:
        """Add the tracks that the API has not found to the lost ones, after the *last* page of their list."""
        if last.status is not None:
            return
        missing = {track_id for track_id in ids if ("track", str(track_id)) not in self.rehearsal.samples}
        self.lost |= {str(track_id): "not found" for track_id in missing}

    async def _fetch(self, endpoint: str, target: str) -> Page:
        """Fetch the next page of a walk, smaller if it was too large, and add it to the sample."""
        while True:
            walk = self.rehearsal.next_page((endpoint, target))
            page = await self._ask(walk)
            self.rehearsal.add(page)
            if not page.is_too_large:
                return page

    async def _ask(self, walk: Walk) -> Page:
        request = self.request_for(walk)
        self.sent += 1
        try:
            response = await self.crawler.engine.download_async(request)
        except Abandoned:
            raise
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the walk was not answered
            return Page(walk, status="failed", reason=reason_of(error, request))
        assert isinstance(response, ApiResponse)
        return page_from_answer(walk, response.answer, self.api_url)
