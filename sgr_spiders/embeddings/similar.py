"""What is nearest to a track, a user or an artist, in one of three ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import unit
from sgr_spiders.embeddings.index import look_up
from sgr_spiders.embeddings.walk import Walk
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage import neighbours, vectors

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.storage.neighbours import Incidence
    from sgr_spiders.storage.store import Connection

WALK, PLAYLISTS, VECTORS = "walk", "playlists", "vectors"
WAYS = (WALK, PLAYLISTS, VECTORS)
EVIDENCE = {
    "track": ("shared_fans", "shared_playlists"),
    "user": ("shared_likes", "shared_in_playlists"),
    "artist": ("shared_fans", "shared_playlists"),
}
"""What is counted, over likes and over playlists: for users the tracks both like, or have in playlists of
theirs.
"""


@dataclass(frozen=True, slots=True)
class Similar:
    """*score*: how likely a walk comes there, or the cosine of the vectors. *shared*: as ``EVIDENCE`` names
    it.
    """

    id: int
    score: float
    name: str | None
    shared: tuple[int, int]


def find_similar(
    connection: Connection, kind: str, node: int, *, by: str, method: str, limit: int
) -> list[Similar]:
    """Give the *limit* nearest to *node*, a track, user or artist: the nearest first.

    *by*: ``walk`` over likes, ``playlists`` for a walk over those, ``vectors`` for the cosine of the vectors
    that *method* made. Raises ``ArgumentError`` if the database does not know the node, or has no vector of
    it.
    """
    if not neighbours.is_known(connection, kind, node):
        raise ArgumentError(f"{kind} {node} is not in this database")
    if by == VECTORS:
        ids, scores = _by_vectors(connection, kind, node, method, limit)
    else:
        incidences = neighbours.FANS if by == WALK else neighbours.PLAYLISTS
        ids, scores = _by_walk(connection, incidences[kind], node, limit)
    found = ids.tolist()
    names = neighbours.read_names(connection, kind, found)
    over_likes, over_playlists = (
        neighbours.count_shared(connection, incidences[kind], node, found)
        for incidences in (neighbours.FANS, neighbours.PLAYLISTS)
    )
    return [
        Similar(one, float(score), names.get(one), (over_likes[one], over_playlists[one]))
        for one, score in zip(found, scores, strict=True)
    ]


def _by_walk(connection: Connection, incidence: Incidence, node: int, limit: int) -> tuple[Numbers, Array]:
    contexts, nodes = neighbours.read_neighbourhood(connection, incidence, node)
    if not len(nodes):
        return nodes, np.empty(0, np.float32)
    rows, row = np.unique(contexts, return_inverse=True)
    ids, column = np.unique(nodes, return_inverse=True)
    # All that stands in the node's contexts is here, so the steps from it are those of the whole matrix.
    matrix = sp.csr_array((np.ones(len(row), np.float32), (row, column)), shape=(len(rows), len(ids)))
    likely = Walk(matrix, neighbours=limit).reached(np.searchsorted(ids, [node]))
    return _nearest_first(ids[likely.indices], likely.data, limit)


def _by_vectors(
    connection: Connection, kind: str, node: int, method: str, limit: int
) -> tuple[Numbers, Array]:
    if (indexed := look_up(connection, kind, method, node, limit)) is not None:
        return indexed
    placed = vectors.read_vectors(connection, kind, method)
    row = int(np.searchsorted(placed.ids, node))
    if row == len(placed.ids) or placed.ids[row] != node:
        raise ArgumentError(without_vector(connection, f"{kind} {node}", method))
    directions = unit(placed.vectors)
    cosines = directions @ directions[row]
    cosines[row] = -np.inf
    found, scores = _nearest_first(placed.ids, cosines, limit)
    return found[scores > 0], scores[scores > 0]


def without_vector(connection: Connection, what: str, method: str) -> str:
    """Say in one line why there is no vector of *what*."""
    if vectors.latest(connection, method) is None:
        return (
            f"no vectors of method {method} are in this database: `scrapy embed --method {method}` makes them"
        )
    return f"{what} has no {method} vector: nothing was known of it when `scrapy embed` made them"


def _nearest_first(ids: Numbers, scores: Array, limit: int) -> tuple[Numbers, Array]:
    order = np.lexsort((ids, -scores))[:limit]
    return ids[order], scores[order]
