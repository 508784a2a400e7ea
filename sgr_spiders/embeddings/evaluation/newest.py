"""Hold out the newest likes of each user, as far as the order of the likes is known.

Lists of likes are newest first, so the position in a user's list orders what it contains. For likes that it
does not contain, known from the lists of tracks only, the intervals of time tell (docs/like_times.md). A like
that may or may not be among the newest is in neither part.

Each user has a moment of his own, so training contains likes of others that are newer than a tested one; the
rule of one moment for all (``cutoff``) avoids that, and tests fewer users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.evaluation.holdout import Holdout, rows_of, take_parts
from sgr_spiders.embeddings.pair_positions import UNLISTED
from sgr_spiders.embeddings.split import count_held_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.interactions import Interactions
    from sgr_spiders.embeddings.pair_positions import Positions
    from sgr_spiders.embeddings.pair_times import PairTimes

    Ids = NDArray[np.int64]
    Mask = NDArray[np.bool_]

LATEST = np.iinfo(np.int64).max
"""The end of an interval without a known end; one without a known start begins with ``NaT``, the least."""


def hold_out_newest(
    interactions: Interactions, seed_tracks: Ids, times: PairTimes, positions: Positions, share: float
) -> Holdout:
    """Hold out the newest tracks of each user, this share rounded half up, but never a user's only pair.

    A like is tested if it is certainly among them, and trained on if it is certainly not. Users without
    training pairs are not tested.

    Args:
        interactions: the matrix to divide.
        seed_tracks: IDs of tracks whose pairs are neither held out nor counted for the share.
        times: the intervals of its entries.
        positions: the positions of its entries.
        share: the share to hold out.
    """
    matrix = interactions.matrix
    row = rows_of(matrix)
    starts, ends = (end.astype("datetime64[us]").view(np.int64) for end in times.at(row, matrix.indices))
    # Two likes at the same microsecond have no order.
    ends = np.where(ends == np.iinfo(np.int64).min, LATEST, np.maximum(ends, starts) + 1)
    place = positions.of(matrix)
    is_free = ~np.isin(interactions.tracks, seed_tracks)[matrix.indices]
    free = np.bincount(row, weights=is_free, minlength=matrix.shape[0]).astype(np.int64)
    held = count_held_out(share, free, np.diff(matrix.indptr).astype(np.int64))
    is_train, is_test = np.ones(matrix.nnz, bool), np.zeros(matrix.nnz, bool)
    for user in np.flatnonzero(held):
        entries = np.arange(matrix.indptr[user], matrix.indptr[user + 1])
        entries = entries[is_free[entries]]
        newer, older = count_newer_and_older(starts[entries], ends[entries], place[entries])
        is_train[entries] = newer >= held[user]
        is_test[entries] = older >= len(entries) - held[user]
    undecided = int((~is_train & ~is_test).sum())
    has_train = np.bincount(row[is_train], minlength=matrix.shape[0]) > 0
    return take_parts(matrix, is_train, is_test & has_train[row], undecided)


def count_newer_and_older(starts: Ids, ends: Ids, positions: Ids) -> tuple[Ids, Ids]:
    """Return how many of one user's likes are certainly newer than each of them, and how many are older.

    The likes in the list are in its order. Any other two are if their intervals have no common moment.

    Args:
        starts, ends: the interval of each like, without its end.
        positions: its position in the list, or ``UNLISTED``.
    """
    is_listed = positions != UNLISTED
    order = np.argsort(np.where(is_listed, positions, LATEST), kind="stable")
    listed, others = np.split(order, [int(is_listed.sum())])
    # Whatever is above a like in the list is not older, and whatever is below it is not newer.
    least, most = starts.copy(), ends.copy()
    least[listed] = np.maximum.accumulate(starts[listed][::-1])[::-1]
    most[listed] = np.minimum.accumulate(ends[listed])
    if (least >= most)[listed].any():  # the list and the intervals contradict each other
        return count_newer_and_older(starts, ends, np.full_like(positions, UNLISTED))
    rank = np.arange(len(listed))
    newer, older = np.empty(len(positions), np.int64), np.empty(len(positions), np.int64)
    newer[listed] = rank + _count_from(least[others], most[listed])
    older[listed] = len(listed) - 1 - rank + _count_until(most[others], least[listed])
    newer[others] = _count_from(least, most[others])
    older[others] = _count_until(most, least[others])
    return newer, older


def _count_from(starts: Ids, moments: Ids) -> Ids:
    """Return how many of *starts* are at or after each of *moments*."""
    return len(starts) - np.searchsorted(np.sort(starts), moments)


def _count_until(ends: Ids, moments: Ids) -> Ids:
    """Return how many of *ends* are at or before each of *moments*."""
    return np.searchsorted(np.sort(ends), moments, side="right")
