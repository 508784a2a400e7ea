"""svd: the leading singular vectors of the like matrix, normalised by the roots of its degrees.

With R the users x tracks matrix, and D_u and D_i the sums of its rows and columns, the singular value
decomposition of ``D_u^-1/2 R D_i^-1/2`` is ``U S V^T``. Tracks become ``D_i^1/2 V S^1/2`` and users ``R
D_i^-1/2 V S^1/2``: their inner products are the linear low-pass filter of Shen et al., How Powerful is Graph
Convolution for Recommendation? (CIKM 2021), https://arxiv.org/abs/2108.07567, without its second term. A
user's vector depends only on the liked tracks, so a new user needs no training.

The decomposition is randomised: Halko, Martinsson and Tropp, Finding Structure with Randomness
(SIAM Review 2011), https://arxiv.org/abs/0909.4061, algorithms 4.4 and 5.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Method, Vectors, require_interactions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array, Corpus, Library

OVERSAMPLING = 32
"""Extra dimensions to compute, which make the last kept ones accurate."""
ROUNDS = 5
"""Power iterations."""
NOISE = 1e-6
"""A squared length below this share of the largest is the noise of float32."""


class Svd(Method):
    """The default method: fast, and without optional packages."""

    name: ClassVar[str] = "svd"
    default_dimensions: ClassVar[int] = 256

    def fit(self, corpus: Corpus) -> Vectors:
        require_interactions(corpus)
        matrix = corpus.matrix.astype(np.float32)
        values, right = decompose(normalise(matrix), self.dimensions, self.random_seed)
        of_tracks = _inverse_roots(matrix.sum(axis=0))
        directions = right * np.sqrt(values)
        users = matrix @ (of_tracks[:, None] * directions)
        roots = np.sqrt(matrix.sum(axis=0)).astype(np.float32)
        return Vectors(users.astype(np.float32), (roots[:, None] * directions).astype(np.float32))

    def fold_in(self, library: Library) -> Array:
        # R D_i^-1/2 V S^1/2, where D_i^1/2 V S^1/2 is the track's vector.
        return sum_shares(library)


def sum_shares(library: Library) -> Array:
    """Return the sum of the library's vectors, each divided by the fans of its track."""
    shares: Array = library.weights / library.fans
    vector: Array = shares @ library.vectors[library.tracks]
    return vector


def normalise(matrix: sp.csr_array) -> sp.csr_array:
    """Return ``D_u^-1/2 R D_i^-1/2``."""
    of_users, of_tracks = _inverse_roots(matrix.sum(axis=1)), _inverse_roots(matrix.sum(axis=0))
    return sp.csr_array(sp.diags_array(of_users) @ matrix @ sp.diags_array(of_tracks))


def _inverse_roots(sums: NDArray[np.float32]) -> NDArray[np.float32]:
    roots = np.zeros(len(sums), np.float32)
    np.divide(1, np.sqrt(sums), out=roots, where=sums > 0)
    return roots


def decompose(matrix: sp.csr_array, dimensions: int, seed: int) -> tuple[Array, Array]:
    """Return the largest singular values, and the right singular vectors as columns."""
    smaller = min(matrix.shape)
    width = min(dimensions + OVERSAMPLING, smaller)
    transposed = sp.csr_array(matrix.T)
    basis = np.random.default_rng(seed).standard_normal((matrix.shape[1], width), np.float32)
    basis = matrix @ basis
    for _ in range(ROUNDS):
        basis = matrix @ _orthonormalise(transposed @ _orthonormalise(basis))
    projected = transposed @ _orthonormalise(basis)
    # Solve the small problem in double precision, because it squares the singular values.
    squares, small = np.linalg.eigh(projected.T.astype(np.float64) @ projected)
    order = np.argsort(-squares, kind="stable")[:dimensions]
    values = np.sqrt(np.maximum(squares[order], 0))
    kept = squares[order] > NOISE * squares[order[0]]
    right = projected @ (small[:, order[kept]] / values[kept])
    return values[kept].astype(np.float32), _fix_signs(right).astype(np.float32)


def _orthonormalise(columns: Array) -> Array:
    """Return an orthonormal basis of the columns, without directions below the precision of float32.

    Computed from the small Gram matrix: ten times as fast as a QR decomposition of tall columns, and as
    accurate unless they are nearly parallel, which two applications of the matrix do not cause.
    """
    squares, small = np.linalg.eigh((columns.T @ columns).astype(np.float64))
    kept = squares > NOISE * squares[-1]
    basis: Array = columns @ (small[:, kept] / np.sqrt(squares[kept])).astype(np.float32)
    return basis


def _fix_signs(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make the largest entry of each column positive, because a decomposition leaves signs undefined."""
    largest = np.abs(columns).argmax(axis=0)
    return columns * np.where(columns[largest, np.arange(columns.shape[1])] < 0, -1, 1)
