"""The consensus of several runs of a community method, and how stable each node is in it.

Lancichinetti and Fortunato, Consensus clustering in complex networks (Scientific Reports 2012, 336): each run
has its own random seed; the share of runs in which two nodes are together becomes the weight of their edge,
small shares are dropped, and the runs are repeated on this graph until all agree. Shares are computed only
for the edges of the graph, as by Tandon, Albeshri, Thayananthan, Alhalabi and Fortunato, Fast consensus
clustering in complex networks (Physical Review E 2019, 042301), so the memory grows with the edges.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sgr_spiders.relationships.communities.graph import Graph, by_size, number_from_zero
from sgr_spiders.relationships.communities.louvain import choose_move, find_communities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.relationships.communities.graph import Numbers, Weights

LEIDEN, LOUVAIN = "leiden", "louvain"
RUNS = 20
"""Runs of the method, with the random seeds 1 to this."""
MIN_SHARE = 0.5
"""The share of runs in which two nodes must be together to stay neighbours."""
MAX_ROUNDS = 10
"""Repetitions after which the first run counts, if the runs never agree."""


class Finder(Protocol):
    """Finds the communities of one graph."""

    def find(self, random_seed: int) -> Numbers:
        """Return the community of each node, numbered from 0."""


@dataclass(frozen=True, slots=True)
class Consensus:
    """The consensus, and the communities of each run on the graph itself."""

    groups: Numbers
    runs: Sequence[Numbers]

    @property
    def stability(self) -> Weights:
        """The stability of each node."""
        return measure_stability(self.groups, self.runs)


class Louvain:
    """Finds communities of one graph by modularity, in a random order of visits."""

    def __init__(self, graph: Graph, resolution: float) -> None:
        self._graph = graph
        self._resolution = resolution
        self._move = choose_move(len(graph.a) * RUNS)

    def find(self, random_seed: int) -> Numbers:
        """Return the community of each node."""
        graph = self._graph
        return find_communities(
            len(graph.ids),
            graph.a,
            graph.b,
            graph.weights,
            resolution=self._resolution,
            random_seed=random_seed,
            move=self._move,
        )


def choose_method() -> str:
    """Return ``leiden`` if igraph is installed, else ``louvain``."""
    return LOUVAIN if importlib.util.find_spec("igraph") is None else LEIDEN


def make_finder(method: str, graph: Graph, resolution: float) -> Finder:
    """Return the finder of this *method*."""
    if method == LOUVAIN:
        return Louvain(graph, resolution)
    # Lazy import: igraph is optional.
    from sgr_spiders.relationships.communities.leiden import Leiden  # noqa: PLC0415

    return Leiden(graph, resolution)


def find_consensus(
    graph: Graph,
    method: str,
    resolution: float,
    check: Callable[[], None] = lambda: None,
    runs: int = RUNS,
) -> Consensus:
    """Return the consensus of *runs* runs; 0 is the largest community.

    *check* is called before each run, and may raise.
    """
    first: list[Numbers] = []
    found: list[Numbers] = []
    current = graph
    for _ in range(MAX_ROUNDS):
        finder = make_finder(method, current, resolution)
        found = []
        for seed in range(1, runs + 1):
            check()
            found.append(finder.find(seed))
        first = first or found
        shares = _share_together(current, found)
        if not ((shares > 0) & (shares < 1)).any():
            break
        kept = _choose_edges(current, shares)
        current = Graph(graph.ids, current.a[kept], current.b[kept], shares[kept])
    return Consensus(by_size(number_from_zero(found[0])), first)


def _choose_edges(graph: Graph, shares: Weights) -> NDArray[np.bool_]:
    """Return which edges have a share of ``MIN_SHARE``, or the largest one of a node that has none of these.

    Lancichinetti and Fortunato keep that edge, so that no node becomes a community of its own.
    """
    kept = shares >= MIN_SHARE
    linked = np.zeros(len(graph.ids), bool)
    linked[graph.a[kept]] = linked[graph.b[kept]] = True
    node, edge = np.concatenate([graph.a, graph.b]), np.tile(np.arange(len(shares)), 2)
    node, edge = node[~linked[node]], edge[~linked[node]]
    order = np.lexsort((edge, -graph.weights[edge], -shares[edge], node))
    _, first = np.unique(node[order], return_index=True)
    kept[edge[order[first]]] = True
    return kept & (shares > 0)


def _share_together(graph: Graph, runs: Sequence[Numbers]) -> Weights:
    """Return the share of runs in which both ends of each edge are together."""
    together = np.zeros(len(graph.a))
    for groups in runs:
        together += groups[graph.a] == groups[graph.b]
    return together / len(runs)


def measure_stability(groups: Numbers, runs: Sequence[Numbers]) -> Weights:
    """Return, for each node, how often it is with another member of its community, over all runs: 0 to 1.

    The communities of the runs are numbered from 0; -1 is none. A member alone in its community counts as
    stable in the runs in which it is alone as well.
    """
    if not len(groups):
        return np.empty(0)
    total = np.zeros(len(groups))
    size = np.bincount(groups)[groups]
    for run in runs:
        known = run >= 0
        width = int(run.max(initial=0)) + 2
        # The members of a node's community that are in the same community of the run.
        _, cell, members = np.unique(groups * width + run + 1, return_inverse=True, return_counts=True)
        with_own = members[cell] - 1
        alone = np.bincount(run[known], minlength=width)[np.maximum(run, 0)] == 1
        share = np.where(size > 1, with_own / np.maximum(1, size - 1), alone)
        total += np.where(known, share, 0.0)
    shares: NDArray[np.float64] = total / len(runs)
    return shares
