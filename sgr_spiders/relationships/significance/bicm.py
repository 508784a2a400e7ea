"""The bipartite configuration model: the random network with given expected numbers of contexts and nodes.

Of all networks in which each node has its number of contexts on average, and each context its number of
nodes, it assumes nothing else (it has the maximum entropy). Node ``u`` has context ``t`` with the probability
``p_ut = x_u y_t / (1 + x_u y_t)``, independently of all others. The fitnesses ``x`` and ``y`` solve

    ``sum over t of p_ut = d_u`` and ``sum over u of p_ut = k_t``

for the observed degrees ``d_u`` and ``k_t``. Nodes of the same degree have the same fitness, so the equations
are solved for distinct degrees only.

Sources: F. Saracco, R. Di Clemente, A. Gabrielli, T. Squartini: Randomizing bipartite networks: the case of
the World Trade Web (Scientific Reports, 2015); F. Saracco, M. J. Straka, R. Di Clemente, A. Gabrielli,
G. Caldarelli, T. Squartini: Inferring monopartite projections of bipartite networks: an entropy-based
approach (New Journal of Physics, 2017); N. Vallarano, M. Bruno, E. Marchese, G. Trapani, F. Saracco,
G. Cimini, M. Zanon, T. Squartini: Fast and scalable likelihood maximization for Exponential Random Graph
Models with local constraints (Scientific Reports, 2021), which solves them by Newton's method as well.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Reals = NDArray[np.float64]
    Counts = NDArray[np.int64]

logger = logging.getLogger(__name__)

TOLERANCE = 1e-9
"""The largest relative error of an expected degree."""
MOST_STEPS = 200
SWEEPS = 5
"""Simple iterations before the first step of Newton's method."""
CG_STEPS, CG_TOLERANCE = 200, 1e-4
NEVER = np.iinfo(np.int64).max


@dataclass(slots=True)
class Side:
    """The distinct degrees of one side, the number of vertices with each, and their fitnesses.

    Vertices that are connected to all or to none of the other side have certain edges. They are removed
    round by round, because without them others may be connected to all or to none of the rest. ``round_of``
    is the round, ``NEVER`` for those that are left, and ``certain`` the probability of the edges then.
    """

    degrees: Counts
    numbers: Counts
    fitness: Reals
    round_of: Counts
    certain: Reals

    @classmethod
    def of(cls, degrees: Counts) -> Side:
        """Return the classes of vertices with these *degrees*."""
        distinct, numbers = np.unique(degrees, return_counts=True)
        rounds = np.full(len(distinct), NEVER)
        return cls(distinct, numbers, np.zeros(len(distinct)), rounds, np.zeros(len(distinct)))

    def probabilities(self, fitness: Reals, round_of: Counts, certain: Reals) -> Reals:
        """Return the probability of an edge between each class and each vertex of the other side."""
        product = np.outer(self.fitness, fitness)
        product /= 1 + product
        mine, theirs = self.round_of[:, None], round_of[None, :]
        product = np.where(mine < theirs, self.certain[:, None], product)
        return np.where(theirs < mine, certain[None, :], product)


@dataclass(frozen=True, slots=True)
class NullModel:
    """A solved model: nodes are ``rows``, contexts are ``columns``."""

    rows: Side
    columns: Side
    error: float
    """The largest relative error of an expected degree."""

    def expected_overlaps(self) -> Reals:
        """Return the expected number of common contexts of two nodes, by the classes of both."""
        edges = self.rows.probabilities(self.columns.fitness, self.columns.round_of, self.columns.certain)
        overlaps: Reals = (edges * self.columns.numbers) @ edges.T
        # Both halves are equal up to rounding; a pair must not depend on the order of its nodes.
        return np.triu(overlaps) + np.triu(overlaps, 1).T


def fit(row_degrees: Counts, column_degrees: Counts) -> NullModel:
    """Solve the model for the degrees of all nodes and all contexts."""
    rows, columns = Side.of(row_degrees), Side.of(column_degrees)
    left, others = _remove_certain(rows, columns)
    error = _solve(rows, columns, left, others) if len(left[0]) else 0.0
    if error > TOLERANCE:
        logger.warning("The null model is inexact: expected degrees differ from observed ones by %.1g", error)
    return NullModel(rows, columns, error)


Remaining = tuple["Counts", "Reals"]
"""The classes that are left, and their degrees towards what is left of the other side."""


def _remove_certain(rows: Side, columns: Side) -> tuple[Remaining, Remaining]:
    sides = (rows, columns)
    degrees = [side.degrees.copy() for side in sides]
    number = 0
    found = True
    while found:
        found = False
        for mine, theirs in ((0, 1), (1, 0)):
            left = sides[mine].round_of == NEVER
            total = int(sides[theirs].numbers[sides[theirs].round_of == NEVER].sum())
            for value, degree in ((0.0, 0), (1.0, total)):
                some = left & (degrees[mine] == degree) & (sides[mine].round_of == NEVER)
                if some.any():
                    found = True
                    sides[mine].round_of[some], sides[mine].certain[some] = number, value
                    number += 1
                    if value:
                        degrees[theirs] -= sides[mine].numbers[some].sum()
    kept = [np.flatnonzero(side.round_of == NEVER) for side in sides]
    first, second = (
        (indexes, degree[indexes].astype(float)) for indexes, degree in zip(kept, degrees, strict=True)
    )
    return first, second


