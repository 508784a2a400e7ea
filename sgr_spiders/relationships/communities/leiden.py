"""Communities of a graph: the Leiden method, as the optional package igraph implements it.

Traag, Waltman and van Eck, From Louvain to Leiden: guaranteeing well-connected communities (Scientific
Reports 2019, 5233). igraph's implementation in C takes a tenth of the time of the package leidenalg.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import igraph
import numpy as np

if TYPE_CHECKING:
    from sgr_spiders.relationships.communities.graph import Graph, Numbers


class Leiden:
    """Finds communities of one graph by modularity."""

    def __init__(self, graph: Graph, resolution: float) -> None:
        self._graph = igraph.Graph(n=len(graph.ids), edges=np.stack([graph.a, graph.b], axis=1))
        self._weights = graph.weights.tolist()
        self._resolution = resolution

    def find(self, random_seed: int) -> Numbers:
        """Return the community of each node."""
        igraph.set_random_number_generator(random.Random(random_seed))  # noqa: S311 - not for secrets
        try:
            # Until nothing moves any more.
            found = self._graph.community_leiden(
                "modularity", weights=self._weights, resolution=self._resolution, n_iterations=-1
            )
        finally:
            igraph.set_random_number_generator(random)
        return np.array(found.membership, np.int64)
