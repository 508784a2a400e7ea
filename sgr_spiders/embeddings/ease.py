"""EASE: a linear model of each track from all others, in closed form.

Steck, Embarrassingly Shallow Autoencoders for Sparse Data (WWW 2019), https://arxiv.org/abs/1905.03375. With
X the users x tracks matrix and P = (X^T X + λ I)^-1, the weights are B_ij = -P_ij / P_jj, and 0 on the
diagonal; the scores of a user u are X_u B.

P is dense: n tracks take 4 n² bytes and about n³ operations. So the model has at most the ``MAX_TRACKS`` most
liked tracks, and recommends no others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack

from sgr_spiders.embeddings.base import require_interactions

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Corpus, Numbers

REGULARIZATION = 100.0
"""λ, in likes: what a track weighs against the likes that it shares with others."""
MAX_TRACKS = 8_000
"""The most tracks of a model: 256 MB, and about 10 CPU seconds."""
TINY = np.float32(1e-30)
"""Numbers below this become 0: those below 1e-38 (denormal) take a processor many times as long."""


class EaseRecommender:
    """A recommender by the weights of EASE."""

    def __init__(
        self, corpus: Corpus, regularization: float = REGULARIZATION, max_tracks: int = MAX_TRACKS
    ) -> None:
        """Fit the model.

        Raises:
            EmbeddingError: the corpus is empty.
        """
        require_interactions(corpus)
        self._width = corpus.matrix.shape[1]
        fans = np.bincount(corpus.matrix.indices, minlength=self._width)
        most_liked = np.argsort(-fans, kind="stable")[: min(max_tracks, int((fans > 0).sum()))]
        self._tracks: Numbers = np.sort(most_liked)
        self.left_out = int((fans > 0).sum()) - len(self._tracks)
        """The number of liked tracks that are not in the model."""
        self._matrix = sp.csr_array(corpus.matrix[:, self._tracks], dtype=np.float32)
        self._weights = _solve(self._matrix, regularization)

    def scores(self, users: Numbers) -> Array:
        scores = np.full((len(users), self._width), -np.inf, np.float32)
        scores[:, self._tracks] = self._matrix[users] @ self._weights
        return scores


def _solve(matrix: sp.csr_array, regularization: float) -> Array:
    gram = (matrix.T @ matrix).toarray().T  # symmetric, and now in the order that LAPACK works on in place
    gram.ravel("K")[:: len(gram) + 1] += np.float32(regularization)
    # In place, by Cholesky's decomposition; only the lower triangle is set.
    factor, problem = lapack.spotrf(gram, lower=True, overwrite_a=True)
    assert not problem
    _flush(factor)
    inverse, problem = lapack.spotri(factor, lower=True, overwrite_c=True)
    assert not problem
    _mirror(inverse)
    diagonal = inverse.diagonal().copy()
    weights: Array = np.divide(inverse, -diagonal, out=inverse)  # each column by its own element
    np.fill_diagonal(weights, 0)
    _flush(weights)
    return weights


def _mirror(lower: Array) -> None:
    """Copy the lower triangle to the upper one, column by column."""
    for column in range(1, len(lower)):
        lower[:column, column] = lower[column, :column]


def _flush(matrix: Array) -> None:
    for column in matrix.T:
        column[np.abs(column) < TINY] = 0
