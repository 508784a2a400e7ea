"""itemknn: the tracks most similar to the liked ones, by a cosine that is shrunk where fans are few.

The similarity of tracks i and j is ``r_i · r_j / (|r_i| |r_j| + h)``, with r_i the weights of all users for
track i and h the shrinkage. The score of a track is the sum of its similarities to the user's tracks, over
its k most similar tracks. Shrinkage: Bell and Koren, Improved Neighborhood-based Collaborative Filtering (KDD
Cup 2007); in this form in Ferrari Dacrema, Cremonesi and Jannach, Are We Really Making Much Progress? (RecSys
2019), https://arxiv.org/abs/1907.06902, where it was a baseline that many newer methods did not reach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import require_interactions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.embeddings.base import Array, Corpus, Numbers

NEIGHBOURS = 100
"""k, the neighbours of each track that count."""
SHRINKAGE = 10.0
"""h, in likes."""
PATHS_AT_A_TIME = 1 << 23
"""Pairs of a track and another track of one of its fans in memory at a time, before sums: 100 MB."""


class ItemKnnRecommender:
    """A recommender by the similarities of tracks to the user's tracks."""

    def __init__(self, corpus: Corpus, neighbours: int = NEIGHBOURS, shrinkage: float = SHRINKAGE) -> None:
        """Find the neighbours of all tracks.

        Raises:
            EmbeddingError: the corpus is empty.
        """
        require_interactions(corpus)
        self._matrix = sp.csr_array(corpus.matrix, dtype=np.float32)
        self._similar = _find_neighbours(self._matrix, neighbours, shrinkage)

    def scores(self, users: Numbers) -> Array:
        scores: Array = (self._matrix[users] @ self._similar.T).toarray()
        scores[scores == 0] = -np.inf  # exclude tracks without a neighbour in the library
        return scores


def _find_neighbours(matrix: sp.csr_array, neighbours: int, shrinkage: float) -> sp.csr_array:
    """Return the similarities of each track (row) to its nearest *neighbours*; ties prefer the first."""
    fans = sp.csr_array(matrix.T)
    lengths = np.sqrt(np.asarray(fans.multiply(fans).sum(axis=1), np.float64))
    parts = [
        _nearest(fans, matrix, lengths, tracks, neighbours, shrinkage) for tracks in _parts(matrix, fans)
    ]
    return sp.csr_array(sp.vstack(parts, format="csr"))


def _parts(matrix: sp.csr_array, fans: sp.csr_array) -> Iterator[Numbers]:
    """Yield consecutive tracks whose fans like at most about ``PATHS_AT_A_TIME`` tracks."""
    paths = fans @ np.diff(matrix.indptr).astype(np.float64)
    yield from np.split(
        np.arange(len(paths)), np.flatnonzero(np.diff(np.cumsum(paths) // PATHS_AT_A_TIME)) + 1
    )


def _nearest(
    fans: sp.csr_array,
    matrix: sp.csr_array,
    lengths: Array,
    tracks: Numbers,
    neighbours: int,
    shrinkage: float,
) -> sp.csr_array:
    shared = sp.csr_array(fans[tracks] @ matrix)
    row = np.repeat(np.arange(len(tracks)), np.diff(shared.indptr))
    similarity = shared.data / (lengths[tracks][row] * lengths[shared.indices] + shrinkage)
    similarity[shared.indices == tracks[row]] = -1
    order = np.lexsort((shared.indices, -similarity, row))
    rank = np.arange(len(order)) - shared.indptr[row]
    kept = order[(rank < neighbours) & (similarity[order] > 0)]
    pairs = (similarity[kept].astype(np.float32), (row[kept], shared.indices[kept]))
    return sp.csr_array(pairs, shape=shared.shape)
