"""The probability of an overlap of at least so many contexts: the upper tail of the Poisson binomial.

Two nodes share context ``t`` with the probability ``q_t = p_ut p_vt``, independently of the other contexts.
The number of contexts that they share is a sum of unequal coins: a Poisson binomial variable. Its tail is
computed by two methods:

- **Exactly**, if at most 256 coins have ``q_t > 0.1``, and the mean is below about 400. These coins are added
  one by one, the others by the recursion over power sums of their odds (S. X. Chen and J. S. Liu: Statistical
  Applications of the Poisson-Binomial and Conditional Bernoulli Distributions, Statistica Sinica, 1997). The
  recursion loses digits far from the mean, so its tails below 1e-9 are computed by the second method. If
  there are at most 128 coins, all are added one by one, and all tails are exact.
- **Otherwise by the saddlepoint approximation** with the second continuity correction (H. E. Daniels: Tail
  Probability Approximations, International Statistical Review, 1987). Its relative error is about 1 / (10
  variance), everywhere in the tail: measured below 1e-4 with more than 256 likely coins. Beyond
  1e-9 with fewer, it was below 2% in 99 of 100 random pairs, and a half at worst, where an overlap needs more
  than all likely coins (tests/relationships/test_significance.py). Near the mean, where the formula is
  singular, the refined normal approximation replaces it (A. Yu. Volkova: A Refinement of the Central Limit
  Theorem for Sums of Independent Random Indicators, Theory of Probability and Its Applications, 1996;
  Y. Hong: On Computing the Distribution Function for the Poisson Binomial Distribution, Computational
  Statistics & Data Analysis, 2013). It is not used further out: its absolute error is small, but many times
  as large as a small tail itself, which would change ``q``.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]
    Counts = NDArray[np.int64]

RARE = 0.1
"""The largest probability of the coins that the recursion adds."""
POWERS = 16
"""Power sums of the odds of these coins: the next one is smaller than the first by 1e-15."""
NEGLIGIBLE = 1e-17
"""The share of the first power sum below which the others are left out."""
FEW = 128
"""Coins that are all added one by one."""
MOST_FREQUENT, LONGEST = 256, 600
DEEP = 1e-9
"""Tails below which the recursion is not trusted."""
BATCH = 1 << 16
"""Numbers in the largest array of a batch."""
NEAR = 0.25
"""Standard deviations from the mean within which the saddlepoint formula is singular."""
SADDLE_STEPS, SADDLE_TOLERANCE = 60, 1e-5
LARGEST = 600.0
"""The largest saddlepoint: its exponential is still a number."""


@dataclass(frozen=True, slots=True)
class Coins:
    """The contexts as seen by pairs: classes with the same probabilities.

    ``edges[a, k]`` is the probability that a node of class ``a`` has a context of class ``k``, and
    ``numbers[k]`` the number of such contexts.
    """

    edges: Reals
    numbers: Reals

    def of_pairs(self, a: Counts, b: Counts) -> Reals:
        """Return the probability that a pair of nodes of these classes shares a context, by its class."""
        shared: Reals = self.edges[a] * self.edges[b]
        return shared


def upper_tails(
    coins: Coins, a: Counts, b: Counts, starts: Counts, overlaps: Counts, threads: int = 1
) -> Reals:
    """Return the probability of at least each overlap.

    The pair of classes ``a[i]``, ``b[i]`` has the overlaps ``overlaps[starts[i]:starts[i + 1]]``, ascending
    and at least 1.
    """
    if not len(a):
        return np.empty(0)
    largest = overlaps[starts[1:] - 1]
    lengths, is_exact = _plan(coins, a, b, largest)
    tails = np.empty(len(overlaps))
    order = np.lexsort((lengths, ~is_exact))
    batches = _divide(order, lengths, is_exact, len(coins.numbers), np.diff(starts))

    def compute(batch: Counts) -> None:
        cells = ranges(starts[batch], starts[batch + 1])
        owners = np.repeat(np.arange(len(batch)), starts[batch + 1] - starts[batch])
        shared = coins.of_pairs(a[batch], b[batch])
        if is_exact[batch[0]]:
            length = int(lengths[batch].max())
            whole = _exact(shared, coins.numbers, length)
            found = whole[owners, np.minimum(overlaps[cells], length - 1)]
            few = np.einsum("ij,j->i", (shared > 0).astype(float), coins.numbers) <= FEW
            deep = (overlaps[cells] >= length) | ((found < DEEP) & ~few[owners])
            found[deep] = _saddlepoint(shared[owners[deep]], coins.numbers, overlaps[cells[deep]])
            tails[cells] = found
        else:
            tails[cells] = _saddlepoint(shared[owners], coins.numbers, overlaps[cells])

    with ThreadPoolExecutor(max(1, threads), "significance") as pool:
        for _ in pool.map(compute, batches):
            pass
    return tails


def _plan(coins: Coins, a: Counts, b: Counts, largest: Counts) -> tuple[Counts, NDArray[np.bool_]]:
    """Return the number of overlaps to compute the probabilities of, and whether that is feasible.

    It is not for the sake of one large overlap: those beyond that number are deep in the tail.
    """
    means, frequent = np.empty(len(a)), np.empty(len(a))
    for part in _parts(len(a), max(1, BATCH // len(coins.numbers))):
        shared = coins.of_pairs(a[part], b[part])
        means[part] = np.einsum("ij,j->i", shared, coins.numbers)
        frequent[part] = np.einsum("ij,j->i", (shared > RARE).astype(float), coins.numbers)
    # Beyond the largest overlap, so many that the rest of the tail is a geometric series.
    needed = np.ceil(means + 7 * np.sqrt(means) + 7).astype(np.int64) + 8
    lengths = np.minimum(np.maximum(largest + 8, needed), LONGEST)
    return lengths, (frequent <= MOST_FREQUENT) & (needed <= LONGEST)


def _divide(
    order: Counts, lengths: Counts, is_exact: NDArray[np.bool_], classes: int, cells: Counts
) -> list[Counts]:
    """Divide the pairs of classes, in their *order*, into batches of one method and of similar lengths."""
    batches = []
    for method in (True, False):
        chosen = order[is_exact[order] == method]
        sizes = np.maximum(lengths[chosen], classes) if method else cells[chosen] * classes
        number = np.cumsum(sizes) // BATCH
        batches += [part for part in np.split(chosen, np.flatnonzero(np.diff(number)) + 1) if len(part)]
    return batches


def _parts(length: int, size: int) -> list[slice]:
    return [slice(at, at + size) for at in range(0, length, size)]


def ranges(starts: Counts, ends: Counts) -> Counts:
    """Return the numbers of all these ranges, one after the other."""
    sizes = ends - starts
    offsets = np.repeat(starts - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
    numbers: Counts = np.arange(int(sizes.sum())) + offsets
    return numbers


def _exact(shared: Reals, numbers: Reals, length: int) -> Reals:
    """Return ``tails[i, n]``, the probability of at least ``n``, for ``n`` up to *length* - 1."""
    few = np.einsum("ij,j->i", (shared > 0).astype(float), numbers) <= FEW
    is_rare = (shared <= RARE) & ((shared == 0) | ~few[:, None])
    masses = _add_rare(np.where(is_rare, shared, 0), numbers, length)
    for k in np.flatnonzero(~is_rare.all(axis=0)):
        chance = np.where(is_rare[:, k], 0, shared[:, k])
        for _ in range(round(float(numbers[k]))):
            moved = masses[:-1] * chance
            masses *= 1 - chance
            masses[1:] += moved
    tails: Reals = _sum_tails(masses).T
    return tails


def _add_rare(shared: Reals, numbers: Reals, length: int) -> Reals:
    """Return ``masses[n, i]``, the probability of ``n`` shared contexts of rare classes."""
    odds = shared / (1 - shared)
    power, powers = odds, [np.einsum("ij,j->i", odds, numbers)]
    while len(powers) < min(POWERS, length):
        power = -power * odds
        powers.append(np.einsum("ij,j->i", power, numbers))
        if (np.abs(powers[-1]) <= NEGLIGIBLE * powers[0]).all():
            break
    sums = np.array(powers)
    masses = np.empty((length, len(shared)))
    masses[0] = np.exp(np.einsum("ij,j->i", np.log1p(-shared), numbers))
    for n in range(1, length):
        j = min(n, len(powers))
        masses[n] = np.einsum("ji,ji->i", sums[:j], masses[n - j : n][::-1]) / n
    # Where the terms cancel, a sum is not even positive.
    positive: Reals = np.maximum(masses, 0)
    return positive


def _sum_tails(masses: Reals) -> Reals:
    """Return the probability of at least each number; small ones are summed from the small end."""
    last, before = masses[-1], masses[-2]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(before > 0, np.minimum(last / before, 0.9), 0)
    tails = np.cumsum(masses[::-1], axis=0)[::-1] + last * ratio / (1 - ratio)
    below = np.zeros_like(tails)
    below[1:] = np.cumsum(masses, axis=0)[:-1]
    clipped: Reals = np.clip(np.where(tails > 0.5, 1 - below, tails), 0, 1)
    return clipped


def _saddlepoint(shared: Reals, numbers: Reals, overlaps: Counts) -> Reals:
    """Return the probability of at least each of *overlaps*; each has a row of *shared*."""
    certain = np.einsum("ij,j->i", (shared == 1).astype(float), numbers)
    shared = np.where(shared == 1, 0, shared)
    mean = np.einsum("ij,j->i", shared, numbers)
    spread = shared * (1 - shared)
    variance = np.einsum("ij,j->i", spread, numbers)
    third = np.einsum("ij,ij,j->i", spread, 1 - 2 * shared, numbers)
    # The continuity correction.
    least = overlaps - certain - 0.5
    # Without any uncertain coin, there is no other overlap than the certain one.
    is_uncertain = variance > 0
    deviation = np.sqrt(np.where(is_uncertain, variance, 1))
    tails = _refined_normal((least - mean) / deviation, third / deviation**3)
    far = is_uncertain & (np.abs(least - mean) > NEAR * deviation) & (least > 0)
    if far.any():
        tails[far] = _daniels(shared[far], numbers, least[far], mean[far])
    return np.clip(np.where(least > 0, tails, 1), 0, 1)


def _refined_normal(x: Reals, skewness: Reals) -> Reals:
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    tails: Reals = ndtr(-x) - skewness * (1 - x**2) * density / 6
    return tails


def _daniels(shared: Reals, numbers: Reals, least: Reals, mean: Reals) -> Reals:
    """Return the tails beyond *least*, a half more than an integer, by the saddlepoint approximation.

    The saddlepoint ``t`` is where the tilted mean ``K'(t)`` is *least*. With ``w = sign(t) sqrt(2 (t least -
    K(t)))`` and ``u = 2 sinh(t / 2) sqrt(K''(t))``, the tail is ``1 - Phi(w) + phi(w) (1 / u - 1 / w)``.
    """
    t, curvature = _saddlepoints(shared, numbers, least, mean)
    cumulant = np.einsum("ij,j->i", np.log1p(shared * np.expm1(t)[:, None]), numbers)
    w = np.sign(t) * np.sqrt(np.maximum(2 * (t * least - cumulant), 0))
    u = 2 * np.sinh(t / 2) * np.sqrt(curvature)
    density = np.exp(-(w**2) / 2) / np.sqrt(2 * np.pi)
    tails: Reals = ndtr(-w) + density * (1 / u - 1 / w)
    return tails


def _saddlepoints(shared: Reals, numbers: Reals, least: Reals, mean: Reals) -> tuple[Reals, Reals]:
    """Return where the tilted mean is *least*, and the curvature of the cumulant function there.

    Newton's method solves ``log K'(t) = log least``, which is linear in ``t`` if all coins are rare.
    """
    t = np.log(least / mean)
    low, high = np.where(t > 0, 0, -LARGEST), np.where(t > 0, LARGEST, 0)
    found, curvature = np.empty_like(t), np.empty_like(t)
    rows = np.arange(len(t))
    for _ in range(SADDLE_STEPS):
        tilted = shared * np.exp(t)[:, None]
        tilted /= 1 - shared + tilted
        reached = np.einsum("ij,j->i", tilted, numbers)
        steepness = reached - np.einsum("ij,ij,j->i", tilted, tilted, numbers)
        low, high = np.where(reached < least, t, low), np.where(reached > least, t, high)
        step = np.log(least / reached) * reached / np.maximum(steepness, 1e-200)
        moved = np.where((t + step > low) & (t + step < high), t + step, (low + high) / 2)
        # The tail changes with the square of this error.
        has_moved = np.abs(moved - t) > SADDLE_TOLERANCE
        found[rows], curvature[rows] = moved, steepness
        if not has_moved.any():
            break
        rows, t, low, high, least = (values[has_moved] for values in (rows, moved, low, high, least))
        if not has_moved.all():
            shared = shared[has_moved]
    return found, curvature
