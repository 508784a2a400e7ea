"""The neighbours of a track, a user or an artist, from one of three sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import unit
from sgr_spiders.embeddings.index import search_index
from sgr_spiders.embeddings.walk import RandomWalk
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage import neighbours, vectors
from sgr_spiders.storage.libraries import LEFT_OUT, USUAL
from sgr_spiders.text.invocation import command, plain_command

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.storage.libraries import Inclusion
    from sgr_spiders.storage.neighbours import Incidence
    from sgr_spiders.storage.store import Connection

WALK, PLAYLISTS, VECTORS = "walk", "playlists", "vectors"
NEIGHBOUR_SOURCES = (WALK, PLAYLISTS, VECTORS)
EVIDENCE = {
    "track": ("shared_fans", "shared_playlists"),
    "user": ("shared_likes", "shared_in_playlists"),
    "artist": ("shared_fans", "shared_playlists"),
}
"""The names of the shared counts over likes and over playlists."""


@dataclass(frozen=True, slots=True)
class Similar:
    """A neighbour. *score*: the walk probability or the cosine. *shared*: the counts in ``EVIDENCE``."""

    id: int
    score: float
    name: str | None
    shared: tuple[int, int]


def find_similar(  # noqa: PLR0913 - all but the node are options of the command
    connection: Connection,
    kind: str,
    node: int,
    *,
    by: str,
    method: str,
    limit: int,
    include: Inclusion = USUAL,
) -> list[Similar]:
    """Return the *limit* nearest neighbours of *node*, a track, user or artist, nearest first.

    *by*: ``walk`` (over likes), ``playlists`` (a walk over playlists) or ``vectors`` (the cosine of the
    vectors of *method*). *include*: what to include besides present rows of libraries that were looked at;
    it does not change the vectors.

    Raises:
        ArgumentError: the node is not in the database, or has no vector.
    """
    if not neighbours.is_known(connection, kind, node):
        raise ArgumentError(f"{kind} {node} is not in this database")
    if by == VECTORS:
        ids, scores = _by_vectors(connection, kind, node, method, limit, include)
    else:
        incidences = neighbours.FANS if by == WALK else neighbours.PLAYLISTS
        ids, scores = _by_walk(connection, incidences[kind], node, limit, include)
    found = ids.tolist()
    names = neighbours.read_names(connection, kind, found)
    over_likes, over_playlists = (
        neighbours.count_shared(connection, incidences[kind], node, found, include)
        for incidences in (neighbours.FANS, neighbours.PLAYLISTS)
    )
    return [
        Similar(
            neighbour, float(score), names.get(neighbour), (over_likes[neighbour], over_playlists[neighbour])
        )
        for neighbour, score in zip(found, scores, strict=True)
    ]


def count_left_out(
    connection: Connection, kind: str, node: int, *, by: str, method: str, include: Inclusion
) -> int:
    """Return the number of users around *node* that were left out because their libraries were not looked at.

    Of vectors, it is the number left out when they were learned.
    """
    if by == VECTORS:
        run = vectors.latest(connection, method)
        return 0 if run is None else run.inputs.get(LEFT_OUT, 0)
    incidences = neighbours.FANS if by == WALK else neighbours.PLAYLISTS
    return neighbours.count_left_out(connection, incidences[kind], node, include)


def _by_walk(
    connection: Connection, incidence: Incidence, node: int, limit: int, include: Inclusion
) -> tuple[Numbers, Array]:
    contexts, nodes = neighbours.read_neighbourhood(connection, incidence, node, include)
    if not len(nodes):
        return nodes, np.empty(0, np.float32)
    rows, row = np.unique(contexts, return_inverse=True)
    ids, column = np.unique(nodes, return_inverse=True)
    # The neighbourhood contains all contexts of the node, so its steps equal those of the whole matrix.
    matrix = sp.csr_array((np.ones(len(row), np.float32), (row, column)), shape=(len(rows), len(ids)))
    likely = RandomWalk(matrix, neighbours=limit).reach(np.searchsorted(ids, [node]))
    return _take_nearest(ids[likely.indices], likely.data, limit)


def _by_vectors(
    connection: Connection, kind: str, node: int, method: str, limit: int, include: Inclusion
) -> tuple[Numbers, Array]:
    removed = neighbours.read_removed(connection, kind, include)
    if (indexed := search_index(connection, kind, method, node, limit + len(removed))) is not None:
        ids, scores = indexed
        kept = ~np.isin(ids, removed)
        return ids[kept][:limit], scores[kept][:limit]
    placed = vectors.read_vectors(connection, kind, method)
    row = int(np.searchsorted(placed.ids, node))
    if row == len(placed.ids) or placed.ids[row] != node:
        raise ArgumentError(explain_missing_vector(connection, f"{kind} {node}", method))
    directions = unit(placed.vectors)
    cosines = directions @ directions[row]
    cosines[row] = -np.inf
    cosines[np.isin(placed.ids, removed)] = -np.inf
    found, scores = _take_nearest(placed.ids, cosines, limit)
    return found[scores > 0], scores[scores > 0]


def explain_missing_vector(connection: Connection, what: str, method: str) -> str:
    """Return why *what* has no vector."""
    if vectors.latest(connection, method) is None:
        return f"no {method} vectors in this database; run `{command('embed', '--method', method)}`"
    return f"{what} has no {method} vector: no data on it when `{plain_command('embed')}` ran"


def _take_nearest(ids: Numbers, scores: Array, limit: int) -> tuple[Numbers, Array]:
    order = np.lexsort((ids, -scores))[:limit]
    return ids[order], scores[order]
