"""The likes to expect of people who choose by popularity alone.

A person draws tracks with replacement. The number of draws of a track with c likes is Poisson with the mean
pull * c, so the person likes it with the probability 1 - exp(-pull * c). The pull is the same for all people
and tracks, and such that as many likes are expected as there are.

While pull * c is small, this is c times the ratio of the people's likes to everyone's likes. It never exceeds
the number of people, which that ratio does for a very popular track. A set of tracks follows the same law,
because sums of Poisson variables are Poisson: someone likes any of its tracks with the probability
1 - exp(-pull * C), with C the sum of its likes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Ids = NDArray[np.int64]
    Floats = NDArray[np.float64]

    Expect = Callable[[Ids, int, float], Floats]


def fit_pull(expect: Expect, popularity: Ids, people: int, likes: int) -> float:
    """Return the pull at which *people* are expected to give so many *likes* to tracks of this *popularity*.

    All of these tracks have likes; *expect*: one of the functions below.
    """
    values, tracks = np.unique(popularity, return_counts=True)

    def surplus(pull: float) -> float:
        return float(expect(values, people, pull) @ tracks) - likes

    if not len(values) or surplus(0.0) >= 0:
        return 0.0
    if surplus(math.inf) <= 0:
        return math.inf
    high = 1 / float(values[-1])
    while surplus(high) < 0:
        high *= 2
    return float(brentq(surplus, 0.0, high, xtol=high * 1e-12))


def expect_people(popularity: Ids, people: int, pull: float) -> Floats:
    """Return how many of the *people* are expected to like each track, or any track of each set."""
    return -people * np.expm1(-pull * popularity.astype(np.float64))


def expect_if_liked(popularity: Ids, people: int, pull: float) -> Floats:
    """Return the same for tracks that are known to be liked by somebody among them: at least 1.

    That is the mean of a binomial distribution without its zero. A harvest knows a rare track only because
    somebody likes it, so that without this condition rare tracks are always liked more than expected.
    """
    draws = pull * popularity.astype(np.float64)
    with np.errstate(invalid="ignore"):
        expected = people * np.expm1(-draws) / np.expm1(-people * draws)
    return np.where(draws > 0, expected, 1.0)
