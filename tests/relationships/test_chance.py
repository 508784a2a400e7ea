"""``relate --null``: rewirings keep all totals, reach all matrices alike, and count what chance keeps."""

from __future__ import annotations

import importlib.util
from collections import Counter
from itertools import combinations, product
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.relationships import chance, curveball, processor
from sgr_spiders.relationships.build import Environment
from sgr_spiders.relationships.chance import ChanceCount, count_by_chance
from sgr_spiders.relationships.curveball import Rewirings
from sgr_spiders.relationships.engine import CancelledError, LocalEngine
from sgr_spiders.relationships.inputs import DatabaseSource, RelationshipInput
from sgr_spiders.relationships.processor import choose_types
from sgr_spiders.storage.store import Store
from tests.relationships.test_exact import incidence
from tests.relationships.test_processor import make_world
from tests.relationships.worlds import World
from tests.scrapy_process import run_command

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.relationships.inputs import Incidence

EACH = 100
"""The rewirings to draw of each possible matrix, on average."""
SETS = st.lists(st.frozensets(st.integers(0, 11)), min_size=1, max_size=20)


def make_incidence(sets: list[frozenset[int]], contexts: int) -> Incidence:
    return incidence([np.array(sorted(members), np.int64) for members in sets], contexts)


def rows_of(nodes: Incidence) -> list[tuple[int, ...]]:
    parts = np.split(nodes.contexts, nodes.starts[1:-1])
    return [tuple(part.tolist()) for part in parts]


def never() -> bool:
    return False


@settings(max_examples=60)
@given(SETS, st.integers(0, 5))
def test_every_degree_is_kept(sets: list[frozenset[int]], seed: int) -> None:
    nodes = make_incidence(sets, 12)
    series = Rewirings(nodes, seed, never)
    for rewired in (series.next(), series.next()):
        rows = rows_of(rewired)
        assert [len(row) for row in rows] == [len(members) for members in sets]
        assert all(list(row) == sorted(set(row)) for row in rows)
        assert np.array_equal(
            np.bincount(rewired.contexts, minlength=12), np.bincount(nodes.contexts, minlength=12)
        )
    assert rows_of(nodes) == [tuple(sorted(members)) for members in sets], "the input is unchanged"


def matrices(row_totals: list[int], column_totals: list[int]) -> list[tuple[tuple[int, ...], ...]]:
    """Return all matrices with these totals, as the columns of each row."""
    choices = [combinations(range(len(column_totals)), total) for total in row_totals]
    return [
        rows
        for rows in product(*choices)
        if [sum(column in row for row in rows) for column in range(len(column_totals))] == column_totals
    ]


@pytest.mark.parametrize(
    "sets", [[{0, 1}, {0}, {1, 2}, {3}], [{0, 1}, {0}, {1, 2}, {0}], [{0, 1}, {2, 3}, {4}]]
)
def test_all_matrices_are_equally_likely(sets: list[set[int]]) -> None:
    """The first world has as many nodes, the second fewer contexts, the last a pool of four to deal."""
    contexts = 1 + max(max(members) for members in sets)
    nodes = make_incidence([frozenset(members) for members in sets], contexts)
    columns = np.bincount(nodes.contexts, minlength=contexts).tolist()
    possible = matrices([len(members) for members in sets], columns)
    series = Rewirings(nodes, 3, never)
    found = Counter(tuple(rows_of(series.next())) for _ in range(EACH * len(possible)))
    assert set(found) == set(possible)
    chi_square = sum((found[matrix] - EACH) ** 2 / EACH for matrix in possible)
    freedom = len(possible) - 1
    assert chi_square < freedom + 4 * (2 * freedom) ** 0.5


