"""The measures of a comparison, against their definitions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.reports.comparison.agreement import (
    compare_neighbours,
    jaccard,
    rank_biased_overlap,
)
from sgr_spiders.reports.comparison.neighbours import Neighbours
from sgr_spiders.reports.comparison.planted import Planted, normalised_mutual_information, recover
from sgr_spiders.sandbox.communities import communities_of
from sgr_spiders.sandbox.options import WorldOptions
from sgr_spiders.sandbox.world import World
from sgr_spiders.text.formatting import decimal, percent

RANKINGS = st.lists(st.integers(0, 12), min_size=1, max_size=10, unique=True)
GROUPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


def by_definition(a: Sequence[int], b: Sequence[int], p: float) -> float:
    """Return the infinite sum of the agreements, which stay as they are beyond what is known."""
    short, long = sorted((a, b), key=len)
    total = 0.0
    agreement = 0.0
    for depth in range(1, 2000):
        if depth <= len(long):
            common = len(set(short[:depth]) & set(long[:depth]))
            unseen = max(0, depth - len(short)) * len(set(short) & set(long[: len(short)])) / len(short)
            agreement = (common + unseen) / depth
        total += (1 - p) * p ** (depth - 1) * agreement
    return total


@given(RANKINGS, RANKINGS)
def test_rank_biased_overlap_is_the_sum_that_defines_it(a: list[int], b: list[int]) -> None:
    found = rank_biased_overlap(a, b)
    assert found == pytest.approx(by_definition(a, b, 0.9), abs=1e-9)
    assert found == pytest.approx(rank_biased_overlap(b, a))
    assert rank_biased_overlap(a, a) == pytest.approx(1)
    assert rank_biased_overlap(a, [-one - 1 for one in b]) == 0


def test_higher_ranks_weigh_more() -> None:
    ranking = list(range(10))
    top_swapped, end_swapped = [1, 0, *ranking[2:]], [*ranking[:8], 9, 8]
    assert rank_biased_overlap(ranking, top_swapped) < rank_biased_overlap(ranking, end_swapped) < 1


def make_neighbours(lists: dict[int, list[int]]) -> Neighbours:
    ids = np.array(sorted(lists), np.int64)
    starts = np.cumsum([0, *(len(lists[node]) for node in ids.tolist())])
    others = np.array([other for node in ids.tolist() for other in lists[node]], np.int64)
    return Neighbours(ids, starts, others, np.ones(len(others)))


def test_agreement_counts_only_nodes_of_both_sides() -> None:
    a = make_neighbours({1: [2, 3], 2: [1], 3: [1], 9: [1]})
    b = make_neighbours({1: [3, 2], 3: [2], 4: [1]})
    found = compare_neighbours(a, b, np.array([1, 2, 3, 4]))
    assert (found.shared, found.both, found.only_a, found.only_b) == (4, 2, 1, 1)
    assert found.jaccard == (1 + 0) / 2
    assert found.rank_biased_overlap == pytest.approx(rank_biased_overlap([2, 3], [3, 2]) / 2)
    nothing = compare_neighbours(a, make_neighbours({}), np.array([1, 2]))
    assert (nothing.both, nothing.jaccard, nothing.rank_biased_overlap) == (0, None, None)
    assert jaccard([1, 2], [2, 3]) == 1 / 3


@given(GROUPS)
def test_mutual_information_is_that_of_its_definition(pairs: list[tuple[int, int]]) -> None:
    a, b = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    count = len(pairs)
    joint, of_a, of_b = Counter(pairs), Counter(a.tolist()), Counter(b.tolist())
    information = sum(
        number / count * math.log(number * count / (of_a[one] * of_b[other]))
        for (one, other), number in joint.items()
    )
    entropy = -sum(number / count * math.log(number / count) for of in (of_a, of_b) for number in of.values())
    expected = 2 * information / entropy if entropy else 1
    assert normalised_mutual_information(a, b) == pytest.approx(expected, abs=1e-9)


def test_recovery_of_planted_communities() -> None:
    """1, 2 and 3 are of one community, 4, 5 and 6 of another; 7 is not known."""
    planted = Planted(np.arange(1, 7), np.array([0, 0, 0, 1, 1, 1]))
    near = make_neighbours({1: [2, 3], 2: [1, 4], 4: [5, 7], 7: [1]})
    found = recover(near, planted, np.array([1, 2, 3, 4, 5, 6, 7]), np.arange(1, 8))
    assert found.nodes == 3
    assert found.purity == pytest.approx((1 + 0.5 + 1) / 3)
    assert found.chance == pytest.approx(2 / 5)
    assert found.placed == 2 / 6  # of 2, only half of the neighbours are of its community
    nothing = recover(make_neighbours({}), planted, planted.ids, planted.ids)
    assert (nothing.nodes, nothing.purity, nothing.chance, nothing.placed) == (0, None, None, 0)


@pytest.mark.parametrize("communities", [0, 2])
def test_the_sandbox_tells_its_communities_by_the_name_of_its_world(communities: int) -> None:
    options = WorldOptions(users=60, tracks=200, playlists=20, communities=communities)
    world = World.build(options)
    found = communities_of(options.name)
    assert found is not None
    assert found.users.tolist() == world.people.ids.tolist()
    assert found.homes.tolist() == world.people.taste.home.tolist()
    assert found.tracks.tolist() == world.catalogue.ids.tolist()
    assert found.styles.tolist() == world.catalogue.community.tolist()
    assert len({*found.styles.tolist()}) == (communities or 3)


@pytest.mark.parametrize("name", ["", "another API", "seed=1, users=5, tracks=60, playlists=20", "seed=1"])
def test_other_names_tell_nothing(name: str) -> None:
    assert communities_of(name) is None


def test_shares_and_means_are_readable() -> None:
    shares = (None, 0.0, 0.921, 0.00034, 0.01, 1.0, 0.0099999)
    assert list(map(percent, shares)) == ["-", "0.0%", "92.1%", "0.034%", "1.0%", "100.0%", "1%"]
    assert [decimal(None), decimal(0.5), decimal(1234.5)] == ["-", "0.500", "1,234.500"]
