"""The words that a group uses more than others: weighted log-odds ratios.

Monroe, Colaresi and Quinn, Fightin' Words: Lexical Feature Selection and Evaluation for Identifying the
Content of Political Conflict (Political Analysis 16, 2008), equations 16 to 22. Words are here genres, tags,
countries or cities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import scipy.sparse as sp
    from numpy.typing import NDArray

    Ids = NDArray[np.int64]
    Floats = NDArray[np.float64]

PRIOR = 50.0
"""The observations in the prior (a_0 in the paper), divided among the words by their shares in all texts."""
QUANTILE = 1.959964
"""Standard deviations to each end of a 95% interval."""
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class LogOdds:
    """The log-odds ratio of each word with its standard deviation; above 0, the group uses it more."""

    ratios: Floats
    deviations: Floats

    @property
    def scores(self) -> Floats:
        """The ratios in standard deviations, by which the paper ranks words."""
        return self.ratios / self.deviations

    @property
    def lowest(self) -> Floats:
        """The lower ends of the 95% intervals."""
        return self.ratios - QUANTILE * self.deviations

    @property
    def highest(self) -> Floats:
        """The upper ends of the 95% intervals."""
        return self.ratios + QUANTILE * self.deviations


def compare(counts: Floats, total: Floats, others: Floats, of_others: float, prior: float = PRIOR) -> LogOdds:
    """Compare the *counts* of words of *total* words of a group with the *others* of so many *of_others*.

    Args:
        counts: y_w of the group.
        total: n of the group, for each word.
        others: y_w of the others.
        of_others: n of the others; both texts together have at least two words.
        prior: a_0; the prior of a word is a_w = a_0 times its share in both texts.
    """
    share = (counts + others) / (total + of_others)
    own, own_rest = counts + prior * share, (total - counts) + prior * (1 - share)
    other, other_rest = others + prior * share, (of_others - others) + prior * (1 - share)
    ratios = np.log(own / own_rest) - np.log(other / other_rest)
    variances = 1 / own + 1 / own_rest + 1 / other + 1 / other_rest
    return LogOdds(ratios, np.sqrt(variances))


def effects_of_people(used: sp.csr_array) -> Floats:
    """Return by how much more the share of each word varies than if all of its uses were independent.

    The uses of one person resemble each other. Rao and Scott, A simple method for the analysis of clustered
    binary data (Biometrics 48, 1992): both the count and the total are divided by this effect.

    Args:
        used: How often each person (row) uses each word (column).
    """
    sizes, counts = used.sum(axis=1), used.sum(axis=0)
    shares = counts / counts.sum()
    squares = used.multiply(used).sum(axis=0)
    squares += shares**2 * (sizes**2).sum() - 2 * shares * (used.T @ sizes)
    people = max(2, int((sizes > 0).sum()))
    effects: Floats = squares / np.maximum(counts * (1 - shares), _TINY) * people / (people - 1)
    return np.maximum(1.0, effects)


def effects_of_artists(word: Ids, used: Floats, expected: Floats, words: int) -> Floats:
    """Return by how much more the count of each word varies than if all of its uses were independent.

    The tracks of one artist resemble each other. If all artists were liked as the word is, each would have
    its expected uses times the ratio of the word. The squared distances from that, each divided by what is
    left of the word without the artist, are the variance of the count: the estimate HC3 of MacKinnon and
    White, Some heteroskedasticity-consistent covariance matrix estimators with improved finite sample
    properties (Journal of Econometrics 29, 1985). The effect of a word of one artist is infinite: nothing
    tells them apart.

    Args:
        word: The word of each pair of an artist and one of the *words*.
        used: How often each pair is used.
        expected: How often that is expected.
        words: The number of words.
    """
    counts, totals, artists = (
        np.bincount(word, weights=weights, minlength=words) for weights in (used, expected, None)
    )
    ratios = counts / np.maximum(totals, _TINY)
    shares = expected / np.maximum(totals, _TINY)[word]
    distances = (used - ratios[word] * expected) / np.maximum(1 - shares, _TINY)
    effects = np.bincount(word, weights=distances**2, minlength=words) / np.maximum(counts, _TINY)
    return np.where(artists < 2, np.inf, np.maximum(1.0, effects))
