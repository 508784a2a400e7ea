"""What a user may like, and which of the user's own tracks speak for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Library, unit
from sgr_spiders.embeddings.interactions import read_interactions
from sgr_spiders.embeddings.recommenders import METHODS
from sgr_spiders.embeddings.similar import PLAYLISTS, VECTORS, WALK, without_vector
from sgr_spiders.embeddings.walk import Walk
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage import interactions_read, neighbours, vectors

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.storage.store import Connection
    from sgr_spiders.storage.vectors import Placed, VectorRun

REASONS = 3
"""Of the user's tracks, those that speak most for a recommendation."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A track of the user's: how many fans and playlists it shares with the one recommended."""

    id: int
    title: str | None
    shared_fans: int
    shared_playlists: int


@dataclass(frozen=True, slots=True)
class Recommendation:
    """*score*: how much it is recommended; it compares within one user and one way only."""

    id: int
    score: float
    title: str | None
    because: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Ranked:
    """*support*: for each track of the library a row, how much it speaks for each of *tracks*."""

    tracks: Numbers
    scores: Array
    support: Array


def recommend(connection: Connection, user: int, *, by: str, method: str, limit: int) -> list[Recommendation]:
    """Give the *limit* tracks recommended most to *user*, none of which the user likes already.

    *by*: as for ``find_similar``. Raises ``ArgumentError`` if nothing is known of the user, or there are no
    vectors.
    """
    if not neighbours.is_known(connection, "user", user):
        raise ArgumentError(f"user {user} is not in this database")
    library = neighbours.read_library(connection, user)
    if not len(library):
        raise ArgumentError(
            f"user {user}: no track is known that this user likes, so nothing can be recommended"
        )
    if by == VECTORS:
        ranked = _by_vectors(connection, user, library, method, limit)
    else:
        ranked = _by_walk(*{WALK: _likes, PLAYLISTS: _memberships}[by](connection), library, limit)
    return _explained(connection, ranked, library)


def _likes(connection: Connection) -> tuple[sp.csr_array, Numbers]:
    interactions = read_interactions(connection)
    return interactions.matrix, interactions.tracks


def _memberships(connection: Connection) -> tuple[sp.csr_array, Numbers]:
    groups, _ = interactions_read.read_memberships(connection)
    tracks, column = np.unique(groups.members, return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(groups.sizes)])
    ones = np.ones(len(column), np.float32)
    matrix = sp.csr_array((ones, column, starts), shape=(len(groups.owners), len(tracks)))
    matrix.sort_indices()
    return matrix, tracks


def _by_walk(matrix: sp.csr_array, tracks: Numbers, library: Numbers, limit: int) -> _Ranked:
    own = np.flatnonzero(np.isin(tracks, library))
    reached = Walk(matrix).reached(own)
    scores = np.asarray(reached.sum(axis=0), np.float32)
    scores[own] = 0
    best = _largest(scores, limit)
    support = np.zeros((len(library), len(best)), np.float32)
    support[np.isin(library, tracks)] = reached[:, best].toarray()
    return _Ranked(tracks[best], scores[best], support)


def _by_vectors(connection: Connection, user: int, library: Numbers, method: str, limit: int) -> _Ranked:
    placed = vectors.read_vectors(connection, "track", method)
    made = vectors.latest(connection, method)
    own = np.flatnonzero(np.isin(placed.ids, library))
    if made is None or not len(own):
        raise ArgumentError(without_vector(connection, f"what user {user} likes", method))
    scores = placed.vectors @ _user_vector(connection, user, placed, own, made)
    scores[own] = -np.inf
    best = _largest(scores, limit)
    directions = unit(placed.vectors)
    support = np.full((len(library), len(best)), -1, np.float32)
    support[np.isin(library, placed.ids)] = directions[own] @ directions[best].T
    return _Ranked(placed.ids[best], scores[best], support)


def _user_vector(connection: Connection, user: int, tracks: Placed, own: Numbers, made: VectorRun) -> Array:
    """Give the vector that was learned, or one made of the library for a user who came later."""
    learned = vectors.read_vector(connection, "user", made.method, user)
    if learned is not None:
        return learned
    fans = tracks.columns["fans"][own].astype(np.float32)
    ones = np.ones(len(own), np.float32)
    return METHODS[made.method]().fold_in(Library(tracks.vectors, own, fans, ones))


def _largest(scores: Array, limit: int) -> Numbers:
    order = np.argsort(-scores, kind="stable")[:limit]
    return order[scores[order] > 0]


def _explained(connection: Connection, ranked: _Ranked, library: Numbers) -> list[Recommendation]:
    order = np.argsort(-ranked.support, axis=0, kind="stable")[:REASONS]
    speaking = np.take_along_axis(ranked.support, order, axis=0) > 0
    names = neighbours.read_names(
        connection, "track", {*ranked.tracks.tolist(), *library[order].ravel().tolist()}
    )
    found = []
    for place, track in enumerate(ranked.tracks.tolist()):
        reasons = library[order[speaking[:, place], place]].tolist()
        fans, playlists = (
            neighbours.count_shared(connection, incidences["track"], track, reasons)
            for incidences in (neighbours.FANS, neighbours.PLAYLISTS)
        )
        because = tuple(Reason(one, names.get(one), fans[one], playlists[one]) for one in reasons)
        found.append(Recommendation(track, float(ranked.scores[place]), names.get(track), because))
    return found
