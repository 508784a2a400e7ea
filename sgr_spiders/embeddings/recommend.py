"""Recommendations for a user, with the liked tracks that explain them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Library, unit
from sgr_spiders.embeddings.interactions import read_interactions
from sgr_spiders.embeddings.recommenders import METHODS
from sgr_spiders.embeddings.similar import PLAYLISTS, VECTORS, WALK, explain_missing_vector
from sgr_spiders.embeddings.walk import RandomWalk
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage import interactions_read, neighbours, vectors
from sgr_spiders.storage.libraries import USUAL

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.storage.libraries import Inclusion
    from sgr_spiders.storage.store import Connection
    from sgr_spiders.storage.vectors import Placed, VectorRun

MAX_REASONS = 3
"""Liked tracks to name per recommendation."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A liked track, with the fans and playlists it shares with the recommended track."""

    id: int
    title: str | None
    shared_fans: int
    shared_playlists: int


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A recommended track. *score* is comparable only for the same user and neighbour source."""

    id: int
    score: float
    title: str | None
    because: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Ranked tracks. *support*: one row per library track, its contribution to each of *tracks*."""

    tracks: Numbers
    scores: Array
    support: Array


def recommend(
    connection: Connection, user: int, *, by: str, method: str, limit: int, include: Inclusion = USUAL
) -> list[Recommendation]:
    """Return the *limit* best tracks for *user* that the user does not like yet.

    *by* and *include*: as for ``find_similar``.

    Raises:
        ArgumentError: the user is unknown or likes no tracks, or there are no vectors.
    """
    if not neighbours.is_known(connection, "user", user):
        raise ArgumentError(f"user {user} is not in this database")
    library = neighbours.read_library(connection, user, include.rows)
    if not len(library):
        raise ArgumentError(f"user {user}: no liked tracks in this database, so nothing can be recommended")
    if by == VECTORS:
        ranked = _by_vectors(connection, user, library, method, limit, include)
    else:
        ranked = _by_walk(*{WALK: _likes, PLAYLISTS: _memberships}[by](connection, include), library, limit)
    return _explain(connection, ranked, library, include)


def _likes(connection: Connection, include: Inclusion) -> tuple[sp.csr_array, Numbers]:
    interactions = read_interactions(connection, include=include)
    return interactions.matrix, interactions.tracks


def _memberships(connection: Connection, include: Inclusion) -> tuple[sp.csr_array, Numbers]:
    groups, _ = interactions_read.read_memberships(connection, include.rows)
    tracks, column = np.unique(groups.members, return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(groups.sizes)])
    ones = np.ones(len(column), np.float32)
    matrix = sp.csr_array((ones, column, starts), shape=(len(groups.owners), len(tracks)))
    matrix.sort_indices()
    return matrix, tracks


def _by_walk(matrix: sp.csr_array, tracks: Numbers, library: Numbers, limit: int) -> _Ranked:
    own = np.flatnonzero(np.isin(tracks, library))
    reached = RandomWalk(matrix).reach(own)
    scores = np.asarray(reached.sum(axis=0), np.float32)
    scores[own] = 0
    best = _largest(scores, limit)
    support = np.zeros((len(library), len(best)), np.float32)
    support[np.isin(library, tracks)] = reached[:, best].toarray()
    return _Ranked(tracks[best], scores[best], support)


def _by_vectors(
    connection: Connection, user: int, library: Numbers, method: str, limit: int, include: Inclusion
) -> _Ranked:
    placed = vectors.read_vectors(connection, "track", method)
    run = vectors.latest(connection, method)
    own = np.flatnonzero(np.isin(placed.ids, library))
    if run is None or not len(own):
        raise ArgumentError(explain_missing_vector(connection, f"the library of user {user}", method))
    scores = placed.vectors @ _user_vector(connection, user, placed, own, run)
    scores[own] = -np.inf
    scores[np.isin(placed.ids, neighbours.read_removed(connection, "track", include))] = -np.inf
    best = _largest(scores, limit)
    directions = unit(placed.vectors)
    support = np.full((len(library), len(best)), -1, np.float32)
    support[np.isin(library, placed.ids)] = directions[own] @ directions[best].T
    return _Ranked(placed.ids[best], scores[best], support)


def _user_vector(connection: Connection, user: int, tracks: Placed, own: Numbers, run: VectorRun) -> Array:
    """Return the learned vector, or one computed from the library of a user who was not trained on."""
    learned = vectors.read_vector(connection, "user", run.method, user)
    if learned is not None:
        return learned
    fans = tracks.columns["fans"][own].astype(np.float32)
    ones = np.ones(len(own), np.float32)
    return METHODS[run.method]().fold_in(Library(tracks.vectors, own, fans, ones))


def _largest(scores: Array, limit: int) -> Numbers:
    order = np.argsort(-scores, kind="stable")[:limit]
    return order[scores[order] > 0]


def _explain(
    connection: Connection, ranked: _Ranked, library: Numbers, include: Inclusion
) -> list[Recommendation]:
    order = np.argsort(-ranked.support, axis=0, kind="stable")[:MAX_REASONS]
    supports = np.take_along_axis(ranked.support, order, axis=0) > 0
    names = neighbours.read_names(
        connection, "track", {*ranked.tracks.tolist(), *library[order].ravel().tolist()}
    )
    found = []
    for rank, track in enumerate(ranked.tracks.tolist()):
        reasons = library[order[supports[:, rank], rank]].tolist()
        fans, playlists = (
            neighbours.count_shared(connection, incidences["track"], track, reasons, include)
            for incidences in (neighbours.FANS, neighbours.PLAYLISTS)
        )
        because = tuple(Reason(liked, names.get(liked), fans[liked], playlists[liked]) for liked in reasons)
        found.append(Recommendation(track, float(ranked.scores[rank]), names.get(track), because))
    return found
