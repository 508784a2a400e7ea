"""The number of pages and items of a walk, from its sample, the API's counter, or walks like it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from sgr_spiders.soundcloud.endpoints import ENDPOINTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sgr_spiders.crawl.planning.rehearsal import Key, Sample

LEAST_SHARE = 0.7
"""The share of a counter that a list contains at least."""

MANY_HITS = 1000
"""The maximum number of hits that the API returns for a search, and no list without a counter is taken for
longer."""


@dataclass(frozen=True, slots=True)
class Size:
    """Requests and items, with the least and most requests that are likely."""

    requests: float = 0.0
    items: float = 0.0
    least: float = 0.0
    most: float = 0.0

    def __add__(self, other: Size) -> Size:
        return Size(
            self.requests + other.requests,
            self.items + other.items,
            self.least + other.least,
            self.most + other.most,
        )

    def times(self, factor: float) -> Size:
        """Return the size of *factor* walks like this."""
        return Size(self.requests * factor, self.items * factor, self.least * factor, self.most * factor)


ONE_PAGE = Size(1, 1, 1, 1)


class Sizes:
    """The sizes of walks that were not sampled, or not to their end."""

    def __init__(self, samples: Mapping[Key, Sample], expected: Mapping[Key, int]) -> None:
        """Create it from the *samples*; *expected* are the API's counters of walks."""
        self._samples = samples
        self._expected = expected
        self._full = _full_pages(samples)
        self._ratios = _ratios(samples, expected)
        self._page_ratios = self._find_page_ratios()
        self._totals = _totals(samples, expected, self._ratios)

    def of(self, key: Key, cap: int, expected: int | None) -> Size:
        """Return the size of the walk *key* up to *cap*."""
        if key[0] not in ENDPOINTS or not ENDPOINTS[key[0]].paged:
            return ONE_PAGE
        sample = self._samples.get(key)
        spent = sample.spent(cap) if sample is not None else None
        if spent is not None:
            return Size(spent[0], spent[1], spent[0], spent[0])
        begun, items = (sample.pages, sample.received[-1]) if sample is not None and sample.pages else (0, 0)
        if (counter := self._counter(key, expected)) is not None:
            return self._by_counter(key[0], begun, items, cap, counter)
        return self._guess(key[0], begun, items, cap)

    def _guess(self, endpoint: str, begun: int, items: int, cap: int) -> Size:
        """Return the size of a walk without a counter, of which so many pages and items are known."""
        usual = self._totals.get(endpoint, 0.0)
        # A list that goes on after so many items is as likely to have as many more as not.
        likely = usual if usual > items else float(2 * items or ENDPOINTS[endpoint].usual_limit // 2)
        guess, least, most = (
            self._rest(endpoint, begun, items, min(cap, round(total)))
            for total in (likely, items + 1, max(likely, MANY_HITS if begun else 2 * likely))
        )
        return Size(guess.requests, guess.items, min(least.requests, guess.requests), most.requests)

    def _by_counter(self, endpoint: str, begun: int, items: int, cap: int, counter: int) -> Size:
        """Return the size of a walk whose *counter* is known, and so many pages and items of it.

        A page contains less than a full one if the API leaves out some of its items.
        """
        page, ratio = self.full_page(endpoint), self._ratios.get(endpoint, 1.0)
        share = min(1.0, items / (begun * page) if begun else ratio) or 1.0
        if counter * ratio <= cap:
            first = max(1, begun + (begun > 0))
            pages = max(first, ceil(counter / page) * self._page_ratios.get(endpoint, 1.0))
            # Counters also count what lists leave out.
            least = max(first, ceil(counter * LEAST_SHARE / page))
            return Size(pages, max(items, counter * ratio), min(pages, least), pages)
        pages = max(1, begun + (begun > 0), ceil(cap / (page * share)))
        return Size(pages, cap, pages, pages)

    def kept(self, key: Key, cap: int, expected: int | None) -> float:
        """Return the number of records that the walk *key* keeps up to *cap*."""
        sample = self._samples.get(key)
        if sample is not None and sample.kept:
            if sample.spent(cap) is not None:
                return min(cap, sample.kept[-1])
            share = sample.kept[-1] / max(1, sample.received[-1])
            items = self.total(key, expected) or self._totals.get(key[0], 0.0)
            return min(cap, max(sample.kept[-1], share * items))
        total = self.total(key, expected)
        return min(cap, self._totals.get(key[0], 0.0) if total is None else total)

    def total(self, key: Key, expected: int | None) -> int | None:
        """Return the number of items of a walk by its counter; ``None`` if that is hidden."""
        counter = self._counter(key, expected)
        return None if counter is None else round(counter * self._ratios.get(key[0], 1.0))

    def _rest(self, endpoint: str, begun: int, items: int, total: int) -> Size:
        """Return the size of a walk of *total* items, of which some pages with some *items* are known."""
        page = self.full_page(endpoint)
        pages = begun + max(ceil((total - items) / page), 0 if begun else 1)
        return Size(pages, min(total, pages * page) if total >= items else items, pages, pages)

    def _find_page_ratios(self) -> dict[str, float]:
        """Return the ratio of the pages that lists had to those that their counters make, by endpoint."""
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for key, sample in self._samples.items():
            if not sample.has_more and not sample.is_lost and self._expected.get(key):
                sums[key[0]][0] += sample.pages
                sums[key[0]][1] += ceil(self._expected[key] / self.full_page(key[0]))
        return {endpoint: had / made for endpoint, (had, made) in sums.items()}

    def _counter(self, key: Key, expected: int | None) -> int | None:
        counter = self._expected.get(key)
        return expected if counter is None else counter

    def full_page(self, endpoint: str) -> int:
        """Return the number of items of a full page."""
        usual = ENDPOINTS[endpoint].usual_limit
        if endpoint in self._full:
            return self._full[endpoint]
        # A server with smaller pages has them for every list.
        return min([usual, *(full for other, full in self._full.items() if full < _usual(other) // 2)])


def _usual(endpoint: str) -> int:
    return ENDPOINTS[endpoint].usual_limit


def _full_pages(samples: Mapping[Key, Sample]) -> dict[str, int]:
    """Return the items of the largest page that another one followed, by endpoint."""
    found: dict[str, int] = {}
    for (endpoint, _), sample in samples.items():
        if endpoint not in ENDPOINTS or not ENDPOINTS[endpoint].paged:
            continue
        pages = [
            after - before for before, after in zip([0, *sample.received], sample.received, strict=False)
        ]
        followed = pages if sample.has_more else pages[:-1]
        found[endpoint] = max([found.get(endpoint, 0), *followed])
    return {endpoint: full for endpoint, full in found.items() if full}


def _ratios(samples: Mapping[Key, Sample], expected: Mapping[Key, int]) -> dict[str, float]:
    """Return the ratio of what lists contained to what counters said, by endpoint."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for key, sample in samples.items():
        if not sample.has_more and not sample.is_lost and expected.get(key):
            sums[key[0]][0] += sample.received[-1]
            sums[key[0]][1] += expected[key]
    return {endpoint: got / said for endpoint, (got, said) in sums.items()}


def _totals(
    samples: Mapping[Key, Sample], expected: Mapping[Key, int], ratios: Mapping[str, float]
) -> dict[str, float]:
    """Return the mean number of items of lists by endpoint: of those that ended, and by counters."""
    totals: dict[str, list[float]] = defaultdict(list)
    for key, sample in samples.items():
        if not sample.has_more and sample.received:
            totals[key[0]].append(sample.received[-1])
    for key, counter in expected.items():
        known = samples.get(key)
        if known is None or known.has_more:
            totals[key[0]].append(counter * ratios.get(key[0], 1.0))
    return {endpoint: sum(found) / len(found) for endpoint, found in totals.items()}
