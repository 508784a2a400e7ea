"""Invented libraries: power-law sizes and popularity, and communities with common taste."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.inputs import Incidence

if TYPE_CHECKING:
    from numpy.typing import NDArray


def libraries(owners: int, mean: int, members: int, seed: int = 1) -> Incidence:
    """Build *owners* with about *mean* of *members* each, three in five from the owner's community."""
    rng = np.random.default_rng(seed)
    communities = max(1, owners // 250)
    sizes = np.clip((mean / 2 * (1 + rng.pareto(2.0, owners))).astype(np.int64), 3, 5_000)
    owner = np.repeat(np.arange(owners), sizes)
    community = rng.integers(0, communities, owners)[owner]
    local = _popular(rng.random(len(owner)) ** 0.7, members // communities) * communities + community
    anywhere = _popular(rng.random(len(owner)) ** 0.6, members) * 7_919 % members
    member = np.where(rng.random(len(owner)) < 0.6, local, anywhere) % members
    pairs = np.unique(owner * np.int64(members) + member)
    owner, member = np.divmod(pairs, members)
    starts = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=owners))]).astype(np.int64)
    return Incidence(np.arange(1, owners + 1, dtype=np.int64) * 37, starts, member.astype(np.int32), members)


def turned(incidence: Incidence) -> Incidence:
    """Return the transposed incidence, with the members as nodes."""
    ids = np.arange(1, incidence.context_count + 1, dtype=np.int64) * 41
    return incidence.transposed(ids)


def _popular(uniform: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Draw by Zipf's law: k with a probability proportional to 1 / k."""
    drawn: NDArray[np.int64] = (np.exp(uniform * np.log(count + 1)) - 1).astype(np.int64)
    return np.minimum(drawn, count - 1)
