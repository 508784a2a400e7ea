"""Communities of a graph: the Louvain method.

Blondel, Guillaume, Lambiotte and Lefebvre, Fast unfolding of communities in large networks (Journal of
Statistical Mechanics 2008, P10008), with the resolution of Reichardt and Bornholdt, Statistical mechanics of
community detection (Physical Review E 2006, 016110). The same graph, order of visits and resolution give the
same communities, compiled or not.
"""

from __future__ import annotations

import importlib.util
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.communities import moves
from sgr_spiders.relationships.communities.graph import by_size, number_from_zero

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sgr_spiders.relationships.communities.graph import Numbers, Weights

    Move = Callable[..., Any]

logger = logging.getLogger(__name__)

MIN_COMPILED_WORK = 1_000_000
"""Edges of all runs from which loading the compiled loop pays off."""


@dataclass(frozen=True, slots=True)
class Level:
    """A graph of *count* communities: edges between them, and the weights inside each."""

    count: int
    a: Numbers
    b: Numbers
    weights: Weights
    loops: Weights


def find_communities(  # noqa: PLR0913 - a graph, and how to search it
    count: int,
    a: Numbers,
    b: Numbers,
    weights: Weights,
    *,
    resolution: float = 1.0,
    random_seed: int | None = None,
    move: Move = moves.move,
) -> Numbers:
    """Return the community of each of *count* nodes; 0 is the largest. Edge i joins ``a[i]`` and ``b[i]``.

    Nodes are visited in their order, or with a *random_seed* in a random one.
    """
    random = None if random_seed is None else np.random.default_rng(random_seed)
    level = Level(count, a, b, weights, np.zeros(count))
    groups = np.arange(count)
    while True:
        order = np.arange(level.count) if random is None else random.permutation(level.count)
        merged = number_from_zero(_move(order, level, resolution, move))
        groups = merged[groups]
        size = int(merged.max(initial=-1)) + 1
        if size == level.count:
            return by_size(groups)
        level = _aggregate(level, merged, size)


def choose_move(work: int) -> Move:
    """Return the inner loop, compiled if the *work*, in edges, is worth it and numba is installed."""
    if work < MIN_COMPILED_WORK:
        return moves.move
    if importlib.util.find_spec("numba") is None:
        logger.warning("numba is not installed; finding communities takes about 30 times as long")
        return moves.move
    # Lazy import: numba takes half a second to load.
    from sgr_spiders.relationships.communities.compiled_moves import compiled_move  # noqa: PLC0415

    return compiled_move


def _move(order: Numbers, level: Level, resolution: float, move: Move) -> Numbers:
    count = level.count
    ends, others = np.concatenate([level.a, level.b]), np.concatenate([level.b, level.a])
    weights = np.concatenate([level.weights, level.weights])
    by_end = np.argsort(ends, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=count))])
    strengths = 2 * level.loops + np.bincount(ends, weights, minlength=count)
    community = np.arange(count)
    given = (order, starts, others[by_end], weights[by_end], strengths, resolution)
    scratch = (community, strengths.copy(), np.zeros(count), np.zeros(count, np.int64))
    if move is moves.move:
        # Lists: an element of an array becomes an object at each access.
        lists = [part.tolist() if isinstance(part, np.ndarray) else part for part in (*given, *scratch)]
        move(*lists)
        return np.array(lists[len(given)], np.int64)
    move(*given, *scratch)
    return community


def _aggregate(level: Level, merged: Numbers, count: int) -> Level:
    """Return the graph whose nodes are the communities."""
    a, b = merged[level.a], merged[level.b]
    low, high = np.minimum(a, b), np.maximum(a, b)
    inside = low == high
    loops = np.bincount(merged, level.loops, minlength=count)
    loops += np.bincount(low[inside], level.weights[inside], minlength=count)
    keys, edge = np.unique(low[~inside] * count + high[~inside], return_inverse=True)
    summed = np.bincount(edge, level.weights[~inside], minlength=len(keys)).astype(float)
    return Level(count, keys // max(1, count), keys % max(1, count), summed, loops.astype(float))
