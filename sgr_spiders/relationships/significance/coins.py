"""The contexts of a null model as few classes of equal coins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.significance.bicm import NEVER
from sgr_spiders.relationships.significance.tail import RARE, Coins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.relationships.significance.bicm import NullModel, Side

    Reals = NDArray[np.float64]

MOST_CLASSES = 128
"""Classes of contexts up to which each is kept."""
RATIO, WIDEN = 1.1, 1.2


def make_coins(model: NullModel) -> Coins:
    """Return the contexts by their class.

    With more than 128 classes, those of similar fitness are replaced by two, so that a sum over them changes
    by less than 1e-5 of it. Classes that a pair may share with a probability above 0.1 are kept.
    """
    columns = model.columns
    is_left = columns.round_of == NEVER
    certain = np.flatnonzero(~is_left)
    left = np.flatnonzero(is_left)
    fitness, numbers = columns.fitness[left], columns.numbers[left].astype(float)
    if len(columns.numbers) > MOST_CLASSES and len(left):
        kept = _may_be_frequent(model.rows, fitness)
        merged, weights = _merge(fitness[~kept], numbers[~kept], MOST_CLASSES - int(kept.sum()))
        fitness, numbers = np.concatenate([fitness[kept], merged]), np.concatenate([numbers[kept], weights])
    rounds = np.concatenate([columns.round_of[certain], np.full(len(fitness), NEVER)])
    values = np.concatenate([columns.certain[certain], np.zeros(len(fitness))])
    edges = model.rows.probabilities(np.concatenate([columns.fitness[certain], fitness]), rounds, values)
    return Coins(edges, np.concatenate([columns.numbers[certain].astype(float), numbers]))


def _may_be_frequent(rows: Side, fitness: Reals) -> NDArray[np.bool_]:
    # A node that has all contexts shares those of the other node.
    has_all = ((rows.round_of != NEVER) & (rows.certain == 1)).any()
    largest = rows.fitness.max(initial=0)
    edge = largest * fitness / (1 + largest * fitness)
    kept: NDArray[np.bool_] = (edge if has_all else edge**2) > RARE
    return kept


def _merge(fitness: Reals, numbers: Reals, most: int) -> tuple[Reals, Reals]:
    """Return at most *most* classes, or a few more than twice the bins that are needed at least."""
    order = np.argsort(fitness)
    fitness, numbers = fitness[order], numbers[order]
    ratio = RATIO
    while True:
        merged = _bin(fitness, numbers, ratio)
        if len(merged[0]) <= max(32, most):
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
