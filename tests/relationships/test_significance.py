"""Expected overlap, lift, p and q against enumeration, the package bicm, and simple references."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.arrangement import arrange
from sgr_spiders.relationships.blocks import Task, cut_block, divide, find_pairs
from sgr_spiders.relationships.compiled_search import CompiledSearch
from sgr_spiders.relationships.engine import LocalEngine
from sgr_spiders.relationships.inputs import DatabaseSource, Incidence, RelationshipInput
from sgr_spiders.relationships.live import LiveRelationships
from sgr_spiders.relationships.processor import choose_types, relate
from sgr_spiders.relationships.significance import tail
from sgr_spiders.relationships.significance.assessment import Significance, assess
from sgr_spiders.relationships.significance.bicm import NEVER, TOLERANCE, fit
from sgr_spiders.relationships.significance.coins import MOST_CLASSES, frequent_classes, make_coins, tails_of
from sgr_spiders.relationships.significance.discovery import discovery_rates
from sgr_spiders.relationships.significance.tail import RARE, Coins, upper_tails
from sgr_spiders.relationships.sparse_search import SparseSearch
from sgr_spiders.relationships.tally import Tally, unpack_cells
from tests.relationships.test_exact import CONFIGS, REUSED, WORLDS, incidence
from tests.relationships.test_processor import make_config, make_world, runs
from tests.relationships.worlds import Rows, World, stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.relationships.search import Search
    from sgr_spiders.storage.store import Store

    Reals = NDArray[np.float64]
    Cells = dict[tuple[int, int, int], int]

SOLVED_BY_BICM = """
import pathlib, sys
import numpy as np
from bicm import BipartiteGraph
for path in pathlib.Path(sys.argv[1]).glob("?.npy"):
    graph = BipartiteGraph()
    graph.set_biadjacency_matrix(np.load(path).astype(int))
    graph.solve_tool(verbose=False)
    np.save(path.with_name(f"solved-{path.stem}"), graph.get_bicm_matrix())