def _solve(rows: Side, columns: Side, left: Remaining, others: Remaining) -> float:
    """Set the fitnesses of the classes that are left; return the largest relative error."""
    problem = _Problem(rows.numbers[left[0]], left[1], columns.numbers[others[0]], others[1])
    error = problem.solve()
    rows.fitness[left[0]] = np.exp(problem.a)
    columns.fitness[others[0]] = np.exp(problem.b)
    return error


class _Problem:
    """Maximise the likelihood, which is concave in the logarithms ``a`` and ``b`` of the fitnesses.

    Sums use no BLAS, whose last digits depend on the number of its threads.
    """

    def __init__(self, n: Counts, d: Reals, m: Counts, k: Reals) -> None:
        self._n, self._d, self._m, self._k = n.astype(float), d, m.astype(float), k
        edges = float((self._n * d).sum())
        self.a, self.b = np.log(d / np.sqrt(edges)), np.log(k / np.sqrt(edges))

    def solve(self) -> float:
        for _ in range(SWEEPS):
            self._sweep()
        best = np.inf
        for _ in range(MOST_STEPS):
            p = self._probabilities(self.a, self.b)
            degrees, others = _dot(p, self._m), _dot(p.T, self._n)
            errors = np.concatenate([np.abs(degrees / self._d - 1), np.abs(others / self._k - 1)])
            best = float(errors.max())
            if best <= TOLERANCE:
                break
            if not self._step(p, self._n * (self._d - degrees), self._m * (self._k - others)):
                break
        return best

    def _probabilities(self, a: Reals, b: Reals) -> Reals:
        product = np.exp(np.minimum(a[:, None] + b[None, :], 700))
        product /= 1 + product
        return product

    def _sweep(self) -> None:
        """Fit each side to the other, up to the first order."""
        x, y = np.exp(self.a), np.exp(self.b)
        x = self._d / _dot(1 / (1 / y[None, :] + x[:, None]), self._m)
        y = self._k / _dot(1 / (1 / x[None, :] + y[:, None]), self._n)
        self.a, self.b = np.log(x), np.log(y)

    def _step(self, p: Reals, g: Reals, h: Reals) -> bool:
        """Take a step of Newton's method; return whether the likelihood grew or stayed."""
        weight = p * (1 - p)
        weight *= self._n[:, None]
        weight *= self._m[None, :]
        own, other = weight.sum(axis=1), weight.sum(axis=0)
        # Vertices of one side touch only those of the other: the equations of the rows are solved first.
        transposed = np.ascontiguousarray(weight.T)

        def product(vector: Reals) -> Reals:
            found: Reals = other * vector - _dot(transposed, _dot(weight, vector) / own)
            return found

        step_b = _conjugate_gradients(product, h - _dot(transposed, g / own), other)
        step_a = (g - _dot(weight, step_b)) / own
        # One number may be added to all of `a` and subtracted from all of `b`.
        shift = (step_a.mean() - step_b.mean()) / 2
        step_a, step_b = step_a - shift, step_b + shift
        slope = float((g * step_a).sum() + (h * step_b).sum())
        before, size = self._likelihood(self.a, self.b), 1.0
        while size > 1e-10:
            a, b = self.a + size * step_a, self.b + size * step_b
            if self._likelihood(a, b) >= before + 1e-4 * size * slope - 1e-12 * abs(before):
                self.a, self.b = a, b
                return True
            size /= 2
        return False

    def _likelihood(self, a: Reals, b: Reals) -> float:
        total = a[:, None] + b[None, :]
        np.logaddexp(0, total, out=total)
        weighted = _dot(total, self._m)
        return float(
            (self._n * self._d * a).sum() + (self._m * self._k * b).sum() - (self._n * weighted).sum()
        )


def _dot(matrix: Reals, vector: Reals) -> Reals:
    product: Reals = np.einsum("ij,j->i", matrix, vector)
    return product


def _conjugate_gradients(product: Callable[[Reals], Reals], wanted: Reals, diagonal: Reals) -> Reals:
    """Solve ``product(found) = wanted`` approximately, preconditioned by *diagonal*."""
    found = np.zeros_like(wanted)
    rest = wanted.copy()
    scaled = rest / diagonal
    direction, size = scaled, float((rest * scaled).sum())
    enough = CG_TOLERANCE**2 * size
    for _ in range(CG_STEPS):
        changed = product(direction)
        curvature = float((direction * changed).sum())
        if size <= enough or curvature <= 0:
            break
        length = size / curvature
        found += length * direction
        rest -= length * changed
        scaled = rest / diagonal
        size, before = float((rest * scaled).sum()), size
        direction = scaled + (size / before) * direction
    return found
