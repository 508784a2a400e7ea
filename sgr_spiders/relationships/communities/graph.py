"""The graph that communities are found in, and numbers of communities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Graph:
    """An undirected graph: edge i joins the nodes at ``a[i]`` and ``b[i]`` in ``ids``, which ascend."""

    ids: Numbers
    a: Numbers
    b: Numbers
    weights: Weights

    @classmethod
    def of_pairs(cls, a: Numbers, b: Numbers, weights: Weights) -> Graph:
        """Return the graph of these pairs of IDs."""
        ids = np.unique(np.concatenate([a, b]))
        return cls(ids, np.searchsorted(ids, a), np.searchsorted(ids, b), weights)


def modularity(graph: Graph, groups: Numbers, resolution: float = 1.0) -> float:
    """Return the modularity of these communities.

    Newman and Girvan, Finding and evaluating community structure in networks (Physical Review E 2004,
    026113): the share of the weight inside communities, less the share to expect from the strengths.
    """
    whole = graph.weights.sum()
    if not whole:
        return 0.0
    size = int(groups.max()) + 1
    strengths = np.bincount(groups[graph.a], graph.weights, minlength=size)
    strengths += np.bincount(groups[graph.b], graph.weights, minlength=size)
    inside = graph.weights[groups[graph.a] == groups[graph.b]].sum()
    return float(inside / whole - resolution * ((strengths / (2 * whole)) ** 2).sum())


def number_from_zero(groups: Numbers) -> Numbers:
    """Return the communities numbered from 0, in the order of their first nodes."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first, kind="stable"), kind="stable")
    numbered: Numbers = rank[inverse]
    return numbered


def by_size(groups: Numbers) -> Numbers:
    """Return communities, which are numbered from 0, numbered by their size; 0 is the largest."""
    if not len(groups):
        return groups
    order = np.argsort(-np.bincount(groups), kind="stable")
    numbered: Numbers = np.argsort(order, kind="stable")[groups]
    return numbered
