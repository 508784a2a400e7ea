"""Communities of tracks: groups of vectors with similar directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.vq import ClusterError, kmeans2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array, Numbers

MAX_COMMUNITIES = 12
"""More cannot be distinguished by colour."""
NEIGHBOURS = 15
STARTS = 4
"""Starts of k-means for each number of communities."""


def find_communities(directions: Array, random_seed: int = 1) -> Numbers:
    """Return the community of each unit vector; 0 is the largest.

    k-means on directions (Dhillon and Modha, Concept Decompositions, Machine Learning 2001). The number of
    groups is the one with the best modularity (Newman and Girvan, Physical Review E 2004) in the graph of
    nearest neighbours.
    """
    count = len(directions)
    if count < 3:
        return np.zeros(count, np.int64)
    graph = _graph(directions)
    random = np.random.default_rng(random_seed)
    best, groups = -1.0, np.zeros(count, np.int64)
    for number in range(2, min(MAX_COMMUNITIES, count - 1) + 1):
        for _ in range(STARTS):
            try:
                _, found = kmeans2(directions, number, minit="++", rng=random, missing="raise")
            except ClusterError:
                continue  # a group is empty: there are fewer groups
            value = _modularity(graph, found)
            if value > best + 1e-9:
                best, groups = value, found
    order = np.argsort(-np.bincount(groups), kind="stable")
    return np.argsort(order, kind="stable")[groups]


def _graph(directions: Array) -> NDArray[np.bool_]:
    cosines = directions @ directions.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : min(NEIGHBOURS, len(directions) - 1)]
    linked = np.zeros(cosines.shape, bool)
    np.put_along_axis(linked, nearest, values=True, axis=1)
    return linked | linked.T


def _modularity(graph: NDArray[np.bool_], groups: Numbers) -> float:
    member = np.eye(int(groups.max()) + 1)[groups]
    ends = graph.sum(axis=1) @ member
    within = np.einsum("ij,ij->j", member, graph.astype(np.float32) @ member)
    return float((within / ends.sum() - (ends / ends.sum()) ** 2).sum())
