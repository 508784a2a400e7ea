"""The recall of likes that were held out from both sides.

The held-out likes come from one reference: a share of the library of each of its users. They are removed from
both sides, which then recommend tracks to these users by random walks, as `scrapy recommend`. What is left of
a user's library, of the reference or of the side, is not recommended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Corpus
from sgr_spiders.embeddings.evaluation import statistics
from sgr_spiders.embeddings.evaluation.ranking import SCORES_AT_A_TIME, recommend_best
from sgr_spiders.embeddings.interactions import Interactions
from sgr_spiders.embeddings.split import split
from sgr_spiders.embeddings.walk import WalkRecommender
from sgr_spiders.reports.comparison.neighbours import as_matrix
from sgr_spiders.storage.lookup import look_up, mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.reports.comparison.sides import Side

    Ids = NDArray[np.int64]

SHARE = 0.2
"""The share of each library that is held out."""
RANDOM_SEED = 1
RECOMMENDED = 20
"""Tracks recommended to each user."""
MAX_USERS = 5_000
"""Users of the reference with held-out likes that are tested; of more, those with the smallest hashes."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The held-out likes: ``users[i]`` and ``tracks[i]``, and the rest of these users' libraries."""

    users: Ids
    tracks: Ids
    left_users: Ids
    left_tracks: Ids

    @property
    def tested(self) -> Ids:
        """The users with held-out likes, in ascending order."""
        return np.unique(self.users)


@dataclass(frozen=True, slots=True)
class Recall:
    """The recall of one side.

    *interval*: the 95% interval of the mean over all tested users. *known*: the tested users whose library
    the side knows. *held_out_known*: the held-out likes of a track that is in any library of the side.
    *recall*: the mean over all tested users; one who is not known has 0. *recall_of_both*: the mean over
    those that both sides know.
    """

    known: int
    held_out_known: int
    recall: float | None
    recall_of_both: float | None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Recalls:
    """The recall of each side, and the p-value of their difference (``paired_p``), if users were tested."""

    sides: tuple[Recall, ...]
    p: float | None


def hold_out(reference: Side, seeds: Ids) -> Trial:
    """Hold out a share of each library of the *reference*, except likes of *seeds*."""
    likes = reference.inputs.likes
    users = likes.incidence.ids
    parts = split(
        Interactions(users, likes.ids, as_matrix(reference)),
        seeds,
        test=SHARE,
        validation=0.0,
        seed=RANDOM_SEED,
    )
    tested = np.flatnonzero(np.diff(parts.test.indptr))
    chosen = tested[np.argsort(mix(users[tested].astype(np.uint64)), kind="stable")[:MAX_USERS]]
    rows = np.sort(chosen)
    held, left = (part[rows] for part in (parts.test, parts.train))
    return Trial(
        np.repeat(users[rows], np.diff(held.indptr)),
        likes.ids[held.indices],
        np.repeat(users[rows], np.diff(left.indptr)),
        likes.ids[left.indices],
    )


def measure(trial: Trial, sides: tuple[Side, Side]) -> Recalls:
    """Return the recall of each of the *sides*."""
    first, second = (_Measured.of(trial, side) for side in sides)
    by_both = first.is_known & second.is_known
    per_user = np.column_stack([first.recalls, second.recalls])
    samples = statistics.resample_ratios(per_user, np.ones_like(per_user), RANDOM_SEED)
    recalls = tuple(
        Recall(
            int(one.is_known.sum()),
            one.held_out_known,
            _mean(one.recalls),
            _mean(one.recalls[by_both]),
            statistics.percentile_interval(drawn),
        )
        for one, drawn in zip((first, second), samples.T, strict=True)
    )
    p = statistics.paired_p(first.recalls - second.recalls, RANDOM_SEED) if len(per_user) else None
    return Recalls(recalls, p)


@dataclass(frozen=True, slots=True)
class _Measured:
    """The recall of each tested user on one side, 0 for those that it does not know."""

    is_known: NDArray[np.bool_]
    recalls: NDArray[np.float64]
    held_out_known: int

    @classmethod
    def of(cls, trial: Trial, side: Side) -> _Measured:
        likes = side.inputs.likes
        users, tracks, tested = likes.incidence.ids, likes.ids, trial.tested
        matrix = as_matrix(side)
        held_out = _place(trial.users, trial.tracks, users, tracks)
        train = _without(matrix, held_out)
        left = _place(trial.left_users, trial.left_tracks, users, tracks)
        known = sp.csr_array(train + left)
        rows = look_up(users, np.arange(len(users)), tested)
        is_known = rows >= 0
        hits = np.zeros(len(tested))
        if is_known.any():
            hits[is_known] = _count_hits(train, known, held_out, rows[is_known])
        sizes = np.bincount(np.searchsorted(tested, trial.users), minlength=len(tested))
        track_known = look_up(tracks, np.arange(len(tracks)), trial.tracks) >= 0
        return cls(is_known, hits / np.maximum(sizes, 1), int(track_known.sum()))


def _count_hits(train: sp.csr_array, known: sp.csr_array, held_out: sp.csr_array, rows: Ids) -> Ids:
    recommender = WalkRecommender(Corpus(train))
    at_a_time = max(1, SCORES_AT_A_TIME // max(1, train.shape[1]))
    hits = []
    for start in range(0, len(rows), at_a_time):
        part = rows[start : start + at_a_time]
        best = recommend_best(recommender, known, part, RECOMMENDED)
        relevant = held_out[part].toarray() > 0
        hits.append((np.take_along_axis(relevant, best, axis=1) & (best >= 0)).sum(axis=1))
    return np.concatenate(hits)


def _place(pair_users: Ids, pair_tracks: Ids, users: Ids, tracks: Ids) -> sp.csr_array:
    """Return the pairs as a matrix of these *users* and *tracks*, without those of others."""
    row = look_up(users, np.arange(len(users)), pair_users)
    column = look_up(tracks, np.arange(len(tracks)), pair_tracks)
    known = (row >= 0) & (column >= 0)
    ones = np.ones(int(known.sum()), np.float32)
    return sp.csr_array((ones, (row[known], column[known])), shape=(len(users), len(tracks)))


def _without(matrix: sp.csr_array, pairs: sp.csr_array) -> sp.csr_array:
    """Return the matrix of ones without *pairs*, also a matrix of ones."""
    left = sp.csr_array(matrix - matrix.multiply(pairs))
    left.eliminate_zeros()
    left.sort_indices()
    return left


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None
