"""Recommendations for a user or for the end of a playlist, with the tracks that explain them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.base import Library, unit
from sgr_spiders.embeddings.blend_search import (
    BLEND,
    BlendSearch,
    explain_missing_blend,
    find_blend,
    weigh_by_place,
)
from sgr_spiders.embeddings.ranking import Ranked, rank
from sgr_spiders.embeddings.recommenders import METHODS
from sgr_spiders.embeddings.reranking import AS_SCORED, Reranker, count_candidates
from sgr_spiders.embeddings.sequence import SequenceWalk, recency
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
from sgr_spiders.storage.labels import read_labels
from sgr_spiders.storage.libraries import LEFT_OUT, USUAL
from sgr_spiders.storage.lookup import is_among
from sgr_spiders.storage.neighbours import FANS, PLAYLISTS, Neighbourhood, NeighbourReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.embeddings.blend_search import LearnedBlend
    from sgr_spiders.embeddings.reranking import Reranking
    from sgr_spiders.storage.libraries import Inclusion
    from sgr_spiders.storage.neighbours import Contexts
    from sgr_spiders.storage.store import Connection
    from sgr_spiders.storage.vectors import Placed, VectorRun

SEQUENCE = "sequence"
RECOMMENDATION_SOURCES = (BLEND, WALK, PLAYLIST_WALK, VECTORS)
"""The sources for a user, the default first."""
CONTINUATION_SOURCES = (SEQUENCE, BLEND, WALK, PLAYLIST_WALK, VECTORS)
"""The sources for a playlist, the default first."""
MAX_LINKS = 4_000_000
"""Likes by the fans of a library, or tracks in its playlists, to read; beyond it, a sample."""
MAX_REASONS = 3
"""Own tracks to name per recommendation."""
FANS_SHARE = 0.3
"""The weight of fans beside playlists with the same tracks, where a playlist is continued."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A track of the library, with the fans and playlists it shares with the recommended track."""

    id: int
    title: str | None
    shared_fans: int
    shared_playlists: int


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A recommended track.

    *score* is comparable only for the same library and neighbour source. *rank* and *tied*: as in
    ``Similar``; with a reranking, each has its own rank. *weak_evidence*: the library has fewer than
    ``ENOUGH`` tracks, or no reason shares as many fans or playlists, whichever the walk goes over. Vectors
    rest on the whole model, not on what the reasons share.
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
    """The recommended tracks, by the source *by*.

    *evidence*: the fans or playlists of the library's tracks, or the tracks. *fallback*: why *by* is not the
    default source.
    """

    by: str
    evidence: Evidence
    found: list[Recommendation]
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class _Start:
    """A user or playlist to recommend to.

    *library*: the tracks, in ascending order. *places*: their places in the playlist.
    """

    kind: str
    id: int
    library: Numbers
    places: Numbers


@dataclass(frozen=True, slots=True)
class _Scored:
    """Tracks in ascending order, and their scores.

    *support* returns, for some places in *tracks*, the contribution of each library track, one per row.
    *over*: the places in ``EVIDENCE`` of the counts that the scores rest on; none if they rest on a model.
    """

    evidence: Evidence
    tracks: Numbers
    scores: Array
    support: Callable[[Numbers], Array]
    over: tuple[int, ...] = ()
    used: int | None = None
    """The tracks of the library that the scores rest on; ``None``: all."""


