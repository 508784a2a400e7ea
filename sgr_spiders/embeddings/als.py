"""als: matrix factorisation for implicit feedback, fitted by alternating least squares (implicit).

Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets (ICDM 2008),
https://doi.org/10.1109/ICDM.2008.22. It is competitive if tuned: Rendle et al., Revisiting the Performance of
iALS on Item Recommendation Benchmarks (RecSys 2022), https://arxiv.org/abs/2110.14037.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Method, Vectors, require_interactions

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Corpus, Library

REGULARIZATION = 10.0


class Als(Method):
    """Alternating least squares; a like weighs ``confidence`` times as much as a missing like."""

    name: ClassVar[str] = "als"
    confidence: ClassVar[float] = 10.0
    rounds: ClassVar[int] = 15

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
                regularization=self.regularization,
                alpha=self.confidence,
                iterations=self.rounds,
                random_state=self.random_seed,
            )
            model.fit(sp.csr_matrix(corpus.matrix, dtype=np.float32), show_progress=False)
        users, tracks = (np.asarray(part, np.float32) for part in (model.user_factors, model.item_factors))
        users[np.diff(corpus.matrix.indptr) == 0] = 0
        tracks[np.bincount(corpus.matrix.indices, minlength=len(tracks)) == 0] = 0
        return Vectors(users, tracks)

    def fold_in(self, library: Library) -> Array:
        # The least squares of one round, for a single user.
        own = library.vectors[library.tracks].astype(np.float64)
        confidence = self.confidence * library.weights.astype(np.float64)
        gram = library.vectors.T.astype(np.float64) @ library.vectors
        left = gram + (own.T * (confidence - 1)) @ own + self.regularization * np.eye(own.shape[1])
        vector: Array = np.linalg.solve(left, own.T @ confidence).astype(np.float32)
        return vector
