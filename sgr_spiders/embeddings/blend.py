"""blend: a random walk and a low-pass filter together, with weights that the data itself chooses.

With R the users x tracks matrix, D_u and D_i the sums of its rows and columns, and V the leading right
singular vectors of ``D_u^-1/2 R D_i^-1/2``, the two parts of the scores of a user with the library r are

    walk     = r D_i^-d R^T D_u^-d R D_i^(o - 1/2)
    spectrum = r D_i^-1/2 V V^T D_i^o

and the score is ``walk / max(walk) + w * spectrum / max(spectrum)``, each maximum being over the tracks
that can be recommended: neither seeds nor those of the library. With d = 1 and o = 1/2 the walk is
P3alpha (Cooper et al., WWW 2014), whose steps count less the more popular a track and the longer a
library is. A smaller o favours rare tracks: Christoffel et al., Blockbusters and Wallflowers (RecSys
2015), https://doi.org/10.1145/2792838.2800180. The spectrum is the ideal low-pass filter of GF-CF: Shen
et al., How Powerful is Graph Convolution for Recommendation? (CIKM 2021),
https://arxiv.org/abs/2108.07567.

Where the order of likes is known, the n-th newest like of r weighs n^-t. The best d (``damping``), o
(``popularity``), w (``spectrum``), number of singular vectors (``dimensions``) and t (``recency``) differ
between data sets, so held-out likes choose them (``blend_weights``).

Everyone in a harvest was found by a seed, so liking one says nothing about taste: the library of a user is
taken without seeds, unless it contains nothing else.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Method, Vectors, require_interactions
from sgr_spiders.embeddings.svd import decompose, normalise, sum_shares

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Corpus, Library, Numbers


@dataclass(frozen=True, slots=True)
class Weights:
    """The chosen weights: d, o, w, the number of singular vectors, and t."""

    damping: float
    popularity: float
    spectrum: float
    dimensions: int
    recency: float = 0.0


class Parts:
    """Both parts of the scores, before the power of popularity."""

    def __init__(self, corpus: Corpus, vectors: Array) -> None:
        """Prepare both parts; *vectors*: V, one row per track."""
        self.matrix = sp.csr_array(corpus.matrix, dtype=np.float32)
        fans, lengths = (np.asarray(self.matrix.sum(axis=axis), np.float32) for axis in (0, 1))
        self.is_liked = fans > 0
        self.fans = np.maximum(fans, 1)
        self._lengths = np.maximum(lengths, 1)
        self._seeds = corpus.seeds
        self._evidence = leave_out_seeds(self.matrix, corpus.seeds)
        self._places = leave_out_seeds(place_likes(self.matrix, corpus.recency), corpus.seeds)
        self._fans_of = sp.csr_array(self.matrix.T)
        self._vectors = vectors

    def walk(self, users: Numbers, damping: float, recency: float) -> Array:
        """Return the walk of each user to all tracks, 0 to seeds and those of the own library."""
        entry = self._library(users, recency) @ sp.diags_array(self.fans**-damping)
        through = (entry @ self._fans_of) @ sp.diags_array(self._lengths**-damping)
        walk: Array = (through @ self.matrix).toarray() * self.fans**-0.5
        return self._only_new(walk, users)

    def spectrum(self, users: Numbers, dimensions: int, recency: float) -> Array:
        """Return the filtered library of each user, 0 for seeds and the tracks of the own library."""
        vectors = self._vectors[:, :dimensions]
        mine = sp.csr_array(self._library(users, recency) @ sp.diags_array(self.fans**-0.5))
        return self._only_new((mine @ vectors) @ vectors.T, users)

    def _library(self, users: Numbers, recency: float) -> sp.csr_array:
        """Return the likes that the taste of each user shows in, the newest with the largest weight."""
        library = self._evidence[users]
        if recency:
            library.data = library.data * weigh_places(self._places[users].data, recency)
        return library

    def _only_new(self, scores: Array, users: Numbers) -> Array:
        own = self.matrix[users]
        scores[:, self._seeds] = 0
        scores[np.repeat(np.arange(len(users)), np.diff(own.indptr)), own.indices] = 0
        return scores


class Blend(Method):
    """The default method of recommendations; its vectors are the singular vectors."""

    name: ClassVar[str] = "blend"
    uses_order: ClassVar[bool] = True
    default_dimensions: ClassVar[int] = 512
    weights: Weights | None = None
    """The chosen weights, after ``fit``."""

    def parameters(self) -> dict[str, Any]:
        return super().parameters() | {"max_dimensions": self.dimensions} | dict(self.chosen)

    def fit(self, corpus: Corpus) -> Vectors:
        """Choose the weights on *corpus* itself, and return ``R D_i^-1/2 V`` and ``D_i^1/2 V``."""
        vectors = self._fit(corpus)
        matrix = sp.csr_array(corpus.matrix, dtype=np.float32)
        roots = np.sqrt(np.maximum(matrix.sum(axis=0), 1)).astype(np.float32)[:, None]
        return Vectors(np.asarray(matrix @ (vectors / roots), np.float32), roots * vectors)

    def recommender(self, corpus: Corpus) -> BlendRecommender:
        vectors = self._fit(corpus)
        assert self.weights is not None
        return BlendRecommender(Parts(corpus, vectors), self.weights)

    def _fit(self, corpus: Corpus) -> Array:
        from sgr_spiders.embeddings.blend_weights import choose_weights  # noqa: PLC0415 - it imports this

        require_interactions(corpus)
        self.weights = choose_weights(corpus, self.dimensions, self.random_seed)
        self.chosen = dataclasses.asdict(self.weights)
        return find_vectors(corpus.matrix, self.weights.dimensions, self.random_seed)

    def fold_in(self, library: Library) -> Array:
        # R D_i^-1/2 V, where D_i^1/2 V is the track's vector.
        return sum_shares(library)


class BlendRecommender:
    """A recommender by both parts."""

    def __init__(self, parts: Parts, weights: Weights) -> None:
        self.chosen = dataclasses.asdict(weights)
        self._parts = parts
        self._weights = weights

    def scores(self, users: Numbers) -> Array:
        parts, weights = self._parts, self._weights
        walk = parts.walk(users, weights.damping, weights.recency)
        spectrum = parts.spectrum(users, weights.dimensions, weights.recency)
        scores = blend(walk, spectrum, parts.fans, weights)
        # Exclude what neither part reaches, but for the noise of a decomposition.
        scores[(scores <= 0) | ~parts.is_liked] = -np.inf
        return scores


def blend(walk: Array, spectrum: Array, fans: Array, weights: Weights) -> Array:
    """Return the scores of both parts together; *fans*: those of each track."""
    power = fans**weights.popularity
    scores: Array = to_largest(walk * power) + weights.spectrum * to_largest(spectrum * power)
    return scores


def to_largest(scores: Array) -> Array:
    """Divide each row by its largest score."""
    largest = scores.max(axis=1, keepdims=True)
    scaled: Array = np.divide(scores, largest, out=np.zeros_like(scores), where=largest > 0)
    return scaled


def find_vectors(matrix: sp.csr_array, dimensions: int, random_seed: int) -> Array:
    """Return V, one row for each column of *matrix*."""
    return decompose(normalise(sp.csr_array(matrix, dtype=np.float32)), dimensions, random_seed)[1]


def place_likes(matrix: sp.csr_array, recency: Numbers | None) -> sp.csr_array:
    """Return the matrix with the place of each like in its row: 1 for the newest.

    A like at an unknown place counts as the oldest; *recency*: as in ``Corpus``. Without any order all are 1.
    """
    places = np.ones(matrix.nnz, np.float32)
    if recency is not None:
        row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        order = np.lexsort((recency, recency < 0, row))
        places[order] = np.arange(1, matrix.nnz + 1) - matrix.indptr[row]
        places = np.where(recency < 0, np.diff(matrix.indptr)[row], places).astype(np.float32)
    return sp.csr_array((places, matrix.indices, matrix.indptr), shape=matrix.shape)


def weigh_places(places: Array, recency: float) -> Array:
    """Return the weight of the likes at these *places*, 1 for the newest."""
    weights: Array = places ** -np.float32(recency)
    return weights


def leave_out_seeds(matrix: sp.csr_array, seeds: Numbers) -> sp.csr_array:
    """Return the matrix without these columns, except in rows that have nothing else."""
    is_seed = np.isin(matrix.indices, seeds)
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    others = np.bincount(row, weights=~is_seed, minlength=matrix.shape[0]) > 0
    kept = ~(is_seed & others[row])
    starts = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    return sp.csr_array((matrix.data[kept], matrix.indices[kept], starts), shape=matrix.shape)
