"""The tracks, artists and words that listeners prefer more than overall popularity explains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.reports.profile.log_odds import compare, effects_of_artists, effects_of_people
from sgr_spiders.reports.profile.popularity import expect_if_liked, expect_people, fit_pull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sgr_spiders.reports.profile.log_odds import LogOdds

    Ids = NDArray[np.int64]
    Floats = NDArray[np.float64]

SHRINKAGE = 5
"""Added to the listeners found and to those expected: a ratio of a few people is close to 1."""
MIN_LISTENERS = 5
"""A word of fewer listeners is not compared; a place of fewer could identify them, and is not shown."""


_LARGEST_LOGARITHM = 709.0


@dataclass(frozen=True, slots=True)
class Preferred:
    """A track or an artist: how many listeners like it, and how many its popularity lets expect."""

    id: int
    ratio: float
    listeners: int
    expected: float
    likes: int


@dataclass(frozen=True, slots=True)
class Preferences:
    """The tracks or artists that are liked most beyond expectation, of *compared* ones that anyone likes."""

    found: list[Preferred]
    compared: int


@dataclass(frozen=True, slots=True)
class Typical:
    """A word that listeners use more than others; the ratio and its interval are odds ratios."""

    name: str
    ratio: float
    lowest: float
    highest: float
    score: float
    listeners: int
    share: float
    usual: float


@dataclass(frozen=True, slots=True)
class Words:
    """The words by their scores, of *compared* ones; *above*: the number of those with an interval above 1.

    *rare*: the number of words of too few listeners, or of one artist. Such genres and tags are not compared;
    such countries and cities are, but are not found. If both numbers are 0, nothing could be compared.
    """

    found: list[Typical]
    above: int
    compared: int
    rare: int


NO_WORDS = Words([], 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The shares of words among those of listeners and the usual ones, and their odds."""

    shares: Floats
    usual: Floats
    odds: LogOdds


@dataclass(frozen=True, slots=True)
class Library:
    """The likes of the listeners, one row each, for tracks (``ids``) that at least one of them likes.

    ``expected``: the listeners of each track that its popularity lets expect, by the ``pull``.
    ``expected_if_liked``: the same, if at least one of them likes it.
    """

    ids: Ids
    artists: Ids
    popularity: Ids
    likes: sp.csr_array
    pull: float
    expected: Floats
    expected_if_liked: Floats

    @classmethod
    def of(cls, likes: sp.csr_array, ids: Ids, artists: Ids, popularity: Ids) -> Library:
        """Keep the liked tracks, and compute what to expect."""
        listeners = _count(likes)
        liked = np.flatnonzero(listeners)
        # A count that is older than the likes is at least their number.
        popularity = np.maximum(popularity, listeners)[liked]
        people, found = likes.shape[0], likes.nnz
        pull = fit_pull(expect_people, popularity, people, found)
        if_liked = fit_pull(expect_if_liked, popularity, people, found)
        return cls(
            ids[liked],
            artists[liked],
            popularity,
            sp.csr_array(likes[:, liked]),
            pull,
            expect_people(popularity, people, pull),
            expect_if_liked(popularity, people, if_liked),
        )

    @property
    def people(self) -> int:
        people: int = self.likes.shape[0]
        return people

    def by_artist(self, words: sp.csr_array) -> tuple[Ids, Floats, Floats]:
        """Return the word of each pair of an artist and a word, its likes, and how many are expected."""
        # A track of an unknown artist counts as one of its own.
        keys = np.where(self.artists >= 0, self.artists, -self.ids)
        artist = np.unique(keys, return_inverse=True)[1]
        track, word = words.nonzero()
        pairs, pair = np.unique(artist[track] * np.int64(words.shape[1]) + word, return_inverse=True)
        likes, expected = (
            np.bincount(pair, weights=part[track]).astype(np.float64)
            for part in (_count(self.likes), self.expected_if_liked)
        )
        return pairs % words.shape[1], likes, expected


def prefer_tracks(library: Library, limit: int) -> Preferences:
    """Return the tracks that listeners like most beyond expectation."""
    return _prefer(library.ids, _count(library.likes), library.expected, library.popularity, limit)


