"""The positions of a graph on a plane: linked nodes attract each other, all nodes repel each other.

The repulsion falls with the distance and grows with the numbers of links, as in ForceAtlas2 (Jacomy,
Venturini, Heymann and Bastian, PLoS ONE 2014). It is a convolution on a grid, computed with the fast Fourier
transform (Hockney and Eastwood, Computer Simulation Using Particles, 1988), so many nodes take hardly longer
than few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.fft import irfft2, rfft2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Reals = NDArray[np.float64]

MIN_GRID, MAX_GRID = 32, 192
"""Cells of the grid along each side; the plane is scaled to it in each step."""
STEPS = 220
GOLDEN_ANGLE = 2.399963
"""Multiples of it in radians spread points evenly over a disc."""


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of a graph: edge i joins nodes ``a[i]`` and ``b[i]``."""

    a: Numbers
    b: Numbers
    weights: Reals


def lay_out(count: int, edges: Edges, groups: Numbers) -> Reals:
    """Return a point for each of *count* nodes; nodes of the same group begin side by side."""
    if count < 2:
        return np.zeros((count, 2))
    radius = np.sqrt(count)
    points = _begin(groups, radius)
    ends, others = np.concatenate([edges.a, edges.b]), np.concatenate([edges.b, edges.a])
    pulls = np.concatenate([edges.weights, edges.weights])
    mass = 1 + np.bincount(ends, minlength=count).astype(float)
    # Both forces are equal where the graph fills the radius, whatever its size and weights.
    push = max(float(pulls.sum()) / mass.sum(), 1e-3) * radius * np.log1p(radius) / mass.sum()
    to_centre = push * mass.sum() / radius**2 / 4
    grid = int(np.clip(6 * radius, MIN_GRID, MAX_GRID))
    kernel = push * _kernel(grid)
    for step in range(STEPS):
        force = _repel(points, mass, kernel) + _attract(points, ends, others, pulls)
        force = force / mass[:, None] - to_centre * points
        length = np.hypot(force[:, 0], force[:, 1])
        # Only a few nodes move the whole way, which shrinks from step to step.
        longest = radius / 8 * (1 - step / STEPS) ** 2
        scale = longest / max(float(np.quantile(length, 0.9)), 1e-9)
        points = points + force * np.minimum(scale, longest / np.maximum(length, 1e-9))[:, None]
    return points - np.median(points, axis=0)


def _begin(groups: Numbers, radius: float) -> Reals:
    """Place the nodes of each group on a small disc, and the discs on a large one."""
    sizes = np.bincount(groups)
    starts = np.cumsum(sizes) - sizes
    place = np.empty(len(groups), np.int64)
    place[np.argsort(groups, kind="stable")] = np.arange(len(groups))
    centres = _disc(np.arange(len(sizes)), len(sizes)) * radius
    return centres[groups] + _disc(place - starts[groups], 1)


def _disc(number: Numbers, count: int) -> Reals:
    """Return the points with these numbers of a spiral that covers a disc with *count* points evenly."""
    angle, distance = number * GOLDEN_ANGLE, np.sqrt((number + 0.5) / count)
    return np.stack([distance * np.cos(angle), distance * np.sin(angle)], axis=1)


def _attract(points: Reals, ends: Numbers, others: Numbers, pulls: Reals) -> Reals:
    """Return the pull of the edges, which grows with the logarithm of their length.

    A linear pull would hold groups together (Noack, Energy Models for Graph Clustering, Journal of Graph
    Algorithms and Applications 2007).
    """
    way = points[others] - points[ends]
    distance = np.hypot(way[:, 0], way[:, 1])
    pull = pulls * np.log1p(distance) / np.maximum(distance, 1e-9)
    return np.stack([np.bincount(ends, way[:, axis] * pull, len(points)) for axis in (0, 1)], axis=1)


def _kernel(grid: int) -> NDArray[np.complex128]:
    """Return the transformed field of one node: away from it, with 1 / distance."""
    at = np.fft.fftfreq(2 * grid, 1 / (2 * grid))
    x, y = np.meshgrid(at, at, indexing="ij")
    squares = x**2 + y**2 + 0.5
    return np.stack([rfft2(x / squares), rfft2(y / squares)])


def _repel(points: Reals, mass: Reals, kernel: NDArray[np.complex128]) -> Reals:
    """Return the push of all nodes on each: the field of their masses on the grid."""
    grid = kernel.shape[1] // 2
    low, high = points.min(axis=0), points.max(axis=0)
    cell = max(float((high - low).max()) / (grid - 3), 1e-9)
    at = (points - low) / cell + 1
    corner = at.astype(np.int64)
    part = at - corner
    # Each node is spread over the four grid points around it.
    across, down = (1 - part[:, 0], part[:, 0]), (1 - part[:, 1], part[:, 1])
    shares = [
        ((corner[:, 0] + x) * grid + corner[:, 1] + y, across[x] * down[y]) for x in (0, 1) for y in (0, 1)
    ]
    density = np.zeros(grid * grid)
    for index, share in shares:
        density += np.bincount(index, share * mass, grid * grid)
    wave = rfft2(density.reshape(grid, grid), s=(2 * grid, 2 * grid))
    force = np.empty_like(points)
    for axis in (0, 1):
        field = irfft2(wave * kernel[axis], s=(2 * grid, 2 * grid))[:grid, :grid].ravel()
        force[:, axis] = sum(field[index] * share for index, share in shares)
    push: Reals = force * mass[:, None] / cell
    return push