def recommend(  # noqa: PLR0913 - all but the user are options of the command
    connection: Connection,
    user: int,
    *,
    by: str | None = None,
    method: str = "svd",
    limit: int = 10,
    include: Inclusion = USUAL,
    reranking: Reranking = AS_SCORED,
) -> Recommended:
    """Return the *limit* best tracks for *user* that the user does not like yet.

    *by*: one of ``RECOMMENDATION_SOURCES``; ``None``: ``blend``, or ``walk`` if no blend was learned that
    knows a track of the library. *by* and *include* are as for ``find_similar``.

    Raises:
        ArgumentError: the user is unknown or likes no tracks, or there are no vectors.
    """
    if not neighbours.is_known(connection, "user", user):
        raise ArgumentError(f"user {user} is not in this database")
    library = neighbours.read_library(connection, user, include.rows)
    if not len(library):
        raise ArgumentError(f"user {user}: no liked tracks in this database, so nothing can be recommended")
    start = _Start("user", user, library, np.zeros_like(library))
    search = _Search(connection, start, method, include)
    if by is not None or search.learned is not None:
        return search.find(by or BLEND, limit, reranking)
    return replace(search.find(WALK, limit, reranking), fallback=search.explain_missing_blend())


def continue_playlist(  # noqa: PLR0913 - all but the playlist are options of the command
    connection: Connection,
    playlist: int,
    *,
    by: str | None = None,
    method: str = "svd",
    limit: int = 10,
    include: Inclusion = USUAL,
    reranking: Reranking = AS_SCORED,
) -> Recommended:
    """Return the *limit* best tracks to continue *playlist* with.

    *by*: one of ``CONTINUATION_SOURCES``; ``None``: ``sequence``, which alone takes the order of the tracks
    into account.

    Raises:
        ArgumentError: the playlist is unknown or has no tracks, or there are no vectors.
    """
    if not neighbours.is_known(connection, "playlist", playlist):
        raise ArgumentError(f"playlist {playlist} is not in this database")
    tracks = neighbours.read_playlist(connection, playlist, include.rows)
    if not len(tracks):
        raise ArgumentError(f"playlist {playlist}: no tracks in this database, so it cannot be continued")
    places = np.argsort(tracks)
    start = _Start("playlist", playlist, tracks[places], places)
    return _Search(connection, start, method, include).find(by or SEQUENCE, limit, reranking)


