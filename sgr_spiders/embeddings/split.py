"""Split interactions into training, validation and test data without leaks.

A pair of user and track is one entry of the matrix, whatever its sources, so no pair is in two parts. Users
are harvested because of their interaction with a seed, so predicting it would be trivial: pairs with a seed
are never held out.

A hash of user, track and random seed chooses the held-out pairs (SplitMix64; Steele, Lea, Flood 2014).
Neither the order of rows nor other users affect the choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.interactions import Interactions

    Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """The parts, matrices of the shape of the interactions; each pair is in exactly one of them.

    ``cold_tracks``: columns without entries in ``train``, which no interaction model can recommend.
    ``untested_users``: rows without entries in ``test``. Both ascend.
    """

    train: sp.csr_array
    validation: sp.csr_array
    test: sp.csr_array
    cold_tracks: Ids
    untested_users: Ids

    def __repr__(self) -> str:
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return f"Split({', '.join(f'{name}: {part.nnz:,}' for name, part in parts.items())})"

    @property
    def cold_pairs(self) -> int:
        """The number of entries of ``validation`` and ``test`` in cold columns."""
        return sum(
            int(np.isin(part.indices, self.cold_tracks).sum()) for part in (self.validation, self.test)
        )


def split(
    interactions: Interactions,
    seed_tracks: Ids,
    *,
    test: float = 0.2,
    validation: float = 0.1,
    seed: int = 1,
) -> Split:
    """Hold out these shares of each user's tracks, rounded half up, but never a user's only pair.

    Args:
        interactions: the matrix to split.
        seed_tracks: IDs of tracks whose pairs are neither held out nor counted for the shares
            (``interactions_read.read_seeds`` reads those of a database).
        test, validation: the shares to hold out.
        seed: the random seed.

    Raises:
        ArgumentError: a share is negative, or the sum is not less than 1.
    """
    if not (test >= 0 and validation >= 0 and test + validation < 1):
        raise ArgumentError(
            "split: shares must be at least 0 and their sum less than 1, not "
            f"test {quote_value(test)} and validation {quote_value(validation)}"
        )
    matrix = interactions.matrix
    sizes = np.diff(matrix.indptr).astype(np.int64)
    row = np.repeat(np.arange(len(sizes)), sizes)
    free = ~np.isin(interactions.tracks, seed_tracks)[matrix.indices]
    eligible = np.bincount(row, weights=free, minlength=len(sizes)).astype(np.int64)
    tested = count_held_out(test, eligible, sizes)
    held = count_held_out(_to_fraction(test) + _to_fraction(validation), eligible, sizes)
    rank = _ranks(interactions, row, free, seed)
    is_test = rank < tested[row]
    is_held = rank < held[row]
    train = take_part(matrix, ~is_held)
    cold = np.bincount(train.indices, minlength=matrix.shape[1]) == 0
    return Split(
        train=train,
        validation=take_part(matrix, is_held & ~is_test),
        test=take_part(matrix, is_test),
        cold_tracks=np.flatnonzero(cold),
        untested_users=np.flatnonzero(tested == 0),
    )


def count_held_out(share: float | Fraction, eligible: Ids, sizes: Ids) -> Ids:
    """Return this share of each user's *eligible* pairs, rounded half up, but never all *sizes* pairs."""
    most = np.maximum(0, np.minimum(eligible, sizes - 1))
    return np.minimum(_share(_to_fraction(share), eligible), most)


def _to_fraction(share: float | Fraction) -> Fraction:
    return Fraction(str(share)).limit_denominator(1_000_000)


def _share(share: Fraction, counts: Ids) -> Ids:
    """Return this share of each count, rounded half up."""
    return (2 * share.numerator * counts + share.denominator) // (2 * share.denominator)


def _ranks(interactions: Interactions, row: Ids, free: NDArray[np.bool_], seed: int) -> Ids:
    """Return the rank of each entry in its row: free entries first, in the order of their hashes."""
    matrix = interactions.matrix
    track = interactions.tracks[matrix.indices]
    hashes = _hash(_hash(_hash(np.full(1, seed, np.int64)) ^ _hash(interactions.users))[row] ^ _hash(track))
    order = np.lexsort((track, hashes, ~free, row))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - matrix.indptr[row]
    return rank


def _hash(values: NDArray[np.int64 | np.uint64]) -> NDArray[np.uint64]:
    mixed: NDArray[np.uint64] = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def take_part(matrix: sp.csr_array, kept: NDArray[np.bool_]) -> sp.csr_array:
    """Return the matrix with only those entries, in its order, that are *kept*."""
    starts = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr].astype(matrix.indptr.dtype)
    part = sp.csr_array((matrix.data[kept], matrix.indices[kept], starts), shape=matrix.shape)
    part.has_sorted_indices = True
    return part
