"""One test of recommenders: each ranks all tracks that are not known, for each user."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Corpus
from sgr_spiders.embeddings.evaluation import metrics
from sgr_spiders.embeddings.evaluation.ranking import (
    NOTHING,
    SCORES_AT_A_TIME,
    recommend_best,
    recommend_reranked,
)
from sgr_spiders.embeddings.recommenders import train
from sgr_spiders.embeddings.reranking import AS_SCORED, Reranker, unit_rows
from sgr_spiders.model.exceptions import EmbeddingError
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Numbers, Recommender
    from sgr_spiders.embeddings.evaluation.metrics import Figures
    from sgr_spiders.embeddings.pair_positions import Positions
    from sgr_spiders.embeddings.reranking import Reranking

PER_USER = (
    *("recall", "ndcg", "tail_recall", "novelty", "list_similarity", "repeated_artists"),
    *("fans_recommended", "fans_liked"),
)
"""The figures of each user (``metrics``)."""
RERANKED = "{} reranked"
"""The name of a method whose recommendations are reranked."""
OF_ALL_LISTS = ("coverage", "hub_share")
"""The figures of all lists together."""


@dataclass(frozen=True, slots=True)
class Tested:
    """The results of one recommender in one trial.

    *rows*: the rows of the users with held-out tracks. *lists*: the recommended columns of each, best first;
    -1 fills short lists. *per_user*: the figures of ``PER_USER``, one value for each of *rows*; NaN where a
    user has none.
    """

    method: str
    rows: Numbers
    lists: Numbers
    per_user: Mapping[str, Figures]
    coverage: float
    hub_share: float
    cpu_seconds: float
    """CPU time of training."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """Further parameters, which the method chooses on the training data."""
    reranking: Reranking = AS_SCORED
    tracks_left_out: int = 0
    """Liked tracks that the method leaves out, because its model would be too large."""

    @property
    def users(self) -> int:
        return len(self.rows)

    @property
    def recall(self) -> float:
        return _mean(self.per_user["recall"])

    @property
    def ndcg(self) -> float:
        return _mean(self.per_user["ndcg"])

    @property
    def tail_recall(self) -> float:
        return _mean(self.per_user["tail_recall"])

    @property
    def novelty(self) -> float:
        return _mean(self.per_user["novelty"])

    @property
    def list_similarity(self) -> float:
        return _mean(self.per_user["list_similarity"])

    @property
    def repeated_artists(self) -> float:
        return _mean(self.per_user["repeated_artists"])

    @property
    def popularity_lift(self) -> float:
        return metrics.popularity_lift(
            _mean(self.per_user["fans_recommended"]), _mean(self.per_user["fans_liked"])
        )


@dataclass(frozen=True)
class Trial:
    """A test set-up.

    *train* and *test*: users x tracks, of the same shape, without a common pair. *playlists*: as in
    ``Corpus``. *neither*: pairs that are neither trained on nor tested, so that recommending one is neither
    right nor wrong. *seeds*: the columns of the seeds, which are not recommended. *users*, *tracks*: the IDs
    of rows and columns. *artists*: the artist of each column, -1 if unknown. *divide*: returns a trial that
    divides *train* in the same way, to choose parameters.
    *positions*: the order of each user's pairs; ``None``: it is not known, or held-out pairs are random.
    """

    train: sp.csr_array
    test: sp.csr_array
    playlists: Sequence[Numbers] = ()
    k: int = 20
    neither: sp.csr_array | None = None
    seeds: Numbers = field(default_factory=lambda: NOTHING)
    users: Numbers | None = None
    tracks: Numbers | None = None
    artists: Numbers | None = None
    random_seed: int = 1
    undecided: int = 0
    """The pairs in *neither* because their order in time is not known."""
    at: str | None = None
    """The moment of a cutoff."""
    divide: Callable[[], Trial] | None = None
    positions: Positions | None = None

    @property
    def cold_pairs(self) -> int:
        """The number of test pairs whose tracks are not in the training data."""
        cold = np.bincount(self.train.indices, minlength=self.train.shape[1]) == 0
        return int(cold[self.test.indices].sum())

    @property
    def has_data(self) -> bool:
        """True with a pair to test, and one without a seed to train on."""
        return bool(self.test.nnz and self.fans.any())

    @cached_property
    def fans(self) -> Numbers:
        """The fans of each track in the training data; none of a seed, which all users were found by."""
        fans = np.bincount(self.train.indices, minlength=self.train.shape[1])
        fans[self.seeds] = 0
        return fans

    @cached_property
    def known(self) -> sp.csr_array:
        """The pairs that are not recommended."""
        return self.train if self.neither is None else sp.csr_array(self.train + self.neither)

    @cached_property
    def directions(self) -> sp.csr_array:
        """The directions of tracks by their fans: tracks x users, rows of length 1."""
        return unit_rows(sp.csr_array(self.train.T))

    def measure(self, name: str, parameters: Mapping[str, Any] | None = None) -> Tested:
        """Train this recommender, and test it.

        Raises:
            EmbeddingError: there is nothing to train or test on.
        """
        recommender, cpu_seconds = self.train_recommender(name, parameters)
        return self.test_recommender(name, recommender, cpu_seconds, parameters)

    def train_recommender(
        self, name: str, parameters: Mapping[str, Any] | None = None
    ) -> tuple[Recommender, float]:
        """Train this recommender; return it and the CPU time it took.

        Raises:
            EmbeddingError: there is nothing to train or test on.
        """
        if not self.has_data:
            raise EmbeddingError(self._name_emptiness())
        began = time.process_time()
        recency = None if self.positions is None else self.positions.of(self.train)
        corpus = Corpus(self.train, self.playlists, self.seeds, recency)
        recommender = train(name, corpus, self.random_seed, parameters)
        return recommender, time.process_time() - began

    def _name_emptiness(self) -> str:
        reason = "no track is held out, or none is left to train on"
        if self.undecided:
            reason += f"; the order in time of {pluralize(self.undecided, 'pair')} is not known"
        return f"nothing to evaluate: {reason}"

    def test_recommender(
        self,
        name: str,
        recommender: Recommender,
        cpu_seconds: float,
        parameters: Mapping[str, Any] | None = None,
        reranking: Reranking = AS_SCORED,
    ) -> Tested:
        """Test a trained recommender; with a *reranking*, under the name of ``RERANKED``."""
        users = np.flatnonzero(np.diff(self.test.indptr))
        tally = _Tally(self)
        rows = max(1, SCORES_AT_A_TIME // self.train.shape[1])
        for start in range(0, len(users), rows):
            part = users[start : start + rows]
            tally.add(part, self._recommend(recommender, part, reranking))
        lists = np.concatenate(tally.lists)
        given = np.bincount(lists[lists >= 0], minlength=self.train.shape[1])
        return Tested(
            method=RERANKED.format(name) if reranking else name,
            rows=users,
            lists=lists,
            per_user={figure: np.concatenate(parts) for figure, parts in tally.parts.items()},
            coverage=metrics.coverage(given, self.fans),
            hub_share=metrics.hub_share(given),
            cpu_seconds=cpu_seconds,
            parameters=dict(parameters or {}),
            chosen=getattr(recommender, "chosen", {}),
            reranking=reranking,
            tracks_left_out=getattr(recommender, "left_out", 0),
        )

    def _recommend(self, recommender: Recommender, users: Numbers, reranking: Reranking) -> Numbers:
        of_users = (recommender, self.known, users, self.k, self.seeds)
        if not reranking:
            return recommend_best(*of_users)
        return recommend_reranked(*of_users, Reranker(reranking, self.directions, self.artists))


class _Tally:
    """The figures of blocks of users."""

    def __init__(self, trial: Trial) -> None:
        self.lists: list[Numbers] = []
        self.parts: dict[str, list[Figures]] = {name: [] for name in PER_USER}
        self._trial = trial
        self._fans = trial.fans
        self._rare = metrics.tail(self._fans)
        self._surprise = metrics.self_information(self._fans, trial.train.shape[0])

    def add(self, users: Numbers, tracks: Numbers) -> None:
        """Add the recommended *tracks* of each of *users*; -1 fills short rows."""
        relevant = self._trial.test[users].toarray() > 0
        given = tracks >= 0
        hits = np.take_along_axis(relevant, tracks, axis=1) & given
        held_out = relevant.sum(axis=1)
        rare = metrics.recall(hits & self._rare[tracks], (relevant & self._rare).sum(axis=1))
        recommended, liked = self._popularity(users, tracks, given)
        self.lists.append(tracks)
        found = {
            "recall": metrics.recall(hits, held_out),
            "ndcg": metrics.ndcg(hits, held_out),
            "tail_recall": rare,
            "novelty": metrics.mean_over_lists(self._surprise[tracks], given),
            "list_similarity": metrics.list_similarity(tracks, self._trial.directions),
            "repeated_artists": metrics.repeated_artists(tracks, self._trial.artists),
            "fans_recommended": recommended,
            "fans_liked": liked,
        }
        for name, figures in found.items():
            self.parts[name].append(figures)

    def _popularity(
        self, users: Numbers, tracks: Numbers, given: NDArray[np.bool_]
    ) -> tuple[Figures, Figures]:
        """Return the mean fans of the tracks in each list and library, NaN where either is empty."""
        mine = self._trial.train[users]
        ones = sp.csr_array((self._fans[mine.indices] > 0, mine.indices, mine.indptr), shape=mine.shape)
        sizes = np.asarray(ones.sum(axis=1))
        liked = metrics.ratio(ones @ self._fans.astype(np.float64), sizes)
        recommended = metrics.mean_over_lists(self._fans[tracks], given)
        neither = np.isnan(liked) | np.isnan(recommended)
        return np.where(neither, np.nan, recommended), np.where(neither, np.nan, liked)


def _mean(values: Figures) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
