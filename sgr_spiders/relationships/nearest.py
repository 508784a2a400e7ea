"""``top_k``: of the pairs found, those in which one is among the other's nearest."""

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
"""Neighbours that are collected before those that are not among the nearest are dropped."""


def keep_nearest(
    blocks: Iterable[Keys], relationship: RelationshipType, incidence: Incidence, layout: KeyLayout, k: int
) -> Iterator[Keys]:
    """Give the pairs in which either is among the *k* nearest of the other; of equal scores the smaller id.

    Holds up to *k* neighbours of each node in memory.
    """
    kept: list[NDArray[Any]] = []
    waiting, limit = 0, PRUNE_AT
    for keys in blocks:
        neighbours = _neighbours(keys, relationship, incidence, layout)
        kept.append(neighbours)
        waiting += len(neighbours)
        if waiting > limit:
            kept = [_prune(np.concatenate(kept), k)]
            waiting = len(kept[0])
            limit = PRUNE_AT + 2 * waiting
    if kept:
        yield distinct(_prune(np.concatenate(kept), k)["key"])


NEIGHBOUR = np.dtype([("node", np.int32), ("score", np.float64), ("other", np.int32), ("key", np.uint64)])


def _neighbours(
    keys: Keys, relationship: RelationshipType, incidence: Incidence, layout: KeyLayout
) -> NDArray[Any]:
    one, other, common = layout.unpack(keys)
    sizes = incidence.sizes
    score = relationship.score(common, sizes[one], sizes[other])
    neighbours = np.empty(2 * len(keys), NEIGHBOUR)
    for part, node, neighbour in ((slice(0, len(keys)), one, other), (slice(len(keys), None), other, one)):
        neighbours["node"][part], neighbours["other"][part] = node, neighbour
        neighbours["score"][part], neighbours["key"][part] = score, keys
    return neighbours


def _prune(neighbours: NDArray[Any], k: int) -> NDArray[Any]:
    order = np.lexsort((neighbours["other"], -neighbours["score"], neighbours["node"]))
    ordered = neighbours[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered["node"][1:] != ordered["node"][:-1]]))
    place = np.arange(len(ordered)) - np.repeat(begins, np.diff([*begins, len(ordered)]))
    return ordered[place < k]
