"""Louvain, Leiden, their consensus and its stability."""

from __future__ import annotations

import importlib.util
from unittest import mock

import igraph
import leidenalg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.relationships.communities import consensus, louvain, moves
from sgr_spiders.relationships.communities.compiled_moves import compiled_move
from sgr_spiders.relationships.communities.consensus import (
    LEIDEN,
    LOUVAIN,
    choose_method,
    find_consensus,
    make_finder,
    measure_stability,
)
from sgr_spiders.relationships.communities.graph import Graph, modularity
from sgr_spiders.reports.comparison.planted import normalised_mutual_information

METHODS = (LEIDEN, LOUVAIN)


def planted(groups: int, size: int, between: float, seed: int = 1) -> tuple[Graph, np.ndarray]:
    """Return a graph of planted communities, with a share of edges *between* them, and the communities."""
    random = np.random.default_rng(seed)
    count = groups * size
    truth = np.repeat(np.arange(groups), size)
    a = random.integers(0, count, count * 12)
    inside = truth[a] * size + random.integers(0, size, len(a))
    b = np.where(random.random(len(a)) < between, random.integers(0, count, len(a)), inside)
    keys = np.unique((np.minimum(a, b) * count + np.maximum(a, b))[a != b])
    weights = random.random(len(keys)) + 0.1
    return Graph(np.arange(count), keys // count, keys % count, weights), truth


@pytest.mark.parametrize("method", METHODS)
def test_the_consensus_recovers_what_was_planted(method: str) -> None:
    graph, truth = planted(8, 40, between=0.4)
    found = find_consensus(graph, method, 1.0)
    assert normalised_mutual_information(found.groups, truth) > 0.95
    assert len(found.runs) == consensus.RUNS
    assert found.stability.min() >= 0
    assert 0.9 < found.stability.mean() <= 1
    again = find_consensus(graph, method, 1.0)
    assert np.array_equal(found.groups, again.groups)
    assert np.array_equal(found.stability, again.stability)
    sizes = np.bincount(found.groups)
    assert np.array_equal(sizes, np.sort(sizes)[::-1])


def test_no_node_loses_its_last_edge() -> None:
    """Three pairs, and a node that is in each of them a third of the times."""
    runs = [np.array([0, 0, 1, 1, 2, 2, home]) for home in (0, 1, 2)]
    edges = [(0, 1), (2, 3), (4, 5), (0, 6), (2, 6), (4, 6)]
    a, b = np.array(edges).T
    graph = Graph(np.arange(7), a, b, np.array([1.0, 1, 1, 0.4, 0.8, 0.6]))
    together = np.array([[0, 0, 0, 0, 0, 0, 1]])
    for repeated in (runs, [*runs, runs[2]]):
        kept = consensus._choose_edges(graph, consensus._share_together(graph, repeated))
        # The edge of the largest share, and of the largest weight among equal ones.
        largest = 5 if len(repeated) == 4 else 4
        assert np.flatnonzero(kept).tolist() == [0, 1, 2, largest]
    never = consensus._choose_edges(graph, consensus._share_together(graph, list(together)))
    assert never.tolist() == [True] * 3 + [False] * 3


@pytest.mark.parametrize("method", METHODS)
def test_noise_has_no_stable_communities(method: str) -> None:
    noise, _ = planted(1, 150, between=0)
    clear, _ = planted(3, 50, between=0.05)
    assert find_consensus(noise, method, 1.0).stability.mean() < 0.9
    assert find_consensus(clear, method, 1.0).stability.mean() == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_larger_resolution_gives_more_communities(method: str) -> None:
    graph, _ = planted(6, 30, between=0.1)
    sizes = [len(np.unique(find_consensus(graph, method, value).groups)) for value in (0.1, 1.0, 8.0)]
    assert sizes[0] < sizes[1] == 6 < sizes[2]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [0, 2])
def test_the_smallest_graphs(method: str, count: int) -> None:
    a = np.zeros(count // 2, np.int64)
    graph = Graph(np.arange(count), a, a + 1, np.ones(len(a)))
    found = find_consensus(graph, method, 1.0)
    assert found.groups.tolist() == [0] * count
    assert found.stability.tolist() == [1.0] * count
    assert modularity(graph, found.groups) == 0


def test_a_weak_edge_between_communities_does_not_join_them() -> None:
    clique = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    edges = [*clique, *((a + 4, b + 4) for a, b in clique), (3, 4)]
    a, b = np.array(edges).T
    graph = Graph(np.arange(8), a, b, np.array([1.0] * 12 + [0.01]))
    for method in METHODS:
        assert find_consensus(graph, method, 1.0).groups.tolist() == [0] * 4 + [1] * 4


def test_leiden_is_as_good_as_the_reference() -> None:
    graph, _ = planted(10, 40, between=0.5)
    found = make_finder(LEIDEN, graph, 1.3).find(1)
    whole = igraph.Graph(n=len(graph.ids), edges=np.stack([graph.a, graph.b], axis=1))
    reference = leidenalg.find_partition(
        whole,
        leidenalg.RBConfigurationVertexPartition,
        weights=graph.weights.tolist(),
        resolution_parameter=1.3,
        n_iterations=-1,
        seed=1,
    )
    best = modularity(graph, np.array(reference.membership), 1.3)
    assert modularity(graph, found, 1.3) > best - 0.01
    assert modularity(graph, found) == pytest.approx(
        whole.modularity(found.tolist(), weights=graph.weights.tolist())
    )


@given(
    st.integers(1, 6),
    st.floats(0, 1),
    st.integers(0, 3),
    st.one_of(st.none(), st.integers(1, 50)),
    st.sampled_from([0.3, 1.0, 2.5]),
)
def test_the_compiled_loop_finds_the_same(
    groups: int, between: float, seed: int, random_seed: int | None, resolution: float
) -> None:
    graph, _ = planted(groups, 12, between, seed)
    slow, fast = (
        louvain.find_communities(
            len(graph.ids),
            graph.a,
            graph.b,
            graph.weights,
            resolution=resolution,
            random_seed=random_seed,
            move=move,
        )
        for move in (moves.move, compiled_move)
    )
    assert np.array_equal(slow, fast)


def test_the_loop_is_compiled_only_for_much_work() -> None:
    assert louvain.choose_move(1_000) is moves.move
    assert louvain.choose_move(10**7) is compiled_move
    with mock.patch.object(importlib.util, "find_spec", return_value=None):
        assert louvain.choose_move(10**7) is moves.move


def test_louvain_is_used_without_igraph() -> None:
    assert choose_method() == LEIDEN
    with mock.patch.object(importlib.util, "find_spec", return_value=None):
        assert choose_method() == LOUVAIN


def test_stability_is_the_share_of_own_members_met() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2])
    same = np.array([2, 2, 2, 0, 0, 1])
    other = np.array([0, 0, 1, 1, 1, 1])
    assert measure_stability(groups, [same]).tolist() == [1] * 6
    # In the second run, the third node has left its two neighbours, and the last one is not alone.
    assert measure_stability(groups, [same, other]).tolist() == [0.75, 0.75, 0.5, 1, 1, 0.5]
    without = np.array([-1, 0, 0, -1, -1, -1])
    assert measure_stability(groups, [without]).tolist() == [0, 0.5, 0.5, 0, 0, 0]
