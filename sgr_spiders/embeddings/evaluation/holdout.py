"""The pairs that an evaluation trains on and tests, at random, the newest, or from a moment on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.split import split, take_part

if TYPE_CHECKING:
    import scipy.sparse as sp
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.interactions import Interactions

    Ids = NDArray[np.int64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Holdout:
    """The parts of a matrix, of its shape; each pair is in exactly one of them.

    *neither*: pairs that are neither trained on nor tested. *undecided*: those of them whose order in time is
    not known. *at*: the moment that divides the others, if there is one for all.
    """

    train: sp.csr_array
    test: sp.csr_array
    neither: sp.csr_array
    undecided: int = 0
    at: np.datetime64 | None = None


def hold_out_random(interactions: Interactions, seed_tracks: Ids, share: float, random_seed: int) -> Holdout:
    """Hold out this share of each user's tracks, at random (``split``)."""
    parts = split(interactions, seed_tracks, test=share, validation=0, seed=random_seed)
    return Holdout(parts.train, parts.test, parts.validation)


def take_parts(
    matrix: sp.csr_array, is_train: Mask, is_test: Mask, undecided: int, at: np.datetime64 | None = None
) -> Holdout:
    """Return the parts, from one value for each entry of the matrix."""
    return Holdout(
        take_part(matrix, is_train),
        take_part(matrix, is_test),
        take_part(matrix, ~is_train & ~is_test),
        undecided,
        at,
    )


def rows_of(matrix: sp.csr_array) -> Ids:
    """Return the row of each entry."""
    return np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
