"""The uncertainty of means over users: bootstrap intervals, and paired tests between methods.

Users are the unit: they are drawn again, or exchanged between methods, with all their figures. The mean of a
user's figures over several splits is one value, because splits of one harvest are no independent samples.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 2_000
"""Resamples of a bootstrap, twice as many as Efron and Tibshirani ask for (1993, section 13.3)."""
PERMUTATIONS = 10_000
"""Random exchanges of a test: the standard error of a p-value of .05 is .002."""
CONFIDENCE = 0.95
CELLS_AT_A_TIME = 1 << 22
"""Users times resamples, or exchanges, in memory at a time: 32 MB."""
TOLERANCE = 1e-12
"""The share of the sum of all differences below which two sums count as equal: rounding errors."""


def resample_ratios(numerators: Floats, denominators: Floats, random_seed: int) -> Floats:
    """Return each ratio of sums over the users of each bootstrap sample: samples x figures.

    Efron, Bootstrap Methods: Another Look at the Jackknife (Annals of Statistics, 1979): each sample draws as
    many users as there are, with replacement. All figures share the samples.

    Args:
        numerators, denominators: users x figures. For a mean, these are the values, and 1 where a user has a
            value and 0 elsewhere.
        random_seed: the seed of the samples.
    """
    users = len(numerators)
    if not users:
        return np.empty((0, numerators.shape[1]))
    random = np.random.default_rng(random_seed)
    parts = []
    for count in _parts(RESAMPLES, users):
        drawn = random.integers(0, users, (count, users))
        flat = (drawn + users * np.arange(count)[:, None]).ravel()
        times = np.bincount(flat, minlength=count * users).reshape(count, users).astype(np.float64)
        sums, sizes = times @ numerators, times @ denominators
        parts.append(np.divide(sums, sizes, out=np.full_like(sums, np.nan), where=sizes != 0))
    return np.concatenate(parts)


def percentile_interval(samples: Floats) -> tuple[float, float] | None:
    """Return the central 95 % of bootstrap samples, or ``None`` if there are none.

    The percentile interval of Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    known = samples[~np.isnan(samples)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def paired_p(differences: Floats, random_seed: int) -> float:
    """Return the p-value of a paired, two-sided randomisation test; *differences*: one for each user."""
    return paired_p_values(differences[:, None], random_seed)[0]


def paired_p_values(differences: Floats, random_seed: int) -> list[float]:
    """Return the p-value of each test; *differences*: users x tests, which share the random signs.

    If two methods are equally good, each user's difference might as well have the other sign. p is the share
    of assignments of signs whose mean difference is at least as far from 0 as the observed one: of all
    assignments if there are few, else of random ones, of which the observed one is one (Phipson and Smyth,
    Permutation P-values Should Never Be Zero, 2010).

    Smucker, Allan and Carterette, A Comparison of Statistical Significance Tests for Information Retrieval
    Evaluation (CIKM 2007) recommend it, and advise against the tests of Wilcoxon and of signs, which test
    another hypothesis than that of equal means. In Urbano, Lima and Hanjalic, Statistical Significance
    Testing in Information Retrieval (SIGIR 2019), it keeps its level as well as the t-test; it needs no
    normal means, which the users of a small harvest do not have.
    """
    reached = np.abs(differences.sum(axis=0)) - TOLERANCE * np.abs(differences).sum(axis=0)
    counts = (differences != 0).sum(axis=0)
    is_small = counts <= math.log2(PERMUTATIONS)
    found = np.empty(len(counts))
    for test in np.flatnonzero(is_small):
        values = differences[differences[:, test] != 0, test]
        found[test] = np.mean(np.abs(_all_signs(len(values)) @ values) >= reached[test])
    if not is_small.all():
        many = differences[:, ~is_small]
        found[~is_small] = (1 + _count_extreme(many, reached[~is_small], random_seed)) / PERMUTATIONS
    return [float(value) for value in found]


def _count_extreme(differences: Floats, reached: Floats, random_seed: int) -> NDArray[np.int64]:
    """Return how many of the random assignments reach each sum."""
    users = len(differences)
    random = np.random.default_rng(random_seed)
    extreme = np.zeros(len(reached), np.int64)
    for count in _parts(PERMUTATIONS - 1, users):
        signs = random.integers(0, 2, (count, users), np.int8).astype(np.float64)
        sums = 2 * (signs @ differences) - differences.sum(axis=0)
        extreme += (np.abs(sums) >= reached).sum(axis=0)
    return extreme


def _all_signs(count: int) -> Floats:
    bits = np.arange(2**count)[:, None] >> np.arange(count) & 1
    return 2 * bits.astype(np.float64) - 1


def _parts(total: int, users: int) -> Iterator[int]:
    """Yield the sizes of parts of *total* that fit into memory."""
    at_a_time = max(1, CELLS_AT_A_TIME // max(1, users))
    for start in range(0, total, at_a_time):
        yield min(at_a_time, total - start)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for the number of tests, in the order given.

    With p_(1) <= … <= p_(m), the adjusted p_(i) is max over j <= i of min(1, (m - j + 1) p_(j)): rejecting
    those up to .05 is wrong at all with a probability of at most .05. Holm, A Simple Sequentially Rejective
    Multiple Test Procedure (Scandinavian Journal of Statistics, 1979).
    """
    values = np.array(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    factors = len(values) - np.arange(len(values))
    adjusted = np.empty(len(values))
    adjusted[order] = np.maximum.accumulate(np.minimum(1, factors * values[order]))
    return [float(value) for value in adjusted]
