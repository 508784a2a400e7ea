"""``top_k``: keep the pairs in which one node is among the nearest of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.storage.lookup import distinct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.relationships.inputs import Incidence
    from sgr_spiders.relationships.keys import KeyLayout, Keys

PRUNE_AT = 1 << 22
"""Neighbours to collect before dropping those that are not among the nearest."""


def keep_nearest(
    blocks: Iterable[Keys], relationship: RelationshipType, incidence: Incidence, layout: KeyLayout, k: int
) -> Iterator[Keys]:
    """Yield the pairs in which one node is among the *k* nearest of the other; ties prefer the smaller ID.

    Up to *k* neighbours of each node are in memory.
    """
    kept: list[NDArray[Any]] = []
    collected, limit = 0, PRUNE_AT
    for keys in blocks:
        neighbours = _neighbours(keys, relationship, incidence, layout)
        kept.append(neighbours)
        collected += len(neighbours)
        if collected > limit:
            kept = [_prune(np.concatenate(kept), k)]
            collected = len(kept[0])
            limit = PRUNE_AT + 2 * collected
    if kept:
        yield distinct(_prune(np.concatenate(kept), k)["key"])


NEIGHBOUR = np.dtype([("node", np.int32), ("score", np.float64), ("other", np.int32), ("key", np.uint64)])


def _neighbours(
    keys: Keys, relationship: RelationshipType, incidence: Incidence, layout: KeyLayout
) -> NDArray[Any]:
    node_a, node_b, common = layout.unpack(keys)
    sizes = incidence.sizes
    score = relationship.score(common, sizes[node_a], sizes[node_b])
    neighbours = np.empty(2 * len(keys), NEIGHBOUR)
    halves = slice(0, len(keys)), slice(len(keys), None)
    for part, node, neighbour in ((halves[0], node_a, node_b), (halves[1], node_b, node_a)):
        neighbours["node"][part], neighbours["other"][part] = node, neighbour
        neighbours["score"][part], neighbours["key"][part] = score, keys
    return neighbours


def _prune(neighbours: NDArray[Any], k: int) -> NDArray[Any]:
    order = np.lexsort((neighbours["other"], -neighbours["score"], neighbours["node"]))
    ordered = neighbours[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered["node"][1:] != ordered["node"][:-1]]))
    rank = np.arange(len(ordered)) - np.repeat(begins, np.diff([*begins, len(ordered)]))
    return ordered[rank < k]
