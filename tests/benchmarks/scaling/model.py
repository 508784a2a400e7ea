"""The cost model: what each cost is proportional to, fitted to measured points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls

from tests.benchmarks.scaling.steps import World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DRIVERS: dict[str, Callable[[World], Sequence[float]]] = {
    "spill cpu s": lambda world: [world.likes],
    "spill server s": lambda world: [world.likes],
    "database MB": lambda world: [1, world.likes],
    "relate cpu s": lambda world: [1, world.likes, world.meetings],
    "relate server s": lambda world: [world.likes],
    "relate MB": lambda world: [1, world.likes],
    "read cpu s": lambda world: [1, world.likes],
    "read MB": lambda world: [1, world.likes],
    "svd cpu s": lambda world: [1, world.likes],
    "svd MB": lambda world: [1, world.users + world.tracks],
    "walk cpu s": lambda world: [1, world.ways],
    "walk MB": lambda world: [1, world.tracks],
}
"""The terms of each cost, without their factors."""


@dataclass(frozen=True, slots=True)
class Point:
    """The costs of one world on one database."""

    world: World
    costs: dict[str, float]


def fit(points: Sequence[Point], name: str) -> list[float]:
    """Return the factors of a cost, none below 0. Small worlds count as much as large ones."""
    terms = np.array([DRIVERS[name](point.world) for point in points], float)
    costs = np.array([point.costs[name] for point in points])
    # The error is relative, and the terms differ by many powers of ten.
    scale = terms.max(axis=0)
    weights = 1 / np.maximum(costs, 1e-9)
    factors, _ = nnls(terms / scale * weights[:, None], costs * weights)
    fitted: list[float] = (factors / scale).tolist()
    return fitted


def predict(factors: Sequence[float], name: str, world: World) -> float:
    return float(np.dot(DRIVERS[name](world), factors))


def extrapolate(worlds: Sequence[World], users: int) -> World:
    """Return a world of so many *users*, by the power laws through the two largest known ones."""
    small, large = sorted(worlds, key=lambda world: world.users)[-2:]
    grown = {}
    for name in ("tracks", "likes", "meetings", "ways"):
        before, after = getattr(small, name), getattr(large, name)
        power = np.log(after / before) / np.log(large.users / small.users)
        grown[name] = int(after * (users / large.users) ** power)
    return replace(large, users=users, **grown)
