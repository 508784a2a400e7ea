"""The best tracks of a recommender for each user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.reranking import count_candidates

if TYPE_CHECKING:
    import scipy.sparse as sp
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array, Numbers, Recommender
    from sgr_spiders.embeddings.reranking import Reranker

SCORES_AT_A_TIME = 1 << 21
"""Scores in memory at a time: 8 MB, which is reused; the system would clear new memory for larger arrays."""
NOTHING = np.empty(0, np.int64)


def recommend_best(
    recommender: Recommender, known: sp.csr_array, users: Numbers, k: int, excluded: Numbers = NOTHING
) -> Numbers:
    """Return the *k* best tracks for each user that are not in *known*, best first.

    Ties prefer the first track; -1 fills rows with fewer recommendations. No user gets an *excluded* track.
    """
    return _largest(_score(recommender, known, users, excluded), k)


def recommend_reranked(
    recommender: Recommender,
    known: sp.csr_array,
    users: Numbers,
    k: int,
    excluded: Numbers,
    reranker: Reranker,
) -> Numbers:
    """Return *k* tracks for each user that *reranker* chooses among the best, as ``recommend_best``."""
    scores = _score(recommender, known, users, excluded)
    found = np.full((len(users), k), -1)
    for row, best in enumerate(_largest(scores, count_candidates(k))):
        candidates = best[best >= 0]
        chosen = reranker.choose(candidates, scores[row, candidates], k)
        found[row, : len(chosen)] = candidates[chosen]
    return found


def _score(recommender: Recommender, known: sp.csr_array, users: Numbers, excluded: Numbers) -> Array:
    """Return the scores of all tracks, of which none is known or excluded."""
    scores = recommender.scores(users)
    mine = known[users]
    scores[np.repeat(np.arange(len(users)), np.diff(mine.indptr)), mine.indices] = -np.inf
    scores[:, excluded] = -np.inf
    return scores


def _largest(scores: Array, k: int) -> Numbers:
    count = min(k, scores.shape[1])
    keys = _keys(scores)
    some = np.argpartition(keys, scores.shape[1] - count, axis=1)[:, scores.shape[1] - count :]
    order = np.argsort(np.take_along_axis(keys, some, axis=1), axis=1)[:, ::-1]
    some = np.take_along_axis(some, order, axis=1)
    found = np.full((len(scores), k), -1)
    found[:, :count] = np.where(np.take_along_axis(scores, some, axis=1) > -np.inf, some, -1)
    return found


def _keys(scores: Array) -> NDArray[np.int64]:
    """Return integers in the order of the scores; among equal scores, the first has the largest."""
    bits = (scores + np.float32(0)).view(np.int32)  # -0 becomes 0
    # The bits of floats sort like the floats; those of negative floats sort in reverse.
    ordered = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    return (ordered << 32) - np.arange(scores.shape[1])