"""
SIMILAR = TYPES["user_similarity"](make_config().relationships.user_similarity)


def edges_of(matrix: NDArray[np.bool_]) -> tuple[Reals, float]:
    """Return the probability of each edge by the model, and the error of the model."""
    rows, columns = matrix.sum(axis=1), matrix.sum(axis=0)
    model = fit(rows, columns)
    other = model.columns
    classes = model.rows.probabilities(other.fitness, other.round_of, other.certain)
    row = np.searchsorted(model.rows.degrees, rows)
    column = np.searchsorted(other.degrees, columns)
    return classes[row][:, column], model.error


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40), st.sampled_from([0.02, 0.2, 0.5, 0.98]))
def test_expected_degrees_equal_the_observed(seed: int, nodes: int, contexts: int, density: float) -> None:
    """Also with nodes that have all contexts or none, and contexts of all nodes or none."""
    rng = np.random.default_rng(seed)
    popularity = rng.random(contexts) ** rng.integers(0, 4)
    matrix = rng.random((nodes, contexts)) < density * popularity
    matrix[rng.random(nodes) < 0.1] = True
    matrix[:, rng.random(contexts) < 0.1] = True
    edges, error = edges_of(matrix)
    assert error <= TOLERANCE
    assert np.allclose(edges.sum(axis=1), matrix.sum(axis=1), rtol=1e-8, atol=1e-8)
    assert np.allclose(edges.sum(axis=0), matrix.sum(axis=0), rtol=1e-8, atol=1e-8)
    assert np.all(edges[:, matrix.all(axis=0)] == 1)


def test_a_nested_matrix_has_certain_edges() -> None:
    """Its model has no finite solution: node i has the first i contexts, and no other matrix fits."""
    edges, error = edges_of(np.tril(np.ones((9, 9), bool)))
    assert error == 0
    assert np.array_equal(edges, np.tril(np.ones((9, 9))))


def test_the_model_equals_that_of_the_package_bicm(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for seed in range(4):
        matrix = rng.random((30, 60)) < np.outer(rng.random(30) ** 2, rng.random(60))
        np.save(tmp_path / f"{seed}.npy", matrix[matrix.any(axis=1)][:, matrix.any(axis=0)])
    # In another process, because it compiles its functions for longer than it needs them.
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", SOLVED_BY_BICM, str(tmp_path)], env=environment, check=True)
    for seed in range(4):
        edges, _ = edges_of(np.load(tmp_path / f"{seed}.npy"))
        assert np.allclose(np.load(tmp_path / f"solved-{seed}.npy"), edges, atol=1e-6)


# ---- tails


def enumerate_tails(chances: Reals) -> Reals:
    """Return the probability of at least 0, 1, ... successes, adding one coin after the other."""
    masses = np.zeros(len(chances) + 1)
    masses[0] = 1
    for chance in chances:
        masses[1:] = masses[1:] * (1 - chance) + masses[:-1] * chance
        masses[0] *= 1 - chance
    return np.cumsum(masses[::-1])[::-1]


def both_tails(edges: Reals, numbers: NDArray[np.int64]) -> tuple[Reals, Reals]:
    """Return our tails of the overlaps of two nodes from 1 on, and those by enumeration."""
    chances = np.repeat(edges[0] * edges[1], numbers)
    reach = chances.sum() + 40 + 8 * np.sqrt(chances.sum())
    overlaps = np.arange(1, min(len(chances), int(reach)) + 1)
    bounds = np.array([0, len(overlaps)])
    one = np.array([0])
    found = upper_tails(Coins(edges, numbers.astype(float)), one, one + 1, bounds, overlaps)
    return found, enumerate_tails(chances)[overlaps]


def test_enumeration_of_three_coins() -> None:
    chances = np.array([0.2, 0.5, 0.7])
    wanted = np.zeros(4)
    for fallen in itertools.product([0, 1], repeat=3):
        wanted[: sum(fallen) + 1] += np.prod(np.where(fallen, chances, 1 - chances))
    assert np.allclose(enumerate_tails(chances), wanted)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 10), st.integers(1, 8))
def test_the_tails_of_few_coins_are_exact(seed: int, classes: int, largest: int, power: int) -> None:
    """Down to the smallest numbers, and with coins that always fall on the same side."""
    rng = np.random.default_rng(seed)
    edges = rng.random((2, classes)) ** power
    edges[:, rng.random(classes) < 0.1] = 1
    found, wanted = both_tails(edges, rng.integers(1, largest + 1, classes))
    assert np.allclose(found, wanted, rtol=1e-9, atol=1e-300)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(1, 8))
def test_the_tails_of_many_coins(seed: int, classes: int, power: int) -> None:
    """Most are rare. Below 1e-9, the saddlepoint approximation replaces the recursion.

    Where an overlap needs more than all the likely coins, its error is largest: half of the tail.
    """
    rng = np.random.default_rng(seed)
    edges = rng.random((2, classes)) ** power
    found, wanted = both_tails(edges, rng.integers(4, 40, classes))
    usual = wanted > 1e-9
    assert np.allclose(found[usual], wanted[usual], rtol=2e-4, atol=0)
    deep = ~usual & (wanted > 1e-14)
    assert np.allclose(found[deep], wanted[deep], rtol=1, atol=0)
    assert (np.diff(found) <= 1e-3 * found[:-1]).all()


def test_a_large_overlap_leaves_the_small_ones_exact() -> None:
    """Pairs of the same sizes have both; the saddlepoint would be wrong by 2% near a mean of 1."""
    edges = np.array([[0.01], [0.001]])
    overlaps = np.array([1, 2, 3, 700])
    one = np.array([0])
    coins = Coins(edges, np.array([100_000.0]))
    found = upper_tails(coins, one, one + 1, np.array([0, 4]), overlaps)
    assert np.allclose(found, binom.sf(overlaps - 1, 100_000, 1e-5), rtol=1e-4, atol=0)


@pytest.mark.parametrize("seed", range(5))
def test_the_saddlepoint_approximation(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refined normal approximation alone would be wrong by half at 1e-6, and by orders beyond."""
    monkeypatch.setattr(tail, "MOST_FREQUENT", 0)
    monkeypatch.setattr(tail, "DEEP", 0)
    rng = np.random.default_rng(seed)
    found, wanted = both_tails(rng.random((2, 40)), rng.integers(10, 40, 40))
    usual = wanted > 1e-14
    assert np.allclose(found[usual], wanted[usual], rtol=1e-4, atol=0)
    assert (wanted[usual] < 1e-12).any()


