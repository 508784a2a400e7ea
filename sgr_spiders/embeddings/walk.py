"""The random walk P3alpha: from a track to a fan, and from the fan to another liked track.

Cooper et al., Random Walks in Recommender Systems: Exact Computation and Simulations (WWW 2014),
https://doi.org/10.1145/2567948.2579244. It needs no training, and the shared fans explain each result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Corpus, Numbers

ALPHA = 1.0
"""The exponent of the paper: below 1 it flattens the step probabilities, above 1 it sharpens them."""
NEIGHBOURS = 300
"""Tracks to keep per start; the many unlikely ones add noise."""
ENDS_AT_A_TIME = 1 << 23
"""Reached tracks in memory before pruning: 64 MB, and the same again for sorting."""


class RandomWalk:
    """Random walks from tracks over users to other tracks, or between any nodes that share contexts."""

    def __init__(self, matrix: sp.csr_array, alpha: float = ALPHA, neighbours: int = NEIGHBOURS) -> None:
        """Prepare the steps; *matrix*: users x tracks, weights above 0."""
        self._to_track = _steps(sp.csr_array(matrix), alpha)
        self._to_user = _steps(sp.csr_array(matrix.T), alpha)
        self._neighbours = neighbours

    def reach(self, tracks: Numbers) -> sp.csr_array:
        """Return the probability to reach each track from each of *tracks*, for its likeliest ``neighbours``.

        The start itself is excluded.
        """
        return sp.csr_array(sp.vstack([self._nearest(part) for part in self._parts(tracks)], format="csr"))

    def _parts(self, tracks: Numbers) -> list[Numbers]:
        """Split the tracks so that the walks from each part reach at most about ``ENDS_AT_A_TIME`` tracks."""
        libraries = np.diff(self._to_track.indptr).astype(np.int64)
        ways = np.concatenate([[0], np.cumsum(libraries[self._to_user.indices])])
        ends = np.minimum(np.diff(ways[self._to_user.indptr]), self._to_user.shape[0])[tracks]
        return np.split(tracks, np.flatnonzero(np.diff(np.cumsum(ends) // ENDS_AT_A_TIME)) + 1)

    def _nearest(self, tracks: Numbers) -> sp.csr_array:
        likely = sp.csr_array(self._to_user[tracks] @ self._to_track)
        likely.sort_indices()
        itself = likely.indices == np.repeat(tracks, np.diff(likely.indptr))
        likely.data[itself] = 0
        return keep_largest(likely, self._neighbours)


class WalkRecommender:
    """A recommender of the tracks that walks from a user's library reach."""

    def __init__(self, corpus: Corpus, alpha: float = ALPHA, neighbours: int = NEIGHBOURS) -> None:
        self._matrix = corpus.matrix
        walk = RandomWalk(corpus.matrix, alpha, neighbours)
        self._reached = walk.reach(np.arange(corpus.matrix.shape[1]))

    def scores(self, users: Numbers) -> Array:
        scores: Array = (self._matrix[users] @ self._reached).toarray()
        scores[scores == 0] = -np.inf  # exclude unreached tracks
        return scores


def _steps(matrix: sp.csr_array, alpha: float) -> sp.csr_array:
    """Turn weights into probabilities of a step from the row to the column."""
    steps = matrix.astype(np.float32)
    sums = np.asarray(steps.sum(axis=1), np.float32)
    steps.data /= np.repeat(sums, np.diff(steps.indptr))
    if alpha != 1:
        steps.data **= np.float32(alpha)
    return steps


def keep_largest(matrix: sp.csr_array, count: int) -> sp.csr_array:
    """Keep the *count* largest entries above 0 of each row."""
    kept = matrix.data > 0
    for row in np.flatnonzero(np.diff(matrix.indptr) > count):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        kept[part][np.argpartition(matrix.data[part], -count)[:-count]] = False
    starts = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    return sp.csr_array((matrix.data[kept], matrix.indices[kept], starts), shape=matrix.shape)
