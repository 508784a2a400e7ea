"""Pairs of blocks give the same pairs as one search, however the rows are divided."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.relationships import compiled_search, engine
from sgr_spiders.relationships.arrangement import arrange
from sgr_spiders.relationships.blocks import Task, can_relate, cut_block, divide, find_pairs
from sgr_spiders.relationships.sparse_search import SparseSearch
from sgr_spiders.relationships.track_cooccurrence import TrackCooccurrence
from sgr_spiders.relationships.user_similarity import UserSimilarity
from tests.relationships.test_exact import incidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.relationships.arrangement import Arrangement
    from sgr_spiders.relationships.inputs import Incidence
    from sgr_spiders.relationships.keys import Keys

CONFIG = HarvestConfig().relationships
SIMILARITY = CONFIG.user_similarity.model_copy(update={"min_similarity": 0.03})
TYPES = (UserSimilarity(SIMILARITY), TrackCooccurrence(CONFIG.track_cooccurrence))


def make_nodes() -> Incidence:
    """Return nodes with few and with many contexts, more than 255, of which some are common."""
    rng = np.random.default_rng(11)
    sizes = np.minimum(2 + rng.pareto(1.0, 500) * 4, 700).astype(int)
    sets = [np.unique((rng.random(size) ** 3 * 3_000).astype(np.int64)) for size in sizes]
    return incidence(sets, 3_001)


def by_blocks(arrangement: Arrangement, count: int, enough: int) -> Iterator[Keys]:
    blocks = divide(arrangement, 2**40, count)
    assert len(blocks) == count
    for rows, other in itertools.combinations_with_replacement(blocks, 2):
        left = [(0, len(rows))]
        while left and can_relate(arrangement, rows, other):
            task = Task(arrangement.relationship, arrangement.layout, left, enough)
            second = None if rows is other else cut_block(arrangement, other)
            found = find_pairs(task, cut_block(arrangement, rows), second)
            yield found.keys
            left = list(found.left)


@pytest.mark.parametrize("relationship", TYPES, ids=lambda relationship: relationship.name)
@pytest.mark.parametrize("least_work", [0, 2**62], ids=["compiled", "sparse"])
@pytest.mark.parametrize(("count", "enough"), [(1, 2**40), (2, 100), (7, 2**40)])
def test_blocks_find_each_pair_once(
    monkeypatch: pytest.MonkeyPatch,
    relationship: UserSimilarity | TrackCooccurrence,
    least_work: int,
    count: int,
    enough: int,
) -> None:
    monkeypatch.setattr(engine, "MIN_COMPILED_WORK", least_work)
    monkeypatch.setattr(compiled_search, "FEWEST_ROWS_OF_COMMON", 1)
    monkeypatch.setattr(compiled_search, "COMMON_SHARE", 3)
    arrangement = arrange(make_nodes(), relationship)
    whole = np.sort(np.concatenate(list(SparseSearch(arrangement).keys(0, arrangement.rows))))
    assert len(whole) > 300
    parts = list(by_blocks(arrangement, count, enough))
    assert np.array_equal(np.sort(np.concatenate(parts)), whole)


def test_blocks_that_cannot_reach_the_minimum_are_skipped() -> None:
    sets = [np.arange(size) for size in (3, 3, 30, 31)]
    arrangement = arrange(incidence(sets, 31), UserSimilarity(CONFIG.user_similarity))
    assert can_relate(arrangement, range(2), range(2, 3))  # 3 of 30 is a tenth
    assert not can_relate(arrangement, range(2), range(3, 4))
    assert can_relate(arrangement, range(2, 3), range(3, 4))