def test_merged_contexts_give_the_same_tails() -> None:
    rng = np.random.default_rng(5)
    # As many distinct degrees as a harvest of millions of likes has.
    columns = np.minimum(rng.pareto(1.1, 300_000) * 3 + 1, 20_000).astype(np.int64)
    rows = np.minimum(rng.pareto(1.5, 100_000) + 1, 50).astype(float)
    rows = np.maximum(1, (rows * (columns.sum() / rows.sum())).astype(np.int64))
    rows[: columns.sum() - rows.sum()] += 1
    assert rows.sum() == columns.sum()
    model = fit(rows, columns)
    last = len(model.rows.degrees) - 1
    a, b = np.array([0, 3, last // 2, last // 2]), np.array([0, last // 2, last // 2, last])
    kept = int(frequent_classes(model, a, b).max())
    coins = make_coins(model, kept)
    assert len(model.columns.degrees) > 2 * MOST_CLASSES
    assert len(coins.numbers) < len(model.columns.degrees) * 0.7
    whole = make_coins(model, len(model.columns.degrees))
    assert len(whole.numbers) == len(model.columns.degrees)
    overlaps = np.tile(np.arange(1, 30), 4)
    bounds = np.arange(5) * 29
    exact, merged = (upper_tails(some, a, b, bounds, overlaps) for some in (whole, coins))
    assert np.allclose(merged, exact, rtol=2e-3, atol=1e-30)
    parted = tails_of(model, a, b, bounds, overlaps, 1)
    assert np.allclose(parted, exact, rtol=2e-3, atol=1e-30)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from([0.05, 0.3, 0.8]))
def test_the_contexts_that_a_pair_may_often_share(seed: int, density: float) -> None:
    """They keep coins of their own, also in pairs with a node that has all contexts or none."""
    rng = np.random.default_rng(seed)
    matrix = rng.random((30, 40)) < density * 2 * rng.random(40) * rng.random((30, 1))
    matrix[0], matrix[1] = True, False
    model = fit(matrix.sum(axis=1), matrix.sum(axis=0))
    rows, columns = model.rows, model.columns
    left = columns.round_of == NEVER
    edges = rows.probabilities(columns.fitness, columns.round_of, columns.certain)[:, left]
    a, b = np.triu_indices(len(rows.degrees))
    assert frequent_classes(model, a, b).tolist() == (edges[a] * edges[b] > RARE).sum(axis=1).tolist()


# ---- the counting pass


def cells_of(search: Search) -> Cells:
    tally = Tally()
    for block in search.arrangement.blocks(search.work(), 5):
        for _, keys, numbers in search.tally(*block):
            tally.add(keys, numbers)
    return read(tally)


def read(tally: Tally) -> Cells:
    keys, numbers = tally.cells()
    cells = zip(*(column.tolist() for column in unpack_cells(keys)), strict=True)
    return dict(zip(cells, numbers.tolist(), strict=True))


def skewed(nodes: int, seed: int = 7) -> Incidence:
    """Return nodes with few and with hundreds of contexts, some of which most nodes have."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(1 + rng.pareto(1.1, nodes) * 3, 700).astype(int)
    sets = [np.unique(np.append((rng.random(size) ** 3 * 2_000).astype(np.int64) + 1, rng.random() > 0.6))
            for size in sizes]  # fmt: skip
    return incidence(sets, 2_002)


@pytest.mark.parametrize("nodes", [60, 3_000])
def test_all_searches_count_the_same_pairs(nodes: int) -> None:
    """Also on blocks, as a cluster does, and equal to the numbers of pairs with an overlap."""
    world = skewed(nodes)
    arrangement = arrange(world, SIMILAR, every=True)
    assert arrangement.rows == nodes
    compiled, plain = (cells_of(search(arrangement)) for search in (CompiledSearch, SparseSearch))
    assert compiled == plain
    whole = Tally()
    blocks = divide(arrangement, 10**9, 3)
    for number, block in enumerate(blocks):
        for other in blocks[number:]:
            rows = [(0, len(block))]
            task = Task(SIMILAR, arrangement.layout, rows, 1, arrangement.distinct_sizes)
            later = None if other is block else cut_block(arrangement, other)
            found = find_pairs(task, cut_block(arrangement, block), later)
            assert found.numbers is not None
            whole.add(found.keys, found.numbers)
    assert read(whole) == compiled
    common = (arrangement.matrix.astype(int) @ arrangement.matrix.astype(int).T).toarray()
    shared, pairs = np.unique(common[np.triu_indices(nodes, 1)], return_counts=True)
    by_overlap: dict[int, int] = {}
    for (_, _, overlap), number in compiled.items():
        by_overlap[overlap] = by_overlap.get(overlap, 0) + number
    assert by_overlap == {n: count for n, count in zip(shared.tolist(), pairs.tolist(), strict=True) if n}


def test_many_pairs_in_one_cell() -> None:
    """More than the compiled search counts at a time, and overlaps beyond its table."""
    sets = [np.arange(300) for _ in range(40)] + [np.arange(5) for _ in range(3_000)]
    arrangement = arrange(incidence(sets, 300), SIMILAR, every=True)
    wanted = {(0, 0, 5): 3_000 * 2_999 // 2, (0, 1, 5): 3_000 * 40, (1, 1, 300): 40 * 39 // 2}
    assert cells_of(CompiledSearch(arrangement)) == wanted == cells_of(SparseSearch(arrangement))


def test_the_result_does_not_depend_on_the_threads() -> None:
    found = [assess(skewed(800), SIMILAR, LocalEngine(n), n, lambda: False, lambda _: None) for n in (1, 3)]
    for name in Significance.__dataclass_fields__:
        assert np.array_equal(getattr(found[0], name), getattr(found[1], name)), name


# ---- q


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 5)), min_size=1, max_size=20), st.integers(0, 9))
def test_rates_equal_those_of_every_pair(cells: list[tuple[float, int]], others: int) -> None:
    """*others* have a probability of 1."""
    every = sorted([p for p, number in cells for _ in range(number)] + [1.0] * others)
    least, wanted = 1.0, {}
    for rank in range(len(every), 0, -1):
        least = min(least, every[rank - 1] * (len(every) / rank))
        wanted[every[rank - 1]] = least
    p, numbers = (np.array(column) for column in zip(*cells, strict=True))
    found = discovery_rates(p.astype(float), numbers, len(every))
    assert np.allclose(found, [wanted[value] for value in p.tolist()], rtol=1e-12)


# ---- tables


def significance_of(nodes: Incidence) -> dict[tuple[int, int], tuple[float, ...]]:
    """Return expected overlap, lift, p and q of every pair of nodes with an overlap, pair by pair."""
    matrix = np.zeros((len(nodes.ids), nodes.context_count), bool)
    matrix[np.repeat(np.arange(len(nodes.ids)), nodes.sizes), nodes.contexts] = True
    edges, _ = edges_of(matrix)
    pairs = list(itertools.combinations(range(len(nodes.ids)), 2))
    shared = [int((matrix[a] & matrix[b]).sum()) for a, b in pairs]
    tails = [enumerate_tails(edges[a] * edges[b])[n] for (a, b), n in zip(pairs, shared, strict=True)]
    order = np.argsort(tails, kind="stable")
    rates, least = np.ones(len(pairs)), 1.0
    for rank in range(len(pairs), 0, -1):
        least = min(least, tails[order[rank - 1]] * (len(pairs) / rank))
        rates[order[rank - 1]] = least
    found: dict[tuple[int, int], tuple[float, ...]] = {}
    for (a, b), n, p, q in zip(pairs, shared, tails, rates.tolist(), strict=True):
        if n:
            expected = float((edges[a] * edges[b]).sum())
            found[int(nodes.ids[a]), int(nodes.ids[b])] = (expected, n / expected, float(p), q)
    return found


def each_table(store: Store, config: HarvestConfig) -> Iterator[tuple[Rows, dict[Any, Any]]]:
    """Yield the rows of each table, and what enumeration gives for every pair of its nodes."""
    tables = stored(store, with_significance=True)
    inputs = RelationshipInput(DatabaseSource(store), config.relationships, None)
    for relationship in choose_types(config):
        yield tables[relationship.table.name], significance_of(relationship.incidence(inputs))


def agree(row: tuple[Any, ...], wanted: tuple[float, ...]) -> bool:
    return np.allclose(row[-5:-1], wanted, rtol=1e-6, atol=1e-300)


@REUSED
@given(WORLDS, CONFIGS)
def test_the_tables_equal_enumeration(store: Store, world: World, config: HarvestConfig) -> None:
    world.spill(store)
    relate(store, config)
    for rows, wanted in each_table(store, config):
        for pair, row in rows.items():
            assert agree(row, wanted[pair]), (pair, row, wanted[pair])


@pytest.mark.parametrize(
    "sets",
    [
        pytest.param([[0, 1, 2], [0, 1, 3], [2, 3, 4], [4], [0], [], []], id="contexts were dropped"),
        pytest.param([[0, 1, 2], [0, 1, 3], [0, 2, 3, 4], [0, 4], [0, 3]], id="all have one context"),
    ],
)
def test_nodes_without_contexts_are_tested_and_certain_contexts_count(sets: list[list[int]]) -> None:
    nodes = incidence([np.array(contexts, np.int64) for contexts in sets], 5)
    found = assess(nodes, SIMILAR, LocalEngine(1), 1, lambda: False, lambda _: None)
    assert found.tests == len(sets) * (len(sets) - 1) // 2
    columns = found.columns(np.array([0]), np.array([1]), np.array([2]))
    wanted = significance_of(nodes)[int(nodes.ids[0]), int(nodes.ids[1])]
    assert np.allclose(np.concatenate(columns), wanted, rtol=1e-6)


def groups() -> World:
    """Return a world of 36 users, of whom each three share half of their likes."""
    rng = np.random.default_rng(3)
    libraries = [
        {*(rng.random(4) ** 2 * 90).astype(int).tolist(), *range(100 + user // 3 * 4, 104 + user // 3 * 4)}
        for user in range(36)
    ]
    return World({(user, track, "like") for user, library in enumerate(libraries, 1) for track in library})


@pytest.mark.parametrize("limits", [{}, {"top_k": 1}, {"max_library_share": 0.15}])
def test_only_validated_pairs_are_kept(store: Store, limits: dict[str, Any]) -> None:
    """And of these the nearest. Dropped contexts do not count, but all users are tested."""
    groups().spill(store)
    section = {"min_common_tracks": 1, "min_similarity": 0, **limits}
    config = make_config(validated=0.2, user_similarity=section)
    relate(store, config, only=["user_similarity"])
    (rows, wanted), *_ = each_table(store, config)
    chosen = {pair for pair, values in wanted.items() if values[-1] <= 0.2}
    assert set(wanted) > chosen
    assert all(agree(row, wanted[pair]) for pair, row in rows.items())
    assert set(rows) == chosen if "top_k" not in limits else set(rows) < chosen
    (run,) = runs(store)
    inputs, parameters = json.loads(str(run["inputs"])), json.loads(str(run["parameters"]))
    assert (parameters["significance"], parameters["validated"]) == ("bicm", 0.2)
    assert inputs["pairs_tested"] == 36 * 35 // 2
    assert inputs["pairs_significant"] == sum(values[-1] <= 0.05 for values in wanted.values())
    assert inputs["rows_significant"] == sum(row[-2] <= 0.05 for row in rows.values())


def test_without_significance_the_columns_are_null(store: Store) -> None:
    make_world().spill(store)
    untested = make_config(significance="none")
    relate(store, untested)
    before = stored(store)
    assert all(row[-5:-1] == (None,) * 4 for rows in stored(store, with_significance=True).values()
               for row in rows.values())  # fmt: skip
    assert all("pairs_tested" not in str(run["inputs"]) for run in runs(store))
    assert all(related.seconds for related in relate(store, make_config()))
    assert stored(store) == before
    for rows, wanted in each_table(store, make_config()):
        assert all(agree(row, wanted[pair]) for pair, row in rows.items())


def test_updates_keep_the_validated_pairs_of_unchanged_data(store: Store) -> None:
    groups().spill(store)
    config = make_config(validated=0.2)
    relate(store, config)
    before = stored(store, with_significance=True)
    assert before["user_similarities"]
    LiveRelationships(store, config, lambda function: function()).update(None, lambda: False)
    assert stored(store, with_significance=True) == before
    assert not any(related.seconds for related in relate(store, config))


def test_the_build_after_a_crawl_fills_what_its_updates_leave_null(store: Store) -> None:
    make_world().spill(store)
    config = make_config(validated=0.2)
    LiveRelationships(store, config, lambda function: function()).update(None, lambda: False)
    during = stored(store, with_significance=True)["artist_relationships"]
    assert {row[-5:-1] for row in during.values()} == {(None,) * 4}
    relate(store, config)
    after = stored(store, with_significance=True)["artist_relationships"]
    assert set(after) < set(during)
    assert all(row[-2] <= 0.2 for row in after.values())
