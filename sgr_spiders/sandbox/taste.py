"""Taste: people choose mostly within their home community, weighted by popularity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sgr_spiders.sandbox.seeding import Floats, Indices, Ints

_HOME_SHARE = 0.80
_SECOND_SHARE = 0.12
_ROUNDS_AT_HOME = 4
_ROUNDS = 10


@dataclass(frozen=True)
class Market:
    """Things to choose from, grouped by community, each with a popularity weight."""

    order: Ints
    cumulative: Floats
    community_ends: Floats

    @classmethod
    def open(cls, community: Indices, weight: Floats, communities: int) -> Market:
        order = np.argsort(community, kind="stable")
        cumulative = np.cumsum(weight[order])
        last = np.searchsorted(community[order], np.arange(communities), side="right")
        ends = np.concatenate(([0.0], cumulative))[last]
        return cls(order, cumulative, np.concatenate(([0.0], ends)))

    def choose(self, rng: np.random.Generator, community: Indices) -> Indices:
        """Choose one thing per entry from that community; -1 means from all communities."""
        low = np.where(community < 0, 0.0, self.community_ends[np.maximum(community, 0)])
        high = np.where(community < 0, self.cumulative[-1], self.community_ends[community + 1])
        high = np.where(community < 0, self.cumulative[-1], high)
        spot = low + rng.random(len(community)) * (high - low)
        found = np.searchsorted(self.cumulative, spot, side="right")
        chosen: Indices = self.order[np.minimum(found, len(self.order) - 1)].astype(np.int32)
        return chosen


@dataclass(frozen=True)
class Taste:
    """Each person's home community and a second one (the same for most people)."""

    home: Indices
    second: Indices

    def communities_for(self, rng: np.random.Generator, people: Indices) -> Indices:
        throw = rng.random(len(people))
        away = np.where(throw < _HOME_SHARE + _SECOND_SHARE, self.second[people], -1)
        return np.where(throw < _HOME_SHARE, self.home[people], away).astype(np.int32)


def popularity(rng: np.random.Generator, count: int) -> Floats:
    """Draw power-law weights: a few things are very popular, most are hardly known."""
    return rng.pareto(1.15, count) + 0.03


def choose_pairs(
    rng: np.random.Generator, taste: Taste, market: Market, degrees: Ints
) -> tuple[Indices, Indices]:
    """Choose distinct (person, thing) pairs, at most ``degrees`` per person.

    People who have nearly exhausted their communities choose from all others. A degree
    close to the number of things may not be reached.
    """
    things = len(market.order)
    keys: Ints = np.empty(0, dtype=np.int64)
    for turn in range(_ROUNDS):
        have = np.bincount(keys // things, minlength=len(degrees))
        missing = np.maximum(degrees - have, 0)
        if not missing.any():
            break
        people = np.repeat(np.arange(len(degrees), dtype=np.int32), missing)
        communities = taste.communities_for(rng, people)
        if turn >= _ROUNDS_AT_HOME:
            communities[:] = -1
        chosen = market.choose(rng, communities)
        keys = _sort_unique(np.concatenate((keys, people.astype(np.int64) * things + chosen)))
    return (keys // things).astype(np.int32), (keys % things).astype(np.int32)


def _sort_unique(keys: Ints) -> Ints:
    """Return the sorted unique keys, several times faster here than `numpy.unique`."""
    keys.sort()
    is_new = np.ones(len(keys), dtype=np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=is_new[1:])
    return keys[is_new]
