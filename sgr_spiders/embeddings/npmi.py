"""Shrunk NPMI: how much more often two nodes share contexts than chance would have it.

The contexts of a track are its fans. Normalised pointwise mutual information (Bouma, Normalized (Pointwise)
Mutual Information in Collocation Extraction, GSCL 2009) is

    NPMI(a, b) = ln(p_ab / (p_a p_b)) / -ln(p_ab)

with p_a = f_a / U, p_b = f_b / U and p_ab = n / U, where f_a and f_b are the fans of each track, n those that
they share, and U all users. It is 1 if the same users like both, and 0 if they share as many as by chance.
Two tracks with the same single fan would have 1, so it is multiplied by n / (n + 5), the shrinkage of Bell
and Koren (Scalable Collaborative Filtering with Jointly Derived Neighborhood Interpolation Weights, ICDM
2007). A popular track shares fans with every track by chance, so it is not among the neighbours of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Numbers

    Scores = NDArray[np.float64]

SHRINKAGE = 5
"""The shared fans at which the score is half of NPMI."""
CANDIDATES_AT_FIRST = 256


def score(shared: Numbers | Scores, a: Numbers | int, b: Numbers | Scores, contexts: int) -> Scores:
    """Return the shrunk NPMI of nodes that share *shared* of their *a* and *b* contexts, out of *contexts*.

    It is 0 if they share all contexts there are: what everyone likes says nothing.
    """
    share = np.asarray(shared, np.float64) / contexts
    expected = np.asarray(a, np.float64) * np.asarray(b, np.float64) / contexts / contexts
    surprise = -np.log(np.minimum(share, 1))
    ratio = np.log(share / expected) / np.where(surprise > 0, surprise, np.inf)
    return np.asarray(ratio * shared / (shared + SHRINKAGE))


def find_nearest(
    nodes: Numbers,
    shared: Numbers,
    own: int,
    contexts: int,
    limit: int,
    count: Callable[[Numbers], Numbers],
) -> tuple[Numbers, Scores]:
    """Return the *limit* best of *nodes*, those with the same score as the last, and some others; any order.

    Counting the contexts of all nodes would take long, so the search ends where no other can be as good: with
    *shared* contexts, a node scores most if it has no others. Only scores above 0 count.

    Args:
        nodes: the candidates.
        shared: the contexts that each shares with the start.
        own: the contexts of the start.
        contexts: all contexts.
        limit: the number of nodes wanted.
        count: returns the contexts of each node.
    """
    order = np.argsort(-shared, kind="stable")
    nodes, shared = nodes[order], shared[order]
    most = score(shared, own, shared, contexts)
    scores = np.empty(0)
    length = max(CANDIDATES_AT_FIRST, limit)
    while len(scores) < len(nodes):
        if len(scores) >= limit and most[len(scores)] < np.partition(scores, -limit)[-limit]:
            break
        some = slice(len(scores), len(scores) + length)
        scores = np.concatenate([scores, score(shared[some], own, count(nodes[some]), contexts)])
        length *= 2
    above = scores > 0
    return nodes[: len(scores)][above], scores[above]


class Npmi:
    """Shrunk NPMI of all pairs of tracks that share users, from a matrix."""

    def __init__(self, matrix: sp.csr_array) -> None:
        """Prepare the search; *matrix*: users x tracks, in which any weight counts as a like."""
        ones = np.ones(matrix.nnz)
        self._by_user = sp.csr_array((ones, matrix.indices, matrix.indptr), shape=matrix.shape)
        self._by_track = sp.csr_array(self._by_user.T)
        self._fans = np.diff(self._by_track.indptr).astype(np.int64)

    def reach(self, tracks: Numbers) -> sp.csr_array:
        """Return the scores above 0 of all others for each of *tracks*."""
        shared = sp.csr_array(self._by_track[tracks] @ self._by_user)
        rows = np.repeat(np.arange(len(tracks)), np.diff(shared.indptr))
        start = tracks[rows]
        scores = score(shared.data, self._fans[start], self._fans[shared.indices], self._by_user.shape[0])
        scores[start == shared.indices] = 0
        kept = scores > 0
        starts = np.concatenate([[0], np.cumsum(kept)])[shared.indptr]
        return sp.csr_array((scores[kept], shared.indices[kept], starts), shape=shared.shape)
