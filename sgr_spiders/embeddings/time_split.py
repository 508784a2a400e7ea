"""Split interactions at a time: train on what was liked before, test on what was liked after.

The time of a like is known as an interval. Pairs whose interval contains the time of the split are in
neither part, and neither are pairs whose time is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.split import Split, take_part
from sgr_spiders.model.exceptions import EmbeddingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.interactions import Interactions
    from sgr_spiders.embeddings.pair_times import PairTimes

    Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """A split at a time; ``undecided`` is the number of pairs in no part."""

    parts: Split
    at: np.datetime64
    undecided: int


def choose_time(times: PairTimes, share: float) -> np.datetime64:
    """Return the time since which this share of the pairs was liked, counting only known starts.

    Raises:
        EmbeddingError: no start is known.
    """
    known = np.sort(times.not_before[~np.isnat(times.not_before)])
    if not len(known):
        raise EmbeddingError("nothing to split: the database contains no times of these interactions")
    moment: np.datetime64 = known[min(len(known) - 1, int(len(known) * (1 - share)))]
    return moment


def split_at(interactions: Interactions, seed_tracks: Ids, times: PairTimes, at: np.datetime64) -> TimeSplit:
    """Split at the time *at*.

    Pairs with a seed are not tested, and neither are users without training pairs.

    Args:
        interactions: the matrix to split.
        seed_tracks: IDs of tracks whose pairs are not tested.
        times: the intervals of its entries.
        at: the time of the split.
    """
    matrix = interactions.matrix
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    is_train = times.not_after <= at
    has_train = np.bincount(row[is_train], minlength=matrix.shape[0]) > 0
    is_seed = np.isin(interactions.tracks, seed_tracks)[matrix.indices]
    is_test = (times.not_before >= at) & ~is_train & ~is_seed & has_train[row]
    train, test = take_part(matrix, is_train), take_part(matrix, is_test)
    parts = Split(
        train=train,
        validation=take_part(matrix, np.zeros(matrix.nnz, bool)),
        test=test,
        cold_tracks=np.flatnonzero(np.bincount(train.indices, minlength=matrix.shape[1]) == 0),
        untested_users=np.flatnonzero(np.diff(test.indptr) == 0),
    )
    return TimeSplit(parts, at, matrix.nnz - train.nnz - test.nnz)
