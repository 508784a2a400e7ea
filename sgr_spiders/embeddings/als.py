"""als: matrix factorisation for implicit feedback, fitted by alternating least squares (implicit).

Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets (ICDM 2008),
https://doi.org/10.1109/ICDM.2008.22, with two changes that make its parameters hold on data of several sizes
and densities. A like of a popular track says less than one of a rare track, and one of a user with many
likes less than one of a user with few, so a like by user u of track i weighs ``1 + confidence / sqrt(d_u
d_i)`` times as much as a missing like, where d are the sums of likes. He et al., Fast Matrix Factorization
for Online Recommendation with Implicit Feedback (SIGIR 2016), https://arxiv.org/abs/1708.05024, weight the
missing likes of popular tracks instead, by the same power. And the regularisation is a share of the largest
singular value of these weights, which is about ``confidence``: with a fixed one, all vectors of small data
become zero, and large data is overfitted. Regularisation and dimensions decide whether als is competitive:
Rendle et al., Revisiting the Performance of iALS on Item Recommendation Benchmarks (RecSys 2022),
https://arxiv.org/abs/2110.14037.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Method, Vectors, require_interactions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array, Corpus, Library

REGULARIZATION = 0.2
"""The default regularisation, as a share of ``confidence``."""


class Als(Method):
    """Alternating least squares; likes weigh more than missing likes, most of all rare ones."""

    name: ClassVar[str] = "als"
    default_dimensions: ClassVar[int] = 256
    confidence: ClassVar[float] = 200.0
    rounds: ClassVar[int] = 10

    def __init__(
        self, dimensions: int | None = None, random_seed: int = 1, regularization: float = REGULARIZATION
    ) -> None:
        super().__init__(dimensions, random_seed)
        self.regularization = regularization

    def parameters(self) -> dict[str, Any]:
        own = {"confidence": self.confidence, "regularization": self.regularization, "rounds": self.rounds}
        return super().parameters() | own

    def fit(self, corpus: Corpus) -> Vectors:
        als, pools = self.require("implicit.cpu.als"), self.require("threadpoolctl")
        require_interactions(corpus)
        with warnings.catch_warnings(), pools.threadpool_limits(1, "blas"):
            # implicit warns about BLAS threads although the limit is set.
            warnings.filterwarnings("ignore", "OpenBLAS is configured", RuntimeWarning)
            model = als.AlternatingLeastSquares(
                factors=min(self.dimensions, *corpus.matrix.shape),
                regularization=self._penalty,
                iterations=self.rounds,
                random_state=self.random_seed,
            )
            model.fit(sp.csr_matrix(self._weigh(corpus.matrix)), show_progress=False)
        users, tracks = (np.asarray(part, np.float32) for part in (model.user_factors, model.item_factors))
        users[np.diff(corpus.matrix.indptr) == 0] = 0
        tracks[np.bincount(corpus.matrix.indices, minlength=len(tracks)) == 0] = 0
        return Vectors(users, tracks)

    def fold_in(self, library: Library) -> Array:
        # The least squares of one round, for a single user.
        own = library.vectors[library.tracks].astype(np.float64)
        likes = library.weights.astype(np.float64)
        weights = self._weight(likes, likes.sum() * library.fans)
        gram = library.vectors.T.astype(np.float64) @ library.vectors
        left = gram + (own.T * (weights - 1)) @ own + self._penalty * np.eye(own.shape[1])
        vector: Array = np.linalg.solve(left, own.T @ weights).astype(np.float32)
        return vector

    @property
    def _penalty(self) -> float:
        return self.regularization * self.confidence

    def _weigh(self, matrix: sp.csr_array) -> sp.csr_array:
        of_users, of_tracks = (matrix.sum(axis=axis).astype(np.float64) for axis in (1, 0))
        users = np.repeat(of_users, np.diff(matrix.indptr))
        weights = self._weight(matrix.data, users * of_tracks[matrix.indices])
        return sp.csr_array((weights.astype(np.float32), matrix.indices, matrix.indptr), matrix.shape)

    def _weight(self, likes: NDArray[Any], sums: NDArray[Any]) -> NDArray[Any]:
        """Return the weight of each like, whose user and track have *sums* of likes, multiplied."""
        weights: NDArray[Any] = 1 + self.confidence * likes / np.sqrt(sums)
        return weights