class _Search:
    """The search for tracks by those of a library."""

    def __init__(self, connection: Connection, start: _Start, method: str, include: Inclusion) -> None:
        self._connection = connection
        self._start = start
        self._method = method
        self._readers = [NeighbourReader(connection, over["track"], include) for over in (FANS, PLAYLISTS)]
        self._removed = neighbours.read_removed(connection, "track", include)

    def find(self, by: str, limit: int, reranking: Reranking) -> Recommended:
        """Return the best tracks by one source."""
        sources: dict[str, Callable[[], _Scored]] = {
            WALK: lambda: self._by_walk(OVER_LIKES),
            PLAYLIST_WALK: lambda: self._by_walk(OVER_PLAYLISTS),
            VECTORS: self._by_vectors,
            SEQUENCE: self._by_sequence,
            BLEND: self._by_blend,
        }
        scored = sources[by]()
        known = np.union1d(self._start.library, self._removed)
        new = (scored.scores > 0) & ~is_among(scored.tracks, known)
        count = count_candidates(limit) if reranking else limit
        ranked = rank(self._start.id, scored.tracks[new], scored.scores[new], count)
        if reranking:
            ranked = self._rerank(ranked, limit, reranking)
        return Recommended(by, scored.evidence, self._explain(ranked, scored))

    def _rerank(self, ranked: Ranked, limit: int, reranking: Reranking) -> Ranked:
        """Return the best of the candidates in *ranked*, whatever source they are from."""
        places, users = self._readers[OVER_LIKES].contexts_of_each(ranked.ids)
        found, columns = np.unique(users, return_inverse=True)
        shape = (len(ranked.ids), len(found))
        fans = sp.csr_array((np.ones(len(places)), (places, columns)), shape=shape)
        labels = read_labels(self._connection, "track", ranked.ids.tolist())
        owners = (labels[track].owner_id for track in ranked.ids.tolist())
        artists = np.array([-1 if owner is None else owner for owner in owners], np.int64)
        reranker = Reranker(reranking, fans, artists)
        best = reranker.choose(np.arange(len(ranked.ids)), ranked.scores, limit)
        ranks = np.arange(1, len(best) + 1)
        return Ranked(ranked.ids[best], ranked.scores[best], ranks, np.ones_like(ranks))

    def _by_walk(self, over: int) -> _Scored:
        evidence, near = self._read(over)
        tracks, column = np.unique(near.nodes, return_inverse=True)
        # The matrix contains all contexts of the library, so its steps equal those of the whole matrix,
        # unless they are sampled.
        walk = RandomWalk(_matrix(near, column, len(tracks)))
        return self._sum_up(evidence, tracks, walk.reach(self._own(tracks)), (over,))

    def _by_sequence(self) -> _Scored:
        """Walk over playlists in order, and less so over fans.

        The walks from each track weigh as the square root of its playlists or fans, and half as much for
        every ``HALF_LIFE`` tracks after it.
        """
        (of_fans, fans), (of_lists, lists) = self._read(OVER_LIKES), self._read(OVER_PLAYLISTS)
        nodes = np.concatenate([fans.nodes, lists.nodes])
        tracks, column = np.unique(nodes, return_inverse=True)
        over_fans, over_lists = np.split(column, [len(fans.nodes)])
        own, width = self._own(tracks), len(tracks)
        walks = (
            (FANS_SHARE, over_fans, RandomWalk(_matrix(fans, over_fans, width))),
            (1.0, over_lists, SequenceWalk(lists.sizes, over_lists, width)),
        )
        recent = recency(self._start.places)[is_among(self._start.library, tracks)]
        reached = sp.csr_array((len(own), width), dtype=np.float32)
        for share, columns, walk in walks:
            contexts = np.bincount(columns, minlength=width)[own]
            reached = reached + sp.diags_array(share * recent * np.sqrt(contexts)) @ walk.reach(own)
        evidence = Evidence(
            f"{of_lists.name} and {of_fans.name}",
            of_lists.total + of_fans.total,
            of_lists.used + of_fans.used,
            of_lists.left_out + of_fans.left_out,
        )
        return self._sum_up(evidence, tracks, sp.csr_array(reached), (OVER_LIKES, OVER_PLAYLISTS))

    @cached_property
    def learned(self) -> LearnedBlend | None:
        """The blend, if it knows a track of the library."""
        return find_blend(self._connection, self._start.library)

    def explain_missing_blend(self) -> str:
        """Return why the library cannot be ranked by the blend."""
        return explain_missing_blend(self._connection, self._about_library)

    def _by_blend(self) -> _Scored:
        learned, library = self.learned, self._start.library
        if learned is None:
            raise ArgumentError(self.explain_missing_blend())
        if self._start.kind == "user":
            own = learned.evidence_of_taste(library)
            weights = weigh_by_place(self._connection, learned, self._start.id, library, own)
        else:
            own = learned.known(library)
            weights = np.ones(len(own), np.float32)
        search = BlendSearch(learned, self._readers[OVER_LIKES], library, own, weights, MAX_LINKS)
        contexts, used = search.contexts, len(search.near.sizes)
        evidence = Evidence(self._readers[OVER_LIKES].word, len(contexts.ids), used, contexts.left_out)

        def support(places: Numbers) -> Array:
            return _by_library(library, search.own, search.support(places))

        return _Scored(evidence, learned.tracks, search.scores, support, (OVER_LIKES,), len(own))

    @property
    def _about_library(self) -> str:
        if self._start.kind == "playlist":
            return f"the list of playlist {self._start.id}"
        return f"the library of user {self._start.id}"

    def _by_vectors(self) -> _Scored:
        library = self._start.library
        placed = vectors.read_vectors(self._connection, "track", self._method)
        run = vectors.latest(self._connection, self._method)
        own = self._own(placed.ids)
        if run is None or not len(own):
            raise ArgumentError(explain_missing_vector(self._connection, self._about_library, self._method))
        scores = placed.vectors @ self._vector(placed, own, run)
        directions = unit(placed.vectors)

        def support(places: Numbers) -> Array:
            return _by_library(library, placed.ids, directions[own] @ directions[places].T)

        evidence = Evidence("tracks", len(library), len(library), run.inputs.get(LEFT_OUT, 0))
        return _Scored(evidence, placed.ids, scores, support)

    def _vector(self, tracks: Placed, own: Numbers, run: VectorRun) -> Array:
        """Return the learned vector, or one computed from the library of who was not trained on."""
        if self._start.kind == "user":
            learned = vectors.read_vector(self._connection, "user", run.method, self._start.id)
            if learned is not None:
                return learned
        fans = tracks.columns["fans"][own].astype(np.float32)
        ones = np.ones(len(own), np.float32)
        return METHODS[run.method]().fold_in(Library(tracks.vectors, own, fans, ones))

    def _read(self, over: int) -> tuple[Evidence, Neighbourhood]:
        """Return the tracks in the contexts of the library, without the playlist to continue."""
        reader = self._readers[over]
        contexts, left_out = self._contexts(over)
        near = reader.read(contexts, MAX_LINKS)
        return Evidence(reader.word, len(contexts), len(near.sizes), left_out), near

    def _contexts(self, over: int) -> Contexts:
        contexts = self._readers[over].contexts_of(*self._start.library.tolist())
        if over == OVER_PLAYLISTS and self._start.kind == "playlist":
            return contexts._replace(ids=contexts.ids[contexts.ids != self._start.id])
        return contexts

    def _own(self, tracks: Numbers) -> Numbers:
        """Return the places in *tracks* of those in the library."""
        return np.flatnonzero(is_among(tracks, self._start.library))

    def _sum_up(
        self, evidence: Evidence, tracks: Numbers, reached: sp.csr_array, over: tuple[int, ...]
    ) -> _Scored:
        """Return the sums of the rows of *reached*, one for each library track among *tracks*."""
        scores = np.asarray(reached.sum(axis=0), np.float32)

        def support(places: Numbers) -> Array:
            return _by_library(self._start.library, tracks, reached[:, places].toarray())

        return _Scored(evidence, tracks, scores, support, over)

    def _explain(self, ranked: Ranked, scored: _Scored) -> list[Recommendation]:
        library = self._start.library
        used = len(library) if scored.used is None else scored.used
        support = scored.support(np.searchsorted(scored.tracks, ranked.ids))
        order = np.argsort(-support, axis=0, kind="stable")[:MAX_REASONS]
        supports = np.take_along_axis(support, order, axis=0) > 0
        named = {*ranked.ids.tolist(), *library[order].ravel().tolist()}
        names = neighbours.read_names(self._connection, "track", named)
        found = []
        for place, (track, score, position, tied) in enumerate(
            zip(*(column.tolist() for column in ranked), strict=True)
        ):
            reasons = library[order[supports[:, place], place]]
            shared = [
                reader.count_shared(reasons, reader.contexts_of(track).ids).tolist()
                for reader in self._readers
            ]
            because = tuple(
                Reason(own, names.get(own), fans, playlists)
                for own, fans, playlists in zip(reasons.tolist(), *shared, strict=True)
            )
            most = max((count for over in scored.over for count in shared[over]), default=0)
            weak = used < ENOUGH or (bool(scored.over) and most < ENOUGH)
            found.append(Recommendation(track, score, names.get(track), position, tied, weak, because))
        return found


def _matrix(near: Neighbourhood, columns: Numbers, width: int) -> sp.csr_array:
    """Return the matrix of contexts x tracks."""
    starts = np.concatenate([[0], np.cumsum(near.sizes)])
    ones = np.ones(len(columns), np.float32)
    matrix = sp.csr_array((ones, columns, starts), shape=(len(near.sizes), width))
    matrix.sort_indices()
    return matrix


def _by_library(library: Numbers, tracks: Numbers, rows: Array) -> Array:
    """Return *rows*, of the library tracks that are among *tracks*, with zeros for the others."""
    support = np.zeros((len(library), rows.shape[1]), np.float32)
    support[is_among(library, tracks)] = rows
    return support
