"""The communities of tracks and artists by their listeners."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from sgr_spiders.relationships.communities.listeners import Fans, assign

USERS = np.arange(100, 140)
GROUPS = np.repeat([0, 1], [25, 15])


def fans_of(likes: dict[int, list[int]]) -> Fans:
    pairs = [(record, user) for record, users in likes.items() for user in users]
    records, users = np.array(pairs).T
    return Fans.of(records, users, USERS)


def test_a_record_belongs_to_the_listeners_that_stand_out() -> None:
    likes = {
        1: list(range(100, 120)),  # the first community
        2: list(range(125, 140)),  # the second
        3: [*range(100, 110), *range(125, 131)],  # both, as chance gives
        4: [100],  # too few to say
        5: [7, 8],  # nobody with a community
    }
    fans = fans_of(likes)
    assert fans.ids.tolist() == [1, 2, 3, 4]
    assert assign(fans, GROUPS, [GROUPS], 0.05).groups.tolist() == [0, 1, -1, -1]
    everything = assign(fans, GROUPS, [GROUPS], None).groups
    assert everything[:2].tolist() == [0, 1]
    assert (everything >= 0).all()


def test_several_tracks_of_an_artist_count_once_for_a_fan() -> None:
    fans = Fans.of(np.array([9, 9, 9]), np.array([100, 100, 101]), USERS)
    assert fans.matrix.toarray()[0].tolist() == [1, 1, *([0] * 38)]


@pytest.mark.parametrize("limit", [0.001, 0.05, 0.5])
def test_the_probabilities_are_those_of_draws_corrected_for_all_tests(limit: float) -> None:
    random = np.random.default_rng(5)
    likes = {
        record: sorted({*random.choice(USERS, random.integers(1, 15)).tolist(), 100 + record % 40})
        for record in range(60)
    }
    likes |= {100 + n: list(range(100 + 20 * (n % 2), 110 + 20 * (n % 2))) for n in range(6)}
    fans = fans_of(likes)
    counts = np.array(
        [[sum(GROUPS[user - 100] == group for user in likes[record]) for group in (0, 1)] for record in likes]
    )
    shares = counts.sum(axis=0) / counts.sum()
    p = np.array(
        [[binom.sf(n - 1, row.sum(), share) for n, share in zip(row, shares, strict=True)] for row in counts]
    )
    best, least = p.argmin(axis=1), p.min(axis=1)
    ranks = [(least <= own).sum() for own in least]
    rates = [
        min(least[other] * p.size / ranks[other] for other in np.flatnonzero(least >= own)) for own in least
    ]
    expected = [group if rate <= limit else -1 for group, rate in zip(best, rates, strict=True)]
    assert assign(fans, GROUPS, [], limit).groups.tolist() == expected


def test_each_run_assigns_the_records_anew() -> None:
    fans = fans_of({1: list(range(100, 120)), 2: list(range(125, 140))})
    other = np.where(USERS < 110, 0, np.where(USERS < 125, 1, 2))
    runs = assign(fans, GROUPS, [GROUPS, 1 - GROUPS, other], 0.05).runs
    assert [run[0] != run[1] for run in runs] == [True] * 3
    assert np.array_equal(runs[0], runs[1])  # the same communities in another order of numbers


def test_without_likes_there_is_nothing_to_assign() -> None:
    nobody = np.empty(0, np.int64)
    fans = Fans.of(nobody, nobody, USERS)
    assert assign(fans, GROUPS, [GROUPS], 0.05).groups.tolist() == []
