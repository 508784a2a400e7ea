"""``top_k``: keep the pairs in which one node is among the nearest of the other."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.spool import Spool
from sgr_spiders.storage.lookup import distinct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.keys import KeyLayout, Keys
    from sgr_spiders.relationships.measuring import Measuring

PRUNE_AT = 1 << 22
"""Neighbours to collect before dropping those that are not among the nearest."""


class Ranking:
    """The scores of pairs, by which neighbours are ranked; ties prefer the smaller ID."""

    def __init__(self, measuring: Measuring, nodes: int, layout: KeyLayout) -> None:
        self._measuring = measuring
        self.layout = layout
        self.nodes = nodes

    def score(self, node: Counts, other: Counts, common: Counts) -> NDArray[np.float64]:
        """Return the same score for both nodes of a pair."""
        low, high = np.minimum(node, other), np.maximum(node, other)
        return self._measuring.score(low, high, common)


class Nearest:
    """Collects pairs in any order, and keeps those in which one node is among the *k* nearest of the other.

    Each pair is stored twice, as a neighbour of each node, in a spool: sorting it by node needs little
    memory. Neighbours that cannot be among the nearest are dropped from time to time, and not stored from
    then on, so the disk never contains all pairs.
    """

    def __init__(self, ranking: Ranking, k: int, make_spool: Callable[[], Spool]) -> None:
        self._ranking = ranking
        self._k = k
        self._make_spool = make_spool
        self._spool = make_spool()
        self._limit = PRUNE_AT
        self._least = np.full(ranking.nodes, -np.inf)
        """The score of the k-th nearest so far of each node."""
        self._lock = threading.Lock()

    def add(self, keys: Keys) -> None:
        """Add pairs; threads may add different ones at the same time."""
        layout = self._ranking.layout
        node, other, common = layout.unpack(keys)
        score = self._ranking.score(node, other, common)
        neighbours = np.concatenate(
            [
                layout.pack_neighbours(a[near], b[near], common[near])
                for a, b in ((node, other), (other, node))
                for near in (score >= self._least[a],)
            ]
        )
        with self._lock:
            self._spool.add(neighbours)
            if self._spool.length > self._limit:
                self._prune(Spool.sorted)

    def pairs(self, watch: Callable[[Spool], Iterator[Keys]]) -> Spool:
        """Return the kept pairs; nothing can be added afterwards. *watch* iterates over a sorted spool."""
        self._prune(watch)
        layout = self._ranking.layout
        both, kept = self._make_spool(), self._make_spool()
        for neighbours in self._spool.sorted():
            both.add(layout.pack(*layout.unpack(neighbours)))
        last = np.empty(0, np.uint64)
        for keys in both.sorted():
            # A pair that both nodes keep may be at the end of a block and at the beginning of the next.
            found = distinct(keys)
            kept.add(found[1:] if len(last) and found[0] == last[0] else found)
            last = found[-1:]
        return kept

    def _prune(self, watch: Callable[[Spool], Iterator[Keys]]) -> None:
        kept = self._make_spool()
        for neighbours in self._whole_nodes(watch(self._spool)):
            kept.add(self._nearest(neighbours))
        self._spool = kept
        self._limit = PRUNE_AT + 2 * kept.length

    def _whole_nodes(self, blocks: Iterable[Keys]) -> Iterator[Keys]:
        """Yield the sorted neighbours in blocks, each with all neighbours of its nodes."""
        shift = np.uint64(self._ranking.layout.shifts[0])
        rest = np.empty(0, np.uint64)
        for block in blocks:
            joined = np.concatenate([rest, block])
            cut = int(np.searchsorted(joined >> shift, joined[-1] >> shift))
            if cut:
                yield joined[:cut]
            rest = joined[cut:]
        if len(rest):
            yield rest

    def _nearest(self, neighbours: Keys) -> Keys:
        node, other, common = self._ranking.layout.unpack(neighbours)
        score = self._ranking.score(node, other, common)
        order = np.lexsort((other, -score, node))
        begins = np.flatnonzero(np.diff(node, prepend=-1))
        rank = np.arange(len(node)) - np.repeat(begins, np.diff([*begins, len(node)]))
        last = order[rank == self._k - 1]
        self._least[node[last]] = score[last]
        return np.sort(neighbours[order[rank < self._k]])


def keep_strongest(pairs: Spool, ranking: Ranking, limit: int, make_spool: Callable[[], Spool]) -> Spool:
    """Return the *limit* pairs with the highest scores; all pairs are in memory."""
    keys = np.concatenate(list(pairs.sorted()))
    score = ranking.score(*ranking.layout.unpack(keys))
    kept = make_spool()
    kept.add(keys[np.lexsort((keys, -score))[:limit]])
    return kept
