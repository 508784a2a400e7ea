"""How good recommendations are, and whom they serve. k: the length of each list of recommendations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Numbers

    Hits = NDArray[np.bool_]
    Figures = NDArray[np.float64]

HEAD_SHARE = 0.33
"""Share of all interactions that the head holds, as in Cremonesi et al."""


def recall(hits: Hits, held_out: Numbers) -> Figures:
    """Give for each user the share of the held-out tracks that are among the k recommended.

    *hits*: users x k, whether the track at that place was held out. *held_out*: how many each user has, at
    least 1. The denominator is all of them, also where they are more than k, as in the code of LightGCN
    (https://github.com/gusye1234/LightGCN-PyTorch), so that figures compare.
    """
    found: Figures = hits.sum(axis=1) / held_out
    return found


def ndcg(hits: Hits, held_out: Numbers) -> Figures:
    """Give for each user the normalised discounted cumulative gain: hits count more the higher they stand.

    ``DCG = sum of 1 / log2(place + 1)`` over the hits, places from 1, divided by the DCG of the best list
    possible: min(k, held out) hits in front. Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR
    Techniques (2002), with a gain of 1 for a hit, as in the code of LightGCN.
    """
    k = hits.shape[1]
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(held_out, k) - 1]
    gained: Figures = (hits * discounts).sum(axis=1) / ideal
    return gained


def tail(fans: Numbers) -> NDArray[np.bool_]:
    """Tell which tracks are rare: all but the head, the most liked ones that hold a third of all
    interactions.

    *fans*: of each track in the training data. Cremonesi et al., Performance of Recommender Algorithms on
    Top-N Recommendation Tasks (RecSys 2010), section 4. Tracks nobody likes are in the tail as well.
    """
    order = np.argsort(-fans, kind="stable")
    before = np.cumsum(fans[order]) - fans[order]
    rare = np.ones(len(fans), bool)
    rare[order[before < HEAD_SHARE * fans.sum()]] = False
    return rare


def popularity_lift(recommended: float, liked: float) -> float:
    """Give by how much the tracks recommended are more popular than those users like: 0.5 is half as much
    again.

    Both are means over users of the mean number of fans of a track, in the lists and in the libraries they
    were trained on. The delta GAP of Abdollahpouri et al., The Unfairness of Popularity Bias in
    Recommendation (2019), https://arxiv.org/abs/1907.13286.
    """
    return (recommended - liked) / liked
