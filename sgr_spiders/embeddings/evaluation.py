"""Measure recommenders: each ranks all tracks for each user, except the user's training tracks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings import metrics
from sgr_spiders.embeddings.base import Corpus
from sgr_spiders.embeddings.embed import build_corpus
from sgr_spiders.embeddings.interactions import SOURCES
from sgr_spiders.embeddings.pair_times import DATED, read_pair_times
from sgr_spiders.embeddings.preparation import Choice, prepare
from sgr_spiders.embeddings.recommenders import train
from sgr_spiders.embeddings.time_split import choose_time, split_at
from sgr_spiders.model.exceptions import ArgumentError, EmbeddingError
from sgr_spiders.storage.libraries import USUAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.embeddings.interactions import Interactions
    from sgr_spiders.embeddings.metrics import Figures
    from sgr_spiders.embeddings.recommenders import Recommender
    from sgr_spiders.embeddings.split import Split
    from sgr_spiders.embeddings.time_split import TimeSplit
    from sgr_spiders.storage.libraries import Inclusion
    from sgr_spiders.storage.store import Connection

SCORES_AT_A_TIME = 1 << 24
"""Scores in memory at a time: 64 MB."""


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of a recommender: means over all users with held-out tracks (formulas in ``metrics``)."""

    method: str
    users: int
    recall: float
    ndcg: float
    coverage: float
    """Share of the training tracks that are recommended to at least one user."""
    tail_recall: float
    """Recall of rare held-out tracks, over users who have any; NaN if no user does."""
    popularity_lift: float
    cpu_seconds: float
    """CPU time of training."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A test set-up.

    *train* and *test*: users x tracks, of the same shape, without a common pair. *playlists*: as in
    ``Corpus``. *at*: the time of a split by time, and *undecided* the number of pairs in neither part.
    """

    train: sp.csr_array
    test: sp.csr_array
    playlists: Sequence[Numbers] = ()
    k: int = 20
    at: str | None = None
    undecided: int = 0
    left_out: int = 0
    """The number of libraries left out because they were not looked at."""

    @property
    def cold_pairs(self) -> int:
        """The number of test pairs whose tracks are not in the training data."""
        cold = np.bincount(self.train.indices, minlength=self.train.shape[1]) == 0
        return int(cold[self.test.indices].sum())

    def measure(self, name: str, dimensions: int | None = None, random_seed: int = 1) -> Quality:
        """Train this recommender, and test it.

        Raises:
            EmbeddingError: there is nothing to train or test on.
        """
        if not self.test.nnz or not self.train.nnz:
            raise EmbeddingError("nothing to evaluate: no track is held out, or none is left to train on")
        began = time.process_time()
        recommender = train(name, Corpus(self.train, self.playlists), dimensions, random_seed)
        return self.test_recommender(name, recommender, time.process_time() - began)

    def test_recommender(self, name: str, recommender: Recommender, cpu_seconds: float) -> Quality:
        """Test a trained recommender."""
        users = np.flatnonzero(np.diff(self.test.indptr))
        tally = _Tally(self)
        rows = max(1, SCORES_AT_A_TIME // self.train.shape[1])
        for start in range(0, len(users), rows):
            part = users[start : start + rows]
            tally.add(part, recommend_best(recommender, self.train, part, self.k))
        return tally.quality(name, cpu_seconds)


def prepare_trial(
    connection: Connection,
    *,
    sources: Sequence[str],
    share: float,
    random_seed: int,
    k: int,
    include: Inclusion = USUAL,
) -> Trial:
    """Hold out this share of each user's tracks in a database, except the seeds, which all users share."""
    choice = Choice(
        sources=dict.fromkeys(sources, 1.0),
        test=share,
        validation=0,
        split_seed=random_seed,
        include_unseen=include.unseen,
        include_removed=include.removed,
    )
    data = prepare(connection, choice)
    corpus = build_corpus(data)
    left_out = data.interactions.left_out
    return Trial(corpus.matrix, data.split.test, corpus.playlists, k, left_out=left_out)


def prepare_time_trial(
    connection: Connection,
    *,
    sources: Sequence[str],
    share: float,
    at: str | None,
    k: int,
    include: Inclusion = USUAL,
) -> Trial:
    """Train on what was liked before a time, and test on what was liked after it.

    Args:
        connection: the database.
        sources: the interactions that count as liking.
        share: the share of the pairs to test, if *at* is ``None``.
        at: the time, ISO 8601 in UTC.
        k: the number of recommendations per user.
        include: what to include besides present rows of libraries that were looked at.

    Raises:
        ArgumentError: the times of a source are unknown.
        EmbeddingError: no time is known.
    """
    undated = [source for source in sources if source in SOURCES and source not in DATED]
    if undated:
        raise ArgumentError(
            f"option `--split time`: times of a {undated[0]} are not known, only of a {' or '.join(DATED)}"
        )
    found: list[TimeSplit] = []

    def divide(interactions: Interactions, seed_tracks: Numbers) -> Split:
        times = read_pair_times(connection, interactions, sources, include.rows)
        moment = choose_time(times, share) if at is None else np.datetime64(at.removesuffix("Z"), "us")
        found.append(split_at(interactions, seed_tracks, times, moment))
        return found[0].parts

    choice = Choice(
        sources=dict.fromkeys(sources, 1.0),
        include_unseen=include.unseen,
        include_removed=include.removed,
    )
    data = prepare(connection, choice, divide=divide)
    corpus = build_corpus(data)
    moment = f"{np.datetime_as_string(found[0].at, unit='s')}Z"
    return Trial(
        corpus.matrix,
        data.split.test,
        corpus.playlists,
        k,
        moment,
        found[0].undecided,
        data.interactions.left_out,
    )


def recommend_best(recommender: Recommender, known: sp.csr_array, users: Numbers, k: int) -> Numbers:
    """Return the *k* best tracks for each user that are not in *known*, best first.

    Ties prefer the first track; -1 fills rows with fewer recommendations.
    """
    scores = recommender.scores(users)
    mine = known[users]
    scores[np.repeat(np.arange(len(users)), np.diff(mine.indptr)), mine.indices] = -np.inf
    return _largest(scores, k)


def _largest(scores: Array, k: int) -> Numbers:
    count = min(k, scores.shape[1])
    keys = _keys(scores)
    some = np.argpartition(keys, scores.shape[1] - count, axis=1)[:, scores.shape[1] - count :]
    order = np.argsort(np.take_along_axis(keys, some, axis=1), axis=1)[:, ::-1]
    some = np.take_along_axis(some, order, axis=1)
    found = np.full((len(scores), k), -1)
    found[:, :count] = np.where(np.take_along_axis(scores, some, axis=1) > -np.inf, some, -1)
    return found


def _keys(scores: Array) -> NDArray[np.int64]:
    """Return integers in the order of the scores; among equal scores, the first has the largest."""
    bits = (scores + np.float32(0)).view(np.int32)  # -0 becomes 0
    # The bits of floats sort like the floats; those of negative floats sort in reverse.
    ordered = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    return (ordered << 32) - np.arange(scores.shape[1])


@dataclass
class _Tally:
    """Sums over blocks of users."""

    trial: Trial
    recall: list[Figures] = field(default_factory=list)
    ndcg: list[Figures] = field(default_factory=list)
    tail_recall: list[Figures] = field(default_factory=list)
    popular: list[Figures] = field(default_factory=list)
    liked: list[Figures] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fans = np.bincount(self.trial.train.indices, minlength=self.trial.train.shape[1])
        self.rare = metrics.tail(self.fans)
        self.recommended = np.zeros(len(self.fans), bool)

    def add(self, users: Numbers, tracks: Numbers) -> None:
        """Add the recommended *tracks* of each of *users*; -1 fills short rows."""
        relevant = self.trial.test[users].toarray() > 0
        given = tracks >= 0
        hits = np.take_along_axis(relevant, tracks, axis=1) & given
        held_out = relevant.sum(axis=1)
        self.recall.append(metrics.recall(hits, held_out))
        self.ndcg.append(metrics.ndcg(hits, held_out))
        rare_out = (relevant & self.rare).sum(axis=1)
        some = rare_out > 0
        self.tail_recall.append(metrics.recall((hits & self.rare[tracks])[some], rare_out[some]))
        self.recommended[tracks[given]] = True
        self._add_popularity(users, tracks, given)

    def _add_popularity(self, users: Numbers, tracks: Numbers, given: NDArray[np.bool_]) -> None:
        mine = self.trial.train[users]
        sizes = np.diff(mine.indptr)
        both = (sizes > 0) & given.any(axis=1)
        ones = sp.csr_array((np.ones(mine.nnz), mine.indices, mine.indptr), shape=mine.shape)
        self.liked.append((ones @ self.fans)[both] / sizes[both])
        self.popular.append((self.fans[tracks] * given)[both].sum(axis=1) / given[both].sum(axis=1))

    def quality(self, name: str, seconds: float) -> Quality:
        recommendable = self.fans > 0
        return Quality(
            method=name,
            users=sum(map(len, self.recall)),
            recall=_mean(self.recall),
            ndcg=_mean(self.ndcg),
            coverage=float((self.recommended & recommendable).sum() / recommendable.sum()),
            tail_recall=_mean(self.tail_recall),
            popularity_lift=metrics.popularity_lift(_mean(self.popular), _mean(self.liked)),
            cpu_seconds=seconds,
        )


def _mean(parts: list[Figures]) -> float:
    values = np.concatenate(parts)
    return float(values.mean()) if len(values) else float("nan")
