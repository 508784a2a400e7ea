"""Hold out what was liked from a moment on: train on what was liked before, test on what was liked after it.

The time of a like is known as an interval. Pairs whose interval contains the moment are in neither part, and
neither are pairs whose time is unknown. One moment for all users keeps the future of some from the training
of others: Ji et al., A Critical Study on Data Leakage in Recommender System Offline Evaluation (TOIS 2023),
https://doi.org/10.1145/3569930.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.evaluation.holdout import Holdout, rows_of, take_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.interactions import Interactions
    from sgr_spiders.embeddings.pair_times import PairTimes

    Ids = NDArray[np.int64]
    Times = NDArray[np.datetime64]


def choose_moment(not_before: Times, share: float) -> np.datetime64:
    """Return the time since which this share of the pairs was liked, counting only known starts.

    It is ``NaT`` if no start is known: then no pair was certainly liked before it, and none after it.
    """
    known = np.sort(not_before[~np.isnat(not_before)])
    if not len(known):
        return np.datetime64("NaT", "us")
    moment: np.datetime64 = known[min(len(known) - 1, int(len(known) * (1 - share)))]
    return moment


def hold_out_since(
    interactions: Interactions,
    seed_tracks: Ids,
    times: PairTimes,
    *,
    share: float = 0.2,
    at: np.datetime64 | None = None,
) -> Holdout:
    """Hold out what was liked from the moment *at* on.

    Pairs with a seed are not tested, and neither are users without training pairs.

    Args:
        interactions: the matrix to divide.
        seed_tracks: IDs of tracks whose pairs are not tested.
        times: the intervals of its entries.
        share: the share of the pairs to hold out if *at* is ``None``.
        at: the moment.
    """
    matrix = interactions.matrix
    row = rows_of(matrix)
    not_before, not_after = times.at(row, matrix.indices)
    moment = choose_moment(not_before, share) if at is None else at
    is_train = not_after <= moment
    is_after = (not_before >= moment) & ~is_train
    has_train = np.bincount(row[is_train], minlength=matrix.shape[0]) > 0
    is_seed = np.isin(interactions.tracks, seed_tracks)[matrix.indices]
    undecided = int((~is_train & ~is_after).sum())
    return take_parts(matrix, is_train, is_after & ~is_seed & has_train[row], undecided, moment)
