"""Prepare trials from a database, or from files of pairs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from sgr_spiders.embeddings.embed import playlist_columns
from sgr_spiders.embeddings.evaluation.cutoff import hold_out_since
from sgr_spiders.embeddings.evaluation.holdout import Holdout, hold_out_random
from sgr_spiders.embeddings.evaluation.newest import hold_out_newest
from sgr_spiders.embeddings.evaluation.ranking import NOTHING
from sgr_spiders.embeddings.evaluation.trial import Trial
from sgr_spiders.embeddings.interactions import SOURCES, Interactions, read_interactions
from sgr_spiders.embeddings.pair_positions import Positions, read_positions
from sgr_spiders.embeddings.pair_times import DATED, read_pair_times
from sgr_spiders.embeddings.preparation import Choice, Playlists, read_training_playlists
from sgr_spiders.model.exceptions import ArgumentError, EmbeddingError
from sgr_spiders.storage import interactions_read
from sgr_spiders.storage.libraries import USUAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import scipy.sparse as sp
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.evaluation.pairs_file import PairsOfFiles
    from sgr_spiders.storage.libraries import Inclusion
    from sgr_spiders.storage.store import Connection

    Ids = NDArray[np.int64]
    Rule = Callable[[int, Interactions], Holdout]
    """Divides pairs, with a random seed."""

How = Literal["random", "newest", "cutoff"]


@dataclass(frozen=True, slots=True)
class TrialOptions:
    """The rule that holds out pairs, and what it divides.

    *at*: the moment of a cutoff, ISO 8601 in UTC; ``None``: by *share*. *random_seeds*: one trial for each;
    only a random split differs between them, else only methods with a random start do.
    """

    sources: Sequence[str] = ("like",)
    how: How = "random"
    share: float = 0.2
    at: str | None = None
    k: int = 20
    random_seeds: Sequence[int] = (1,)
    include: Inclusion = USUAL


@dataclass(frozen=True, slots=True)
class Trials:
    """The trials, and the libraries left out because they were not looked at."""

    trials: list[Trial]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rule that divides all pairs, and the one that divides training pairs again.

    *positions*: the order of each user's likes, where the rules are about time.
    """

    outer: Rule
    inner: Rule
    positions: Positions | None = None


@dataclass(frozen=True, slots=True)
class _Data:
    """The pairs of a database."""

    interactions: Interactions
    seed_tracks: Ids
    artists: Ids
    playlists: Playlists
    k: int
    rules: _Rules

    def build_trial(self, rule: Rule, random_seed: int, pairs: Interactions) -> Trial:
        """Divide *pairs*, some or all of the data, by this rule."""
        held = rule(random_seed, pairs)
        learnt = dataclasses.replace(self.interactions, matrix=held.train)
        return Trial(
            held.train,
            held.test,
            self._playlists(learnt),
            self.k,
            held.neither,
            np.flatnonzero(np.isin(self.interactions.tracks, self.seed_tracks)),
            self.interactions.users,
            self.interactions.tracks,
            self.artists,
            random_seed,
            held.undecided,
            None if held.at is None else f"{np.datetime_as_string(held.at, unit='s')}Z",
            partial(self.build_trial, self.rules.inner, random_seed, learnt),
            self.rules.positions,
        )

    def _playlists(self, learnt: Interactions) -> list[Ids]:
        """Return the playlists without what their owners like, unless it is trained on."""
        held_out = self.interactions.matrix - learnt.matrix
        held_out.eliminate_zeros()
        return playlist_columns(
            self.interactions, self.playlists.without_held_out(self.interactions, held_out)
        )


def prepare_trials(connection: Connection, options: TrialOptions) -> Trials:
    """Read the pairs of a database, and divide them for each random seed.

    Pairs with a seed are never held out, and seeds are not recommended: users are harvested because they like
    one, so every method would find it.

    Raises:
        ArgumentError: the times of a source are unknown.
        EmbeddingError: no time is known.
    """
    _check_times(options)
    choice = Choice(
        sources=dict.fromkeys(options.sources, 1.0),
        include_unseen=options.include.unseen,
        include_removed=options.include.removed,
    )
    interactions = read_interactions(connection, sources=choice.sources, include=options.include)
    seed_tracks = interactions_read.read_seeds(connection)
    rules = _read_rules(connection, options, interactions, seed_tracks)
    playlists = read_training_playlists(connection, choice)
    artists = interactions_read.read_artists(connection, interactions.tracks)
    data = _Data(interactions, seed_tracks, artists, playlists, options.k, rules)
    trials = [data.build_trial(rules.outer, seed, interactions) for seed in options.random_seeds]
    return Trials(trials, interactions.left_out)


def _check_times(options: TrialOptions) -> None:
    undated = [source for source in options.sources if source in SOURCES and source not in DATED]
    if options.how != "random" and undated:
        raise ArgumentError(
            f"option `--split {options.how}`: times of a {undated[0]} are not known, only of a "
            f"{' or '.join(DATED)}"
        )


def _read_rules(
    connection: Connection, options: TrialOptions, interactions: Interactions, seed_tracks: Ids
) -> _Rules:
    share = options.share
    if options.how == "random":
        at_random: Rule = lambda seed, pairs: hold_out_random(pairs, seed_tracks, share, seed)  # noqa: E731
        return _Rules(at_random, at_random)
    times = read_pair_times(connection, interactions, options.sources, options.include.rows)
    positions = read_positions(connection, interactions, options.sources)
    if options.how == "cutoff":
        at = None if options.at is None else np.datetime64(options.at.removesuffix("Z"), "us")
        if at is None and np.isnat(times.not_before).all():
            raise EmbeddingError("nothing to split: the database contains no times of these interactions")
        return _Rules(
            lambda _, pairs: hold_out_since(pairs, seed_tracks, times, share=share, at=at),
            lambda _, pairs: hold_out_since(pairs, seed_tracks, times, share=share),
            positions,
        )
    newest: Rule = lambda _, pairs: hold_out_newest(pairs, seed_tracks, times, positions, share)  # noqa: E731
    return _Rules(newest, newest, positions)


def trials_of_files(pairs: PairsOfFiles, k: int, share: float, random_seeds: Sequence[int]) -> Trials:
    """Return a trial of the given parts for each random seed of the methods."""

    def trial(
        train: sp.csr_array, test: sp.csr_array, seed: int, divide: Callable[[], Trial] | None = None
    ) -> Trial:
        return Trial(
            train,
            test,
            k=k,
            users=pairs.users,
            tracks=pairs.tracks,
            random_seed=seed,
            divide=divide,
            positions=pairs.positions,
        )

    def divide(seed: int, known: Interactions) -> Trial:
        held = hold_out_random(known, NOTHING, share, seed)
        return trial(held.train, held.test, seed)

    known = Interactions(pairs.users, pairs.tracks, pairs.train)
    return Trials(
        [trial(pairs.train, pairs.test, seed, partial(divide, seed, known)) for seed in random_seeds]
    )
