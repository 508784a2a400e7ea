"""Metrics of recommendations; k is the length of each list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Numbers

    Hits = NDArray[np.bool_]
    Figures = NDArray[np.float64]

HEAD_SHARE = 0.33
"""Share of all interactions in the head, as in Cremonesi et al."""
HUBS = 20
"""The tracks of the hub share."""


def recall(hits: Hits, held_out: Numbers) -> Figures:
    """Return the share of each user's held-out tracks that are among the k recommended.

    *hits*: users x k, true if the track at this position was held out. *held_out*: the number of held-out
    tracks of each user; without any, the share is NaN. The denominator counts all of them, even more than k,
    as in the code of LightGCN (https://github.com/gusye1234/LightGCN-PyTorch), so that results are
    comparable.
    """
    return ratio(hits.sum(axis=1), held_out)


def ndcg(hits: Hits, held_out: Numbers) -> Figures:
    """Return the normalised discounted cumulative gain of each user: higher positions count more.

    ``DCG = sum of 1 / log2(position + 1)`` over the hits, with positions from 1, divided by the DCG of the
    best possible list: min(k, held out) hits at the top. Järvelin and Kekäläinen, Cumulated Gain-Based
    Evaluation of IR Techniques (2002), with a gain of 1 for a hit, as in the code of LightGCN.
    """
    k = hits.shape[1]
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(held_out, k) - 1]
    gained: Figures = (hits * discounts).sum(axis=1) / ideal
    return gained


def tail(fans: Numbers) -> NDArray[np.bool_]:
    """Return which tracks are rare: all except the head, the most liked with a third of all interactions.

    *fans*: the fans of each track in the training data. Cremonesi et al., Performance of Recommender
    Algorithms on Top-N Recommendation Tasks (RecSys 2010), section 4. The tail includes tracks without fans.
    """
    order = np.argsort(-fans, kind="stable")
    before = np.cumsum(fans[order]) - fans[order]
    rare = np.ones(len(fans), bool)
    rare[order[before < HEAD_SHARE * fans.sum()]] = False
    return rare


def popularity_lift(recommended: float, liked: float) -> float:
    """Return how much more popular recommended tracks are than liked ones; 0.5 means 50% more fans.

    Both arguments are means over users of the mean number of fans per track, in the lists and in the training
    libraries. The delta GAP of Abdollahpouri et al., The Unfairness of Popularity Bias in
    Recommendation (2019), https://arxiv.org/abs/1907.13286.
    """
    return (recommended - liked) / liked


def coverage(given: Numbers, fans: Numbers) -> float:
    """Return the share of the tracks with *fans* that are in at least one list.

    *given*: the number of lists that each track is in. Catalogue coverage: Herlocker et al., Evaluating
    Collaborative Filtering Recommender Systems (TOIS 2004), section 5.1.
    """
    return float(((given > 0) & (fans > 0)).sum() / (fans > 0).sum())


def hub_share(given: Numbers) -> float:
    """Return the share of all places in the lists that the ``HUBS`` most recommended tracks hold.

    *given*: as for ``coverage``. Hubs: Radovanović, Nanopoulos and Ivanović, Hubs in Space (JMLR
    2010). NaN if all lists are empty.
    """
    return float(np.sort(given)[-HUBS:].sum() / given.sum()) if given.any() else float("nan")


def self_information(fans: Numbers, users: int) -> Figures:
    """Return how surprising each track is: ``-log2(fans / users)``, in bits.

    The novelty of a list is the mean over its tracks: Vargas and Castells, Rank and Relevance in Novelty and
    Diversity Metrics for Recommender Systems (RecSys 2011), section 4.1, without discounts. A track without
    fans counts as one with a fan.
    """
    bits: Figures = -np.log2(np.maximum(fans, 1) / users)
    return bits


def mean_over_lists(values: NDArray[np.float64 | np.int64], given: Hits) -> Figures:
    """Return the mean of the *values* of each list, NaN if the list is empty; *given*: the places in use."""
    return ratio((values * given).sum(axis=1), given.sum(axis=1))


def list_similarity(lists: Numbers, directions: sp.csr_array) -> Figures:
    """Return the mean cosine of two tracks of each list, by their fans; NaN below two tracks.

    *lists*: columns of tracks; -1 fills short rows. *directions*: tracks x users, rows of length 1, or 0 of a
    track without fans. The intra-list similarity of Ziegler et al., Improving Recommendation Lists Through
    Topic Diversification (WWW 2005), section 4.3, as a mean. The square of the sum of all directions contains
    each pair twice, so no pair need be formed.
    """
    sizes = (lists >= 0).sum(axis=1)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    members = sp.csr_array(
        (np.ones(starts[-1]), lists[lists >= 0], starts), (len(lists), directions.shape[0])
    )
    sums = sp.csr_array(members @ directions)
    squares = np.asarray(sums.multiply(sums).sum(axis=1), np.float64)
    own = members @ (np.diff(directions.indptr) > 0).astype(np.float64)
    return ratio(squares - own, sizes * (sizes - 1))


def repeated_artists(lists: Numbers, artists: Numbers | None) -> Figures:
    """Return the share of each list whose artist is in the list above; NaN if it is empty.

    *lists*: as in ``list_similarity``. *artists*: the artist of each column, -1 if unknown; ``None``: none is
    known, and the share is NaN.
    """
    if artists is None:
        return np.full(len(lists), np.nan)
    found = np.where(lists >= 0, artists[lists], -1)
    found.sort(axis=1)
    repeats = (found[:, 1:] == found[:, :-1]) & (found[:, 1:] >= 0)
    return ratio(repeats.sum(axis=1), (lists >= 0).sum(axis=1))


def ratio(sums: NDArray[np.float64 | np.int64], counts: Numbers) -> Figures:
    """Return the sums divided by the counts, NaN where the count is 0."""
    found: Figures = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return found
