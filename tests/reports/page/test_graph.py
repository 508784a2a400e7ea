"""The graph of the report: which nodes and edges it takes, its communities, and its layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa

from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.communities.louvain import find_communities
from sgr_spiders.reports.page.graph import Graph, Limits, read_graph
from sgr_spiders.reports.page.graph_data import usual_path
from sgr_spiders.reports.page.html import data, link, path_of, shown, tag
from sgr_spiders.reports.page.layout import Edges, lay_out
from sgr_spiders.storage import schema

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

PAIRS = TYPES["track_cooccurrence"].table
NOBODY = np.empty(0, np.int64)


def relate(store: Store, scores: dict[tuple[int, int], float]) -> None:
    nodes = {node for pair in scores for node in pair}
    table = PAIRS.as_table()
    with store.write() as connection:
        whole = {"is_stub": False, "fullness": 3, "fetched_at": ""}
        connection.execute(sa.insert(schema.tracks), [{"track_id": node, **whole} for node in nodes])
        rows = [
            {"track_id_a": a, "track_id_b": b, "cooccurrences": 2, "weight": score, "cut": False}
            for (a, b), score in scores.items()
        ]
        connection.execute(sa.insert(table), rows)


def graph_of(
    store: Store, seeds: set[int], nodes: int = 100, edges: int = 100, *, only_around: bool = False
) -> Graph:
    with store.read() as connection:
        limits = Limits(nodes, edges)
        return read_graph(connection, PAIRS, seeds, limits, only_around=only_around, removed=NOBODY)


def edges_of(graph: Graph) -> dict[tuple[int, int], float]:
    ends = np.sort(np.stack([graph.ids[graph.a], graph.ids[graph.b]], axis=1), axis=1)
    return {(int(a), int(b)): float(score) for (a, b), score in zip(ends, graph.scores, strict=True)}


def test_a_small_table_is_drawn_whole(store: Store) -> None:
    scores = {(1, 2): 0.5, (2, 3): 0.25, (7, 8): 1.0}
    relate(store, scores)
    graph = graph_of(store, {2})
    assert edges_of(graph) == scores
    assert graph.ids[graph.seeds].tolist() == [2]
    assert sorted(np.bincount(graph.communities).tolist()) == [2, 3]
    assert len(graph.points) == 5


def test_around_some_seeds_only_what_they_reach_is_drawn(store: Store) -> None:
    relate(store, {(1, 2): 0.5, (2, 3): 0.25, (7, 8): 1.0})
    assert edges_of(graph_of(store, {1}, only_around=True)) == {(1, 2): 0.5, (2, 3): 0.25}
    assert edges_of(graph_of(store, {99}, only_around=True)).keys() == {(1, 2), (2, 3), (7, 8)}


def test_the_nodes_nearest_to_the_seed_come_first(store: Store) -> None:
    strong = {(1, node): 1 - node / 100 for node in range(2, 12)}
    further = {(node, node + 100): 1.0 for node in range(2, 12)}
    relate(store, strong | further)
    graph = graph_of(store, {1}, nodes=5)
    assert sorted(graph.ids.tolist()) == [1, 2, 3, 4, 5]
    assert edges_of(graph) == {pair: strong[pair] for pair in ((1, 2), (1, 3), (1, 4), (1, 5))}


def test_a_limit_on_edges_keeps_the_strongest_and_each_node(store: Store) -> None:
    clique = {(a, b): 0.9 + a / 1000 + b / 100_000 for a in range(1, 11) for b in range(a + 1, 11)}
    relate(store, clique | {(1, 50): 0.1, (2, 50): 0.2, (3, 50): 0.05})
    kept = edges_of(graph_of(store, {1}, edges=40))
    assert len(kept) == 40
    assert {(1, 50), (2, 50)} <= kept.keys()
    assert (3, 50) not in kept
    ends = {node for pair in kept for node in pair}
    assert ends == {*range(1, 11), 50}


def test_removed_nodes_are_left_out(store: Store) -> None:
    relate(store, {(1, 2): 0.5, (2, 3): 0.25, (1, 3): 0.1})
    with store.read() as connection:
        graph = read_graph(connection, PAIRS, {1}, Limits(9, 9), only_around=False, removed=np.array([2]))
    assert edges_of(graph) == {(1, 3): 0.1}


def planted(groups: int, size: int) -> tuple[int, np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    pairs = set()
    for group in range(groups):
        own = np.arange(size) + group * size
        for _ in range(size * 6):
            a, b = sorted(random.choice(own, 2, replace=False).tolist())
            pairs.add((a, b))
        a, b = sorted((group * size, (group * size + size) % (groups * size)))
        pairs.add((a, b))
    a, b = np.array(sorted(pairs)).T
    return groups * size, a, b


def test_planted_communities_are_found() -> None:
    count, a, b = planted(5, 30)
    found = find_communities(count, a, b, np.ones(len(a)))
    assert [set(found[group * 30 : group * 30 + 30].tolist()) for group in range(5)] == [
        {number} for number in dict.fromkeys(found[::30].tolist())
    ]
    assert find_communities(0, NOBODY, NOBODY, np.empty(0)).tolist() == []
    assert find_communities(3, NOBODY, NOBODY, np.empty(0)).tolist() == [0, 1, 2]


def test_the_layout_keeps_communities_together_and_is_the_same_each_time() -> None:
    count, a, b = planted(5, 30)
    groups = np.arange(count) // 30
    edges = Edges(a, b, np.ones(len(a)))
    points = lay_out(count, edges, groups)
    assert np.array_equal(points, lay_out(count, edges, groups))
    assert np.isfinite(points).all()
    away = np.hypot(*(points[:, None] - points).transpose(2, 0, 1))
    np.fill_diagonal(away, np.inf)
    same = groups[away.argsort(axis=1)[:, :10]] == groups[:, None]
    assert same.mean() > 0.9
    assert away.min() > 0


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_tiny_graph_has_a_layout(count: int) -> None:
    a, b = (np.arange(count - 1), np.arange(1, count)) if count > 1 else (NOBODY, NOBODY)
    points = lay_out(count, Edges(a, b, np.ones(len(a))), np.zeros(count, np.int64))
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()


def test_text_is_escaped_wherever_it_stands() -> None:
    assert (
        tag("p", "<b>&", title='"x"', class_="y") == '<p title="&quot;x&quot;" class="y">&lt;b&gt;&amp;</p>'
    )
    assert link("<x>", "https://soundcloud.com/a/b").count("<") == 4
    assert '"</script>' not in data("x", ["</script>", "\u2028"])
    assert "\u2028" not in data("x", ["</script>", "\u2028"])


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://soundcloud.com/a/b", "a/b"),
        ("https://soundcloud.com/a/b?secret_token=x#y", "a/b"),
        ("http://soundcloud.com/a", None),
        ("https://soundcloud.com", None),
        ("https://soundcloud.com//evil.example", None),
        ("https://soundcloud.com.evil.example/a", None),
        ("https://user@soundcloud.com/a", None),
        ("https://soundcloud.com:443/a", None),
        ("javascript:alert(1)", None),
        ("https://[x", None),
        (None, None),
    ],
)
def test_only_pages_of_soundcloud_are_linked(url: str | None, path: str | None) -> None:
    assert path_of(url) == path


def test_names_are_one_short_line() -> None:
    assert shown("a\u202eb\n\tc ") == "ab c"
    assert shown(" \u200e"[:1]) == "(no title known)"
    assert len(shown("x" * 500)) == 120


def test_the_usual_address_follows_from_the_title() -> None:
    assert usual_path("Ferrety \u00c9lan (feat. The Ember)") == "ferrety-elan-feat-the-ember"
