"""The neighbourhood of the seeds in a relationship table: its nodes, its edges, and where to draw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.communities.louvain import find_communities
from sgr_spiders.reports.page.layout import Edges, lay_out
from sgr_spiders.storage.pairs.strongest import PAIR, read_strongest, read_strongest_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.store import Connection

    Numbers = NDArray[np.int64]
    Pairs = NDArray[np.void]

PER_NODE = 40
"""The strongest pairs of each node to look at."""
KEPT_PER_NODE = 2
"""The strongest edges of each node that are kept, whatever the limit on edges, so that it stays connected."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most nodes and edges of a graph."""

    nodes: int
    edges: int


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph to draw: edge i joins the nodes at ``a[i]`` < ``b[i]`` in ``ids``; edges are ordered by both.

    Members of a community are side by side in ``ids``, so most of the differences of both ends are small.

    Attributes:
        seeds: The places of the seeds in ``ids``.
        communities: The community of each node, 0 is the largest; -1 if it has none.
        are_stored: Whether these are the communities in the database, instead of those of this graph.
        points: The position of each node.
    """

    pairs: PairTable
    ids: Numbers
    seeds: Numbers
    a: Numbers
    b: Numbers
    scores: NDArray[np.float64]
    communities: Numbers
    points: NDArray[np.float64]
    are_stored: bool = False


def read_graph(
    connection: Connection,
    pairs: PairTable,
    seeds: Collection[int],
    limits: Limits,
    *,
    only_around: bool,
    removed: Numbers,
) -> Graph:
    """Return the graph of the nodes nearest to *seeds*, which are nodes, over the strongest pairs.

    Other nodes fill it up to its limit, unless they are to be *only_around* the seeds and these have pairs.
    It has none of the *removed* nodes.
    """
    found = _walk_outwards(connection, pairs, seeds, limits)
    if not only_around or not len(found):
        found = np.concatenate([found, read_strongest(connection, pairs, limits.edges)])
    a, b = np.minimum(found["a"], found["b"]), np.maximum(found["a"], found["b"])
    known = ~(np.isin(a, removed) | np.isin(b, removed))
    a, b, scores = a[known], b[known], found["score"][known]
    # In the order in which they were found, the nearest first.
    nodes = np.stack([found["a"][known], found["b"][known]], axis=1).ravel()
    ids, first = np.unique(nodes, return_index=True)
    nearest = np.sort(ids[np.argsort(first, kind="stable")[: limits.nodes]])
    inside = np.isin(a, nearest) & np.isin(b, nearest)
    a, b, scores = _take_edges(a[inside], b[inside], scores[inside], limits.edges)
    ids = np.unique(np.concatenate([a, b]))
    return _place(pairs, ids, np.array(sorted(seeds), np.int64), Edges(a, b, scores))


def _place(pairs: PairTable, ids: Numbers, seeds: Numbers, edges: Edges) -> Graph:
    a, b = np.searchsorted(ids, edges.a), np.searchsorted(ids, edges.b)
    communities = find_communities(len(ids), a, b, edges.weights)
    order = np.argsort(communities, kind="stable")
    place = np.argsort(order)
    one, other = place[a], place[b]
    a, b = np.minimum(one, other), np.maximum(one, other)
    by_ends = np.lexsort((b, a))
    edges = Edges(a[by_ends], b[by_ends], edges.weights[by_ends])
    ids, communities = ids[order], communities[order]
    points = lay_out(len(ids), edges, communities)
    drawn = np.flatnonzero(np.isin(ids, seeds))
    return Graph(pairs, ids, drawn, edges.a, edges.b, edges.weights, communities, points)


def _walk_outwards(connection: Connection, pairs: PairTable, seeds: Collection[int], limits: Limits) -> Pairs:
    """Return the strongest pairs of the seeds, then of their neighbours, until there are enough nodes."""
    reached: set[int] = set()
    found = [np.empty(0, PAIR)]
    frontier: Sequence[int] = sorted(seeds)
    while frontier and len(reached) < limits.nodes:
        reached.update(frontier)
        rows = read_strongest_of(connection, pairs, frontier, PER_NODE)
        rows = rows[np.lexsort((rows["b"], rows["a"], -rows["score"]))]
        found.append(rows)
        new = [node for node in dict.fromkeys(rows["b"].tolist()) if node not in reached]
        frontier = new[: limits.nodes - len(reached)]
    if frontier:
        found.append(read_strongest_of(connection, pairs, frontier, PER_NODE))
    return np.concatenate(found)


def _take_edges(
    a: Numbers, b: Numbers, scores: NDArray[np.float64], limit: int
) -> tuple[Numbers, Numbers, NDArray[np.float64]]:
    """Return the distinct edges, the strongest if there are more than *limit*, ordered by both ends."""
    order = np.lexsort((b, a))
    a, b, scores = a[order], b[order], scores[order]
    first = np.ones(len(a), bool)
    first[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    a, b, scores = a[first], b[first], scores[first]
    if len(a) <= limit:
        return a, b, scores
    rank = np.empty(len(a), np.int64)
    rank[np.lexsort((b, a, -scores))] = np.arange(len(a))
    must = _is_strongest_of(a, rank) | _is_strongest_of(b, rank)
    kept = np.sort(np.lexsort((rank, ~must))[:limit])
    return a[kept], b[kept], scores[kept]


def _is_strongest_of(ends: Numbers, rank: Numbers) -> NDArray[np.bool_]:
    """Return which edges are among the first by *rank* of the node at this end."""
    order = np.lexsort((rank, ends))
    ordered = ends[order]
    starts = np.searchsorted(ordered, ordered)
    strongest = np.zeros(len(ends), bool)
    strongest[order] = np.arange(len(ends)) - starts < KEPT_PER_NODE
    return strongest
