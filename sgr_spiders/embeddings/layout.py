"""A layout of vectors on a plane that preserves neighbourhoods: t-SNE.

Van der Maaten and Hinton, Visualizing Data using t-SNE (JMLR 2008), computed exactly: time and memory grow
with the square of the number of vectors. The layout starts from the two principal components, so it is
reproducible and preserves the global structure (Kobak and Berens, Nature Communications 2019,
https://doi.org/10.1038/s41467-019-13056-x).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array

PERPLEXITY = 30.0
"""Approximate number of neighbours of each vector to keep close."""
STEPS = 500
EXAGGERATED = 120
"""Initial steps with a stronger attraction of neighbours, so that groups form."""
EXAGGERATION = 12.0
HALVINGS = 40
MIN_PROBABILITY = 1e-12


def lay_out(distances: Array) -> Array:
    """Return a point on the plane for each row of a matrix of squared distances."""
    count = len(distances)
    points = _principal(distances)
    if count < 4:
        return points
    target = _neighbour_probabilities(distances, min(PERPLEXITY, (count - 1) / 3))
    points *= np.float32(1e-4) / max(float(points[:, 0].std()), 1e-12)
    rate = max(count / EXAGGERATION / 4, 50.0)
    moving, gains = np.zeros_like(points), np.ones_like(points)
    for step in range(STEPS):
        early = step < EXAGGERATED
        pull = _gradient(points, target * np.float32(EXAGGERATION) if early else target)
        reversed_ = np.sign(pull) != np.sign(moving)
        gains = np.where(reversed_, gains + 0.2, np.maximum(gains * 0.8, 0.01))
        moving = (0.5 if early else 0.8) * moving - rate * gains * pull
        points = (points + moving).astype(np.float32)
    centred: Array = points - points.mean(axis=0)
    return centred


def _principal(distances: Array) -> Array:
    """Return the two principal coordinates (Torgerson, Psychometrika 1952)."""
    count = len(distances)
    centred = distances - distances.mean(axis=0) - distances.mean(axis=1)[:, None] + distances.mean()
    largest = (max(count - 2, 0), count - 1)
    values, axes = eigh(-0.5 * centred.astype(np.float64), subset_by_index=largest)
    best = axes[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0))
    best *= np.where(best[np.abs(best).argmax(axis=0), np.arange(best.shape[1])] < 0, -1, 1)
    points = np.zeros((count, 2), np.float32)
    points[:, : best.shape[1]] = best
    return points


def _neighbour_probabilities(distances: Array, perplexity: float) -> Array:
    """Return the symmetric probability that two vectors are neighbours; all sum to 1."""
    low = np.zeros(len(distances))
    high = np.full(len(distances), np.inf)
    narrowness = np.ones(len(distances)) / np.maximum(np.median(distances, axis=1), 1e-12)
    for _ in range(HALVINGS):
        likely = _choice_probabilities(distances, narrowness)
        entropy = -(likely * np.log(np.maximum(likely, 1e-30))).sum(axis=1)
        wide = entropy > np.log(perplexity)
        low, high = np.where(wide, narrowness, low), np.where(wide, high, narrowness)
        narrowness = np.where(np.isinf(high), narrowness * 2, (low + high) / 2)
    likely = _choice_probabilities(distances, narrowness)
    # A minimum keeps denormal float32 numbers out, which would make each step five times slower.
    both: Array = np.maximum((likely + likely.T) / (2 * len(distances)), MIN_PROBABILITY).astype(np.float32)
    return both


def _choice_probabilities(distances: Array, narrowness: NDArray[np.float64]) -> Array:
    likely = np.exp(-distances * narrowness[:, None])
    np.fill_diagonal(likely, 0)
    shares: Array = likely / np.maximum(likely.sum(axis=1, keepdims=True), 1e-30)
    return shares


def _gradient(points: Array, target: Array) -> Array:
    squares = (points**2).sum(axis=1)
    near = 1 / (1 + np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0))
    np.fill_diagonal(near, 0)
    forces = (target - near / near.sum()) * near
    pull: Array = 4 * (forces.sum(axis=1)[:, None] * points - forces @ points)
    return pull
