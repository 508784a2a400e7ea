"""Recommendations that are less alike or less popular, chosen from the best of any method.

Maximal marginal relevance (Carbonell and Goldstein, The Use of MMR, Diversity-Based Reranking, SIGIR 1998)
chooses one track after the other, each time the one with the largest

    (1 - diversity) * relevance - diversity * its highest similarity to those chosen before

The similarity of two tracks is the cosine of their fans, and at least ``SAME_ARTIST`` if they have the same
artist. The relevance is the score of the method, and with *novelty* a part of it is the self-information of
the track, ``-log2(fans / users)`` (Vargas and Castells, RecSys 2011); both are scaled to 0..1 over the
candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array, Numbers

    Scores = NDArray[np.floating]

CANDIDATES_PER_PLACE = 10
"""Candidates for each place of the list."""
MORE_CANDIDATES = 1_000
"""Candidates beyond a long list."""
SAME_ARTIST = 0.5


@dataclass(frozen=True, slots=True)
class Reranking:
    """The shares of diversity and novelty, each from 0 (not at all) to 1 (nothing else)."""

    diversity: float = 0.0
    novelty: float = 0.0

    def __bool__(self) -> bool:
        return self.diversity > 0 or self.novelty > 0

    def __str__(self) -> str:
        parts = {"diversity": self.diversity, "novelty": self.novelty}
        return ", ".join(f"{name} {share:g}" for name, share in parts.items() if share)


AS_SCORED = Reranking()
"""No change of the order."""


def count_candidates(limit: int) -> int:
    """Return the number of candidates for a list of *limit* tracks."""
    return min(CANDIDATES_PER_PLACE * limit, limit + MORE_CANDIDATES)


class Reranker:
    """Chooses tracks among candidates."""

    def __init__(self, reranking: Reranking, fans: sp.csr_array, artists: Numbers | None = None) -> None:
        """Prepare the choice.

        Args:
            reranking: the shares of diversity and novelty.
            fans: tracks x users.
            artists: the artist of each track, -1 if unknown.
        """
        self._reranking = reranking
        self._directions = unit_rows(fans)
        self._fans = np.diff(fans.indptr)
        self._artists = np.full(fans.shape[0], -1) if artists is None else artists

    def choose(self, tracks: Numbers, scores: Scores, limit: int) -> Numbers:
        """Return the places in *tracks*, rows in descending order of *scores*, of the *limit* best."""
        novelty = self._reranking.novelty
        surprise = -np.log2(np.maximum(self._fans[tracks], 1))
        value = (1 - novelty) * _scale(scores) + novelty * _scale(surprise)
        if not self._reranking.diversity:
            return np.argsort(-value, kind="stable")[:limit]
        return self._choose_diverse(tracks, value, min(limit, len(tracks)))

    def _choose_diverse(self, tracks: Numbers, value: Array, limit: int) -> Numbers:
        diversity = self._reranking.diversity
        directions, artists = self._directions[tracks], self._artists[tracks]
        chosen = np.zeros(limit, np.int64)
        nearest, is_left = np.zeros(len(tracks)), np.ones(len(tracks), bool)
        for place in range(limit):
            marginal = (1 - diversity) * value - diversity * nearest
            best = int(np.argmax(np.where(is_left, marginal, -np.inf)))
            chosen[place], is_left[best] = best, False
            similarity = directions @ directions[[best]].toarray().ravel()
            is_same = (artists == artists[best]) & (artists >= 0)
            similarity = np.where(is_same, np.maximum(similarity, SAME_ARTIST), similarity)
            nearest = np.maximum(nearest, similarity)
        return chosen


def unit_rows(matrix: sp.csr_array) -> sp.csr_array:
    """Return the rows scaled to length 1, whatever their weights: any weight counts as 1."""
    sizes = np.diff(matrix.indptr)
    lengths = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes)
    return sp.csr_array((lengths, matrix.indices, matrix.indptr), shape=matrix.shape)


def _scale(values: Scores) -> Array:
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    scaled: Array = (values - low) / (high - low) if high > low else np.zeros(len(values), np.float32)
    return scaled
