"""The contexts of a null model as few classes of equal coins.

Most pairs share no context, or only the most popular ones, with a probability above 0.1. So pairs are divided
by the number of such contexts, and each part has coins of its own: the fewer, the faster its tails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.significance.bicm import NEVER
from sgr_spiders.relationships.significance.tail import RARE, Coins, ranges, upper_tails

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.relationships.significance.bicm import NullModel

    Reals = NDArray[np.float64]
    Counts = NDArray[np.int64]

MOST_CLASSES = 128
"""Classes of contexts up to which each is kept."""
FEWEST_MERGED = 64
"""Classes to merge the others into at least, however many are kept."""
RATIO, WIDEN = 1.1, 1.2
PARTS = np.array([0, 8, 16, 32, 64, 128, 256, 512, np.iinfo(np.int64).max])
"""The numbers of frequent classes up to which pairs have the same coins."""
ROUNDING = 1e-9


def tails_of(model: NullModel, a: Counts, b: Counts, starts: Counts, overlaps: Counts, threads: int) -> Reals:
    """Return the probability of at least each overlap, as :func:`upper_tails` takes them."""
    tails = np.empty(len(overlaps))
    parts = np.searchsorted(PARTS, frequent_classes(model, a, b))
    for part in np.unique(parts).tolist():
        chosen = np.flatnonzero(parts == part)
        cells = ranges(starts[chosen], starts[chosen + 1])
        bounds = np.concatenate([[0], np.cumsum(starts[chosen + 1] - starts[chosen])])
        coins = make_coins(model, int(PARTS[part]))
        tails[cells] = upper_tails(coins, a[chosen], b[chosen], bounds, overlaps[cells], threads)
    return tails


def frequent_classes(model: NullModel, a: Counts, b: Counts) -> Counts:
    """Return how many classes of contexts each pair of classes may share with a probability above 0.1.

    With the reciprocals ``u`` and ``v`` of the fitnesses of both nodes, it is those whose fitness ``y``
    fulfils ``(1 - 0.1) y^2 - 0.1 (u + v) y - 0.1 u v > 0``.
    """
    rows, columns = model.rows, model.columns
    # A node that has all contexts shares those of the other node.
    reciprocal = np.where(rows.certain == 1, 0, np.inf)
    np.divide(1, rows.fitness, out=reciprocal, where=rows.round_of == NEVER)
    u, v = reciprocal[a], reciprocal[b]
    with np.errstate(invalid="ignore"):
        root = np.sqrt((RARE * (u + v)) ** 2 + 4 * RARE * (1 - RARE) * u * v)
    least = (RARE * (u + v) + root) / (2 * (1 - RARE))
    least[np.isnan(least)] = np.inf
    left = columns.fitness[columns.round_of == NEVER]
    found: Counts = len(left) - np.searchsorted(left, least * (1 - ROUNDING))
    return found


def make_coins(model: NullModel, kept: int) -> Coins:
    """Return the contexts by their class.

    With more than 128 classes, those of similar fitness are replaced by two, so that a sum over them changes
    by less than 1e-5 of it. The *kept* classes with the largest fitness stay.
    """
    columns = model.columns
    is_left = columns.round_of == NEVER
    certain = np.flatnonzero(~is_left)
    left = np.flatnonzero(is_left)
    fitness, numbers = columns.fitness[left], columns.numbers[left].astype(float)
    first = len(left) - min(kept, len(left))
    if len(columns.numbers) > MOST_CLASSES and first:
        merged, weights = _merge(fitness[:first], numbers[:first], MOST_CLASSES - kept)
        fitness = np.concatenate([merged, fitness[first:]])
        numbers = np.concatenate([weights, numbers[first:]])
    rounds = np.concatenate([columns.round_of[certain], np.full(len(fitness), NEVER)])
    values = np.concatenate([columns.certain[certain], np.zeros(len(fitness))])
    edges = model.rows.probabilities(np.concatenate([columns.fitness[certain], fitness]), rounds, values)
    return Coins(edges, np.concatenate([columns.numbers[certain].astype(float), numbers]))


def _merge(fitness: Reals, numbers: Reals, most: int) -> tuple[Reals, Reals]:
    """Return at most *most* classes, or 64."""
    order = np.argsort(fitness)
    fitness, numbers = fitness[order], numbers[order]
    ratio = RATIO
    while True:
        merged = _bin(fitness, numbers, ratio)
        if len(merged[0]) <= max(FEWEST_MERGED, most):
            return merged
        ratio *= WIDEN


def _bin(fitness: Reals, numbers: Reals, ratio: float) -> tuple[Reals, Reals]:
    """Replace the classes in each bin by two with the same sums of the powers 0 to 3 of the fitness.

    They are the nodes of the Gaussian quadrature with two points, so they lie within the bin.
    """
    bins = np.floor(np.log(fitness / fitness[0]) / np.log(ratio)).astype(np.int64)
    values, weights = [], []
    for part in np.split(np.arange(len(fitness)), np.flatnonzero(np.diff(bins)) + 1):
        y, n = fitness[part], numbers[part]
        if len(part) > 2:
            total, mean = n.sum(), np.average(y, weights=n)
            spread = np.sqrt(np.average((y - mean) ** 2, weights=n))
            skew = np.average((y - mean) ** 3, weights=n) / spread**3
            root = np.sqrt(1 + skew**2 / 4)
            y = mean + spread * (skew / 2 + np.array([-root, root]))
            n = total / 2 * (1 + np.array([1, -1]) * skew / (2 * root))
        values.append(y)
        weights.append(n)
    return np.concatenate(values), np.concatenate(weights)
