"""Rank neighbours by score, and tell which have the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sgr_spiders.storage.lookup import mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Numbers

    Scores = NDArray[np.floating]

DIGITS = 6
"""The significant digits in which scores must differ; the others depend on the order of additions."""


class Ranked(NamedTuple):
    """The best nodes. *ranks*: from 1, the same for the same score. *tied*: the nodes with this score."""

    ids: Numbers
    scores: Scores
    ranks: Numbers
    tied: Numbers


def rank(start: int, ids: Numbers, scores: Scores, limit: int) -> Ranked:
    """Return the *limit* best of *ids*, the neighbours of *start*.

    Those with the same score are in the order of a hash of both IDs. In the order of their IDs, the same few
    would be the neighbours of every node with little data.
    """
    coarse = round_scores(scores)
    order = np.lexsort((shuffled(start, ids), -coarse))
    best = order[:limit]
    descending = -coarse[order]
    first = np.searchsorted(descending, -coarse[best], "left")
    last = np.searchsorted(descending, -coarse[best], "right")
    return Ranked(ids[best], scores[best], first + 1, last - first)


def shuffled(start: Numbers | int, ids: Numbers) -> NDArray[np.uint64]:
    """Return numbers that sort the neighbours *ids* of *start* in an arbitrary but fixed order."""
    return mix(mix(np.atleast_1d(start).astype(np.uint64)) ^ ids.astype(np.uint64))


def round_scores(scores: Scores) -> Scores:
    """Return the scores with ``DIGITS`` significant digits."""
    magnitude = np.floor(np.log10(np.where(scores == 0, 1, np.abs(scores))))
    factor = 10.0 ** (DIGITS - 1 - magnitude)
    return np.asarray(np.round(scores * factor) / factor)
