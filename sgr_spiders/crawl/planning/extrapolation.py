"""The size of a harvest: the walks that are known, and those that must follow from pages not fetched."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from math import prod, sqrt
from typing import TYPE_CHECKING, Protocol

from sgr_spiders.crawl.planning.sizes import ONE_PAGE, Size, Sizes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sgr_spiders.crawl.planning.rehearsal import Family, Key, Rehearsal, Wants
    from sgr_spiders.model.items import WalkRequest

Part = tuple[int, str]
"""A seed and a layer."""


class StoredWalks(Protocol):
    """The walks that the database contains."""

    def cover(self, key: Key, cap: int) -> bool:
        """Return whether the walk need not be fetched up to *cap*."""


LIKELY = 2.0
"""Standard errors of a mean to each side of it that are taken for likely."""


@dataclass(slots=True)
class _Union:
    """The walks of several parts, each once, up to the largest cap that one of them asks for."""

    requests: dict[Key, WalkRequest] = field(default_factory=dict)

    def add(self, requests: Iterable[WalkRequest]) -> None:
        for request in requests:
            key = request.endpoint, request.target
            known = self.requests.get(key)
            if request.cap and (known is None or known.cap < request.cap):
                self.requests[key] = request


class Extrapolation:
    """The walks that the layers want around each seed, and their sizes.

    Args of the constructor:
        rehearsal: the samples.
        wants: what each layer wants around each seed that is known.
        sampled: the seeds around which pages were fetched; of others, only counters are known.
        stored: the walks that the database contains, which are not fetched.
    """

    def __init__(
        self,
        rehearsal: Rehearsal,
        wants: Mapping[Part, Wants],
        sampled: Sequence[int],
        stored: StoredWalks,
    ) -> None:
        self._rehearsal = rehearsal
        self._wants = wants
        self._sampled = frozenset(sampled)
        self._stored = stored
        expected = {
            (request.endpoint, request.target): request.expected
            for each in wants.values()
            for request in each.requests.values()
            if request.expected is not None
        }
        self.sizes = Sizes(rehearsal.samples, expected)

    def is_cut(self, key: Key, cap: int) -> bool:
        """Return whether a sample of the walk *key* has reached the *cap* before its end."""
        sample = self._rehearsal.samples.get(key)
        if sample is None or not sample.kept:
            return False
        return sample.kept[-1] > cap or (sample.kept[-1] == cap and sample.has_more)

    def size(self, layers: Sequence[str]) -> Size:
        """Return the size of what these layers want around all seeds, shared walks counted once."""
        parts = [part for part in self._wants if part[1] in layers]
        union = _Union()
        for part in parts:
            union.add(self._wants[part].requests.values())
        total = sum((self._missing(key, request) for key, request in union.requests.items()), Size())
        total += self._unseen_children(parts)
        return total + self._unseen_depth(parts)

    def _missing(self, key: Key, request: WalkRequest) -> Size:
        """Return the size of a walk, nothing if the database contains it."""
        return Size() if self._stored.cover(key, request.cap) else self._size_of(key, request)

    def _size_of(self, key: Key, request: WalkRequest) -> Size:
        return self.sizes.of(key, request.cap, request.expected)

    def _unseen_children(self, parts: Sequence[Part]) -> Size:
        """Return the size of the walks that follow from records not seen."""
        total = Size()
        for endpoint in {family.endpoint for family in self._families(parts) if family.endpoint}:
            total += self._unseen_of(parts, endpoint)
        return total

    def _families(self, parts: Sequence[Part]) -> list[Family]:
        return [family for part in parts for family in self._wants[part].families]

    def _unseen_of(self, parts: Sequence[Part], endpoint: str) -> Size:
        groups: dict[int, list[_Group]] = defaultdict(list)
        rates = self._rates(parts, endpoint)
        for seed, layer in parts:
            for family in self._wants[seed, layer].families:
                use = layer, family.parent.step
                if family.endpoint in {endpoint, ""} and use in rates:
                    groups[seed].append(self._group(family, rates[use]))
        seen = {key for group in groups.values() for each in group for key in each.keys}
        count = _count_distinct(list(groups.values()))
        unseen = max(0.0, count - len(seen))
        caps = _Union()
        for family in self._families(parts):
            caps.add(family.children.values())
        known = [self._missing(key, caps.requests[key]) for key in seen if key in caps.requests]
        return _mean(known).times(unseen) if known else ONE_PAGE.times(unseen)

    def _rates(self, parts: Sequence[Part], endpoint: str) -> dict[tuple[str, str], float]:
        """Return the walks of *endpoint* that follow from a record of each step, on average."""
        found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        for seed, layer in parts:
            for family in self._wants[seed, layer].families:
                if family.endpoint == endpoint:
                    counts = found[layer, family.parent.step]
                    counts[0] += len(family.children)
                    counts[1] += family.seen
        return {use: children / max(1, seen) for use, (children, seen) in found.items()}

    def _group(self, family: Family, rate: float) -> _Group:
        parent = family.parent
        kept = self.sizes.kept((parent.endpoint, parent.target), parent.cap, parent.expected)
        unseen = max(0.0, kept - family.seen)
        return _Group(frozenset(family.children), len(family.children) + rate * unseen)

    def _unseen_depth(self, parts: Sequence[Part]) -> Size:
        """Return the size of what layers would want in later steps around the seeds that were not sampled."""
        deep, groups = _Union(), {seed: _Group(frozenset(), 0.0) for seed, _ in parts}
        for seed in groups.keys() & self._sampled:
            around = _Union()
            for part in parts:
                if part[0] == seed:
                    around.add(self._deep(self._wants[part]))
            deep.add(around.requests.values())
            groups[seed] = _Group(frozenset(around.requests), len(around.requests))
        known = [self._missing(key, request) for key, request in deep.requests.items()]
        sampled = [groups[seed].total for seed in groups.keys() & self._sampled]
        if not known or len(sampled) == len(groups):
            return Size()
        usual = _Group(frozenset(), sum(sampled) / len(sampled))
        around_all = [[group if seed in self._sampled else usual] for seed, group in groups.items()]
        return _mean(known).times(max(0.0, _count_distinct(around_all) - len(known)))

    def _deep(self, wants: Wants) -> list[WalkRequest]:
        """Return the requests that follow neither from the seed alone nor from records of a family."""
        children = {key for family in wants.families for key in family.children}
        return [
            request
            for use, request in wants.requests.items()
            if use not in wants.first and use[2] != "seed" and (use[0], use[1]) not in children
        ]


@dataclass(frozen=True, slots=True)
class _Group:
    """Walks that follow from the records of one walk: those known, and their number in total."""

    keys: frozenset[Key]
    total: float


def _count_distinct(seeds: Sequence[Sequence[_Group]]) -> float:
    """Return the number of distinct walks in all groups, which share some around a seed and between seeds."""
    around = [_around_seed(groups) for groups in seeds]
    known = len({key for group in around for key in group.keys})
    totals = [group.total for group in around]
    if len(around) == 1:
        return totals[0]
    seen = [group for group in around if group.keys]
    pairs = [(a, b) for a, b in combinations(seen, 2)]
    shared = sum(len(a.keys & b.keys) for a, b in pairs)
    possible = sum(len(a.keys) * len(b.keys) for a, b in pairs)
    if not shared:
        return max(known, sum(totals))
    # As if each seed drew its walks at random from one population.
    population = max(possible / shared, *totals, known)
    distinct = population * (1 - prod(1 - total / population for total in totals))
    unseen = sum(group.total - len(group.keys) for group in around)
    return min(max(known, distinct), known + unseen)


def _around_seed(groups: Sequence[_Group]) -> _Group:
    """Return the groups of one seed as one."""
    keys = frozenset(key for group in groups for key in group.keys)
    total = len(keys) + sum(group.total - len(group.keys) for group in groups)
    for a, b in combinations(groups, 2):
        shared = len(a.keys & b.keys)
        if shared:
            likely = shared * (a.total / len(a.keys)) * (b.total / len(b.keys))
            total -= min(likely, a.total, b.total) - shared
    return _Group(keys, max([total, len(keys), *(group.total for group in groups)]))


def _mean(sizes: Sequence[Size]) -> Size:
    """Return the mean, with the requests that are likely for it."""
    count = len(sizes)
    mean = sum(sizes, Size()).times(1 / count)
    spread = sqrt(sum((size.requests - mean.requests) ** 2 for size in sizes) / count)
    margin = LIKELY * spread / sqrt(count)
    return Size(mean.requests, mean.items, max(0.0, mean.requests - margin), mean.requests + margin)
