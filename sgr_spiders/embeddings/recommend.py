"""Recommendations for a user, with the liked tracks that explain them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Library, unit
from sgr_spiders.embeddings.ranking import rank
from sgr_spiders.embeddings.recommenders import METHODS
from sgr_spiders.embeddings.similar import (
    ENOUGH,
    OVER_LIKES,
    OVER_PLAYLISTS,
    PLAYLIST_WALK,
    VECTORS,
    WALK,
    Evidence,
    explain_missing_vector,
)
from sgr_spiders.embeddings.walk import RandomWalk
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage import neighbours, vectors
from sgr_spiders.storage.libraries import LEFT_OUT, USUAL
from sgr_spiders.storage.lookup import is_among
from sgr_spiders.storage.neighbours import FANS, PLAYLISTS, NeighbourReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.embeddings.ranking import Ranked
    from sgr_spiders.storage.libraries import Inclusion
    from sgr_spiders.storage.store import Connection
    from sgr_spiders.storage.vectors import Placed, VectorRun

RECOMMENDATION_SOURCES = (WALK, PLAYLIST_WALK, VECTORS)
MAX_LINKS = 4_000_000
"""Likes by the fans of a library, or tracks in its playlists, to read; beyond it, a sample."""
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
    """A recommended track.

    *score* is comparable only for the same user and neighbour source. *rank* and *tied*: as in ``Similar``.
    *weak_evidence*: the user likes fewer than ``ENOUGH`` tracks, or no reason shares as many fans or
    playlists, whichever the walk goes over. Vectors rest on the whole model, not on what the reasons share.
    """

    id: int
    score: float
    title: str | None
    rank: int
    tied: int
    weak_evidence: bool
    because: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Recommended:
    """The recommended tracks; *evidence*: the fans or playlists of the user's tracks, or the tracks."""

    evidence: Evidence
    found: list[Recommendation]


@dataclass(frozen=True, slots=True)
class _Scored:
    """Tracks in ascending order, and their scores.

    *support* returns, for some places in *tracks*, the contribution of each library track, one per row.
    *over*: the place in ``EVIDENCE`` of the counts that the scores rest on; ``None``: on a model.
    """

    evidence: Evidence
    tracks: Numbers
    scores: Array
    support: Callable[[Numbers], Array]
    over: int | None = None


def recommend(
    connection: Connection, user: int, *, by: str, method: str, limit: int, include: Inclusion = USUAL
) -> Recommended:
    """Return the *limit* best tracks for *user* that the user does not like yet.

    *by*: ``walk``, ``playlists`` or ``vectors``. *by* and *include* are as for ``find_similar``.

    Raises:
        ArgumentError: the user is unknown or likes no tracks, or there are no vectors.
    """
    if not neighbours.is_known(connection, "user", user):
        raise ArgumentError(f"user {user} is not in this database")
    library = neighbours.read_library(connection, user, include.rows)
    if not len(library):
        raise ArgumentError(f"user {user}: no liked tracks in this database, so nothing can be recommended")
    fans, playlists = (NeighbourReader(connection, over["track"], include) for over in (FANS, PLAYLISTS))
    if by == VECTORS:
        scored = _by_vectors(connection, user, library, method)
    else:
        over = OVER_LIKES if by == WALK else OVER_PLAYLISTS
        scored = _by_walk((fans, playlists)[over], library, over)
    known = np.union1d(library, neighbours.read_removed(connection, "track", include))
    new = (scored.scores > 0) & ~is_among(scored.tracks, known)
    ranked = rank(user, scored.tracks[new], scored.scores[new], limit)
    found = _explain(connection, ranked, library, scored, (fans, playlists))
    return Recommended(scored.evidence, found)


def _by_walk(reader: NeighbourReader, library: Numbers, over: int) -> _Scored:
    contexts, left_out = reader.contexts_of(*library.tolist())
    near = reader.read(contexts, MAX_LINKS)
    tracks, column = np.unique(near.nodes, return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(near.sizes)])
    ones = np.ones(len(column), np.float32)
    matrix = sp.csr_array((ones, column, starts), shape=(len(near.sizes), len(tracks)))
    matrix.sort_indices()
    # The matrix contains all contexts of the library, so its steps equal those of the whole matrix,
    # unless they are sampled.
    reached = RandomWalk(matrix).reach(np.flatnonzero(is_among(tracks, library)))
    scores = np.asarray(reached.sum(axis=0), np.float32)

    def support(places: Numbers) -> Array:
        return _by_library(library, tracks, reached[:, places].toarray())

    evidence = Evidence(reader.word, len(contexts), len(near.sizes), left_out)
    return _Scored(evidence, tracks, scores, support, over)


def _by_vectors(connection: Connection, user: int, library: Numbers, method: str) -> _Scored:
    placed = vectors.read_vectors(connection, "track", method)
    run = vectors.latest(connection, method)
    own = np.flatnonzero(is_among(placed.ids, library))
    if run is None or not len(own):
        raise ArgumentError(explain_missing_vector(connection, f"the library of user {user}", method))
    scores = placed.vectors @ _user_vector(connection, user, placed, own, run)
    directions = unit(placed.vectors)

    def support(places: Numbers) -> Array:
        return _by_library(library, placed.ids, directions[own] @ directions[places].T)

    evidence = Evidence("tracks", len(library), len(library), run.inputs.get(LEFT_OUT, 0))
    return _Scored(evidence, placed.ids, scores, support)


def _by_library(library: Numbers, tracks: Numbers, rows: Array) -> Array:
    """Return *rows*, of the library tracks that are among *tracks*, with zeros for the others."""
    support = np.zeros((len(library), rows.shape[1]), np.float32)
    support[is_among(library, tracks)] = rows
    return support


def _user_vector(connection: Connection, user: int, tracks: Placed, own: Numbers, run: VectorRun) -> Array:
    """Return the learned vector, or one computed from the library of a user who was not trained on."""
    learned = vectors.read_vector(connection, "user", run.method, user)
    if learned is not None:
        return learned
    fans = tracks.columns["fans"][own].astype(np.float32)
    ones = np.ones(len(own), np.float32)
    return METHODS[run.method]().fold_in(Library(tracks.vectors, own, fans, ones))


def _explain(
    connection: Connection,
    ranked: Ranked,
    library: Numbers,
    scored: _Scored,
    readers: tuple[NeighbourReader, NeighbourReader],
) -> list[Recommendation]:
    support = scored.support(np.searchsorted(scored.tracks, ranked.ids))
    order = np.argsort(-support, axis=0, kind="stable")[:MAX_REASONS]
    supports = np.take_along_axis(support, order, axis=0) > 0
    names = neighbours.read_names(
        connection, "track", {*ranked.ids.tolist(), *library[order].ravel().tolist()}
    )
    found = []
    for place, (track, score, position, tied) in enumerate(
        zip(*(column.tolist() for column in ranked), strict=True)
    ):
        reasons = library[order[supports[:, place], place]]
        shared = [reader.count_shared(reasons, reader.contexts_of(track).ids).tolist() for reader in readers]
        because = tuple(
            Reason(liked, names.get(liked), fans, playlists)
            for liked, fans, playlists in zip(reasons.tolist(), *shared, strict=True)
        )
        is_rare = len(library) < ENOUGH
        weak = is_rare or (scored.over is not None and max(shared[scored.over], default=0) < ENOUGH)
        found.append(Recommendation(track, score, names.get(track), position, tied, weak, because))
    return found