def prefer_artists(library: Library, limit: int) -> Preferences:
    """Return the artists of whom listeners like any track, most beyond expectation."""
    known = np.flatnonzero(library.artists >= 0)
    artists, of_track = np.unique(library.artists[known], return_inverse=True)
    to_artist = incidence(known, of_track, (len(library.ids), len(artists)))
    listeners = np.bincount((library.likes @ to_artist).indices, minlength=len(artists))
    popularity = np.asarray(library.popularity @ to_artist).astype(np.int64)
    expected = expect_people(popularity, library.people, library.pull)
    return _prefer(artists, listeners, expected, popularity, limit)


def _prefer(ids: Ids, listeners: Ids, expected: Floats, likes: Ids, limit: int) -> Preferences:
    ratios = (listeners + SHRINKAGE) / (expected + SHRINKAGE)
    order = np.lexsort((ids, -listeners, -ratios))[:limit]
    found = [
        Preferred(int(ids[at]), float(ratios[at]), int(listeners[at]), float(expected[at]), int(likes[at]))
        for at in order
    ]
    return Preferences(found, len(ids))


def compare_words(library: Library, names: Sequence[str], words: sp.csr_array, limit: int) -> Words:
    """Compare the *words* of the liked tracks with those of libraries that follow popularity.

    A word of one artist is not compared: nothing tells them apart.

    *words*: a row for each track and a column for each name.
    """
    used = sp.csr_array(library.likes @ words)
    listeners, expected = _count(used), library.expected_if_liked @ words
    if not used.nnz or np.count_nonzero(expected) < 2:
        return NO_WORDS
    counts = used.sum(axis=0)
    effects = effects_of_people(used) + effects_of_artists(*library.by_artist(words), len(names)) - 1
    compared = np.flatnonzero((listeners >= MIN_LISTENERS) & np.isfinite(effects))
    shares, usual = (part[compared] / part.sum() for part in (counts, expected))
    everyone = float(library.popularity @ words.sum(axis=1))
    effects = effects[compared]
    odds = compare(counts[compared] / effects, counts.sum() / effects, usual * everyone, everyone)
    found = _describe(names, listeners, compared, Comparison(shares, usual, odds), limit)
    rare = np.count_nonzero(listeners) - len(compared)
    return Words(found, _count_above(odds), len(compared), int(rare))


def compare_places(names: Sequence[str], listeners: Ids, others: Ids, limit: int) -> Words:
    """Compare the places of listeners with those of other people, both as numbers of people by place.

    All places are compared: to choose those of many listeners would choose those of more than expected.
    """
    compared = int(np.count_nonzero(listeners + others))
    if not others.any() or compared < 2:
        return NO_WORDS
    shown = np.flatnonzero(listeners >= MIN_LISTENERS)
    own, other = (people[shown].astype(np.float64) for people in (listeners, others))
    total, of_others = float(listeners.sum()), float(others.sum())
    odds = compare(own, np.full(len(own), total), other, of_others)
    comparison = Comparison(own / max(1.0, total), other / of_others, odds)
    rare = int(np.count_nonzero(listeners)) - len(shown)
    return Words(_describe(names, listeners, shown, comparison, limit), _count_above(odds), compared, rare)


def _describe(
    names: Sequence[str], listeners: Ids, shown: Ids, comparison: Comparison, limit: int
) -> list[Typical]:
    odds = comparison.odds
    return [
        Typical(
            names[shown[at]],
            ratio=_raise(odds.ratios[at]),
            lowest=_raise(odds.lowest[at]),
            highest=_raise(odds.highest[at]),
            score=float(odds.scores[at]),
            listeners=int(listeners[shown[at]]),
            share=float(comparison.shares[at]),
            usual=float(comparison.usual[at]),
        )
        for at in np.argsort(-odds.scores, kind="stable")[:limit]
    ]


def _count_above(odds: LogOdds) -> int:
    return int(np.count_nonzero(odds.lowest > 0))


def _raise(logarithm: float) -> float:
    """Return the number with this logarithm, or one as large as a float can be."""
    return math.exp(min(logarithm, _LARGEST_LOGARITHM))


def incidence(rows: Ids, columns: Ids, shape: tuple[int, int]) -> sp.csr_array:
    """Return the matrix with ones at these *rows* and *columns*."""
    return sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def _count(used: sp.csr_array) -> Ids:
    """Return the number of rows with each column."""
    return np.bincount(used.indices, minlength=used.shape[1])
