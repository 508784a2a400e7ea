"""Communities of a graph: the Louvain method.

Blondel, Guillaume, Lambiotte and Lefebvre, Fast unfolding of communities in large networks (Journal of
Statistical Mechanics 2008, P10008). Nodes are visited in their order, so the same graph has the same
communities.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Weights = NDArray[np.float64]
    Links = list[dict[int, float]]

MIN_GAIN = 1e-7
"""The gain of modularity, as a share of the weight of the graph, below which a node does not move."""
MAX_ROUNDS = 20


def find_communities(count: int, a: Numbers, b: Numbers, weights: Weights) -> Numbers:
    """Return the community of each of *count* nodes; 0 is the largest. Edge i joins ``a[i]`` and ``b[i]``."""
    links: Links = [defaultdict(float) for _ in range(count)]
    for one, other, weight in zip(a.tolist(), b.tolist(), weights.tolist(), strict=True):
        links[one][other] += weight
        links[other][one] += weight
    loops = [0.0] * count
    groups = np.arange(count)
    while True:
        merged = _renumber(_move(links, loops))
        groups = merged[groups]
        size = int(merged.max(initial=-1)) + 1
        if size == len(links):
            return _by_size(groups)
        links, loops = _aggregate(links, loops, merged.tolist(), size)


def _move(links: Links, loops: list[float]) -> list[int]:
    """Move each node to the community where modularity gains most, until nothing gains any more."""
    strength = [2 * loop + sum(own.values()) for loop, own in zip(loops, links, strict=True)]
    whole = sum(strength)
    community = list(range(len(links)))
    totals = strength.copy()
    for _ in range(MAX_ROUNDS):
        moved = False
        for node, own in enumerate(links):
            home = community[node]
            into: dict[int, float] = defaultdict(float)
            for other, weight in own.items():
                into[community[other]] += weight
            totals[home] -= strength[node]
            share = strength[node] / whole if whole else 0.0
            best, most = home, into.get(home, 0.0) - totals[home] * share + MIN_GAIN * whole
            for candidate, weight in into.items():
                gain = weight - totals[candidate] * share
                if gain > most:
                    best, most = candidate, gain
            totals[best] += strength[node]
            community[node] = best
            moved = moved or best != home
        if not moved:
            break
    return community


def _aggregate(
    links: Links, loops: list[float], community: list[int], count: int
) -> tuple[Links, list[float]]:
    """Return the graph whose nodes are the communities."""
    joined: Links = [defaultdict(float) for _ in range(count)]
    inner = [0.0] * count
    for node, own in enumerate(links):
        home = community[node]
        inner[home] += loops[node]
        for other, weight in own.items():
            if community[other] == home:
                inner[home] += weight / 2
            else:
                joined[home][community[other]] += weight
    return joined, inner


def _renumber(community: list[int]) -> Numbers:
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in community], np.int64)


def _by_size(groups: Numbers) -> Numbers:
    order = np.argsort(-np.bincount(groups), kind="stable") if len(groups) else groups
    return np.argsort(order, kind="stable")[groups] if len(groups) else groups