def test_all_ways_to_trade_give_the_same_rewirings(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    sets = [frozenset(rng.integers(0, 80, size).tolist()) for size in rng.integers(1, 40, 60)]
    nodes = make_incidence(sets, 80)
    found = []
    for least, at_a_time in ((0, 1 << 24), (2**62, 1 << 24), (2**62, 1_000)):
        monkeypatch.setattr(curveball, "MIN_COMPILED_STEPS", least)
        monkeypatch.setattr(curveball, "STEPS_AT_A_TIME", at_a_time)
        series = Rewirings(nodes, 9, never)
        found.append([rows_of(series.next()) for _ in range(2)])
    assert found[0] == found[1] == found[2]
    assert found[0][0] != found[0][1] != rows_of(nodes)
    monkeypatch.setattr(curveball, "MIN_COMPILED_STEPS", 0)
    with mock.patch.object(importlib.util, "find_spec", return_value=None):
        assert rows_of(Rewirings(nodes, 9, never).next()) == found[0][0]


def planted(seed: int, *, strength: float) -> World:
    """Return users and playlists of eight scenes; a share *strength* of what they pick is of their own."""
    rng = np.random.default_rng(seed)

    def pick(number: int) -> set[int]:
        own = rng.random(20) < strength
        return set(
            np.where(own, rng.integers(0, 40, 20) + 40 * (number % 8), rng.integers(0, 320, 20)).tolist()
        )

    return World(
        {(user, 1 + track, "like") for user in range(1, 161) for track in pick(user)},
        {playlist: {1 + track for track in pick(playlist)} for playlist in range(1, 81)},
        {track: 1 + (track - 1) // 4 for track in range(1, 321)},
    )


def count(
    store: Store, world: World, rewirings: int = 8, validated: float | None = None
) -> dict[str, ChanceCount]:
    world.spill(store)
    config = HarvestConfig.model_validate({"relationships": {"validated": validated}})
    inputs = RelationshipInput(DatabaseSource(store), config.relationships, None)
    environment = Environment(config.relationships, inputs, never, LocalEngine(2))
    counted = [count_by_chance(one, environment, rewirings) for one in choose_types(config)]
    return {chance.table: chance for chance in counted}


def test_structure_is_far_above_chance_and_noise_is_not(store: Store) -> None:
    scenes, noise = count(store, planted(1, strength=0.8)), count(store, planted(2, strength=0))
    for table in ("user_similarities", "track_relationships"):
        found = scenes[table]
        assert found.kept > 2 * max(found.by_chance) > 0, found
    for table, found in noise.items():
        spread = 3 * float(np.std(found.by_chance)) + 0.02 * found.mean
        assert abs(found.kept - found.mean) < spread, (table, found)
        assert len(set(found.by_chance)) > 1, found
    assert count(store, planted(2, strength=0)) == noise, "the same input gives the same numbers"


def test_chance_keeps_hardly_any_significant_pair(store: Store) -> None:
    for table, found in count(store, planted(1, strength=0.8), 4, 0.05).items():
        if table == "user_similarities":
            assert found.kept > 300, found
        assert found.mean < 0.05 * found.kept + 1, found


def test_a_count_is_one_line() -> None:
    many = ChanceCount("user_similarities", 7_663, [6_741, 6_870, 6_799])
    assert many.describe(is_limited=False) == (
        "user_similarities: 7,663 pairs kept; chance alone keeps 6,803 (6,741 to 6,870 in 3 rewirings)"
    )
    few = ChanceCount("track_relationships", 440, [0, 1])
    assert few.describe(is_limited=True) == (
        "track_relationships: 440 pairs without the limits of the table; chance alone keeps 0.5 "
        "(0 to 1 in 2 rewirings)"
    )
    assert (
        ChanceCount("x", 1, [12]).describe(is_limited=False)
        == "x: 1 pair kept; chance alone keeps 12 (1 rewiring)"
    )


def test_no_data_and_one_node_have_no_chance(store: Store) -> None:
    assert {(one.kept, *one.by_chance) for one in count(store, World(), 2).values()} == {(0, 0, 0)}
    alone = count(store, World({(1, track, "like") for track in range(1, 9)}), 2)
    assert {(one.kept, *one.by_chance) for one in alone.values()} == {(0, 0, 0)}


def test_a_rewiring_ends_when_cancelled() -> None:
    series = Rewirings(make_incidence([frozenset({0}), frozenset({1})], 2), 1, lambda: True)
    with pytest.raises(CancelledError):
        series.next()


def test_others_may_write_during_the_count(
    store: Store, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_world().spill(store)
    store.close()

    def count_after_writing(relationship: RelationshipType, environment: Environment, _: int) -> ChanceCount:
        Store.open(url).close()
        return count_by_chance(relationship, environment, 1)

    monkeypatch.setattr(chance, "count_by_chance", count_after_writing)
    for output in ([], ["--output", str(tmp_path / "pairs")]):
        done = run_command("relate", "--null", "1", *output, HARVEST_DATABASE_URL=url)
        assert (done.code, done.out.count("pairs kept; chance alone keeps")) == (0, 3), done


def test_nothing_is_counted_after_an_error(store: Store, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_world().spill(store)
    store.close()
    monkeypatch.setattr(processor, "_build_once", mock.Mock(side_effect=StorageError("disk: full")))
    done = run_command("relate", "--null", "1", HARVEST_DATABASE_URL=url)
    assert done.code == StorageError.exit_code
    assert done.err.endswith("disk: full\n`--null` is left out, because not all tables are built\n")
    assert "chance" not in done.out


def test_progress_is_logged(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with mock.patch.object(chance, "PROGRESS_SECONDS", 0), caplog.at_level("INFO"):
        count(store, planted(2, strength=0), 2)
    assert "artist_relationships: 2 of 2 rewirings" in caplog.messages
