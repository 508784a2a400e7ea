"""The neighbours of a track, a user or an artist, from one of four sources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings import npmi
from sgr_spiders.embeddings.base import unit
from sgr_spiders.embeddings.blend_search import BLEND, BlendSearch, explain_missing_blend, find_blend
from sgr_spiders.embeddings.index import search_index
from sgr_spiders.embeddings.ranking import rank, round_scores
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage import neighbours, vectors
from sgr_spiders.storage.libraries import LEFT_OUT, USUAL
from sgr_spiders.storage.lookup import is_among
from sgr_spiders.storage.neighbours import FANS, PLAYLISTS, NeighbourReader
from sgr_spiders.text.invocation import command, plain_command

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Numbers
    from sgr_spiders.embeddings.blend_search import LearnedBlend
    from sgr_spiders.embeddings.ranking import Scores
    from sgr_spiders.storage.libraries import Inclusion
    from sgr_spiders.storage.neighbours import Neighbourhood
    from sgr_spiders.storage.store import Connection

NPMI, WALK, PLAYLIST_WALK, VECTORS = "npmi", "walk", "playlists", "vectors"
NEIGHBOUR_SOURCES = (NPMI, BLEND, WALK, PLAYLIST_WALK, VECTORS)
POPULARITY = 0.1
"""That of the blend where tracks are similar to one track; recommendations have their own.

With 0, each track would count as in a cosine, and with 0.5 as in a walk, whose lists popular tracks fill.
"""
EVIDENCE = {
    "track": ("shared_fans", "shared_playlists"),
    "user": ("shared_likes", "shared_in_playlists"),
    "artist": ("shared_fans", "shared_playlists"),
}
"""The names of the shared counts over likes and over playlists."""
CANDIDATES = 2_000
"""Nodes of a sample that share most with the start, whose scores are computed from all contexts."""
OVER_LIKES, OVER_PLAYLISTS = 0, 1
"""The places of both in ``EVIDENCE``."""
ENOUGH = 5
"""Shared fans, likes or playlists below which evidence is weak: one person more or less changes the list."""


@dataclass(frozen=True, slots=True)
class Similar:
    """A neighbour.

    *score*: shrunk NPMI, the score of the blend, the walk probability or the cosine. *shared*: the counts in
    ``EVIDENCE``. *rank*: from 1, the same for all *tied* neighbours with the same score. *weak_evidence*: the
    start has less than ``ENOUGH``, or they share less; a cosine does not rest on what they share, but on the
    whole model.
    """

    id: int
    score: float
    name: str | None
    shared: tuple[int, int]
    rank: int
    tied: int
    weak_evidence: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """The fans of a track, the likes of a user, or the playlists that neighbours are found by.

    *name*: the word for them. *total*: all that the start has. *used*: those that were read to find
    neighbours, a sample or all. *left_out*: the libraries left out because they were not looked at.
    """

    name: str
    total: int
    used: int
    left_out: int


@dataclass(frozen=True, slots=True)
class SimilarNodes:
    """The neighbours of a node, nearest first, by the source *by*.

    *by_everyone*: everyone who was looked at likes the node, so that shared fans say nothing. *fallback*: why
    *by* is not the default source otherwise.
    """

    by: str
    evidence: Evidence
    found: list[Similar]
    by_everyone: bool = False
    fallback: str | None = None


def find_similar(  # noqa: PLR0913 - all but the node are options of the command
    connection: Connection,
    kind: str,
    node: int,
    *,
    by: str | None = None,
    method: str = "svd",
    limit: int = 10,
    include: Inclusion = USUAL,
) -> SimilarNodes:
    """Return the *limit* nearest neighbours of *node*, a track, user or artist.

    *by*: ``npmi`` (shared fans beyond chance), ``blend`` (of tracks only), ``walk`` (over likes),
    ``playlists`` (a walk over playlists) or ``vectors`` (the cosine of the vectors of *method*); ``None``:
    ``blend`` for tracks, ``npmi`` for one that no blend was learned with, and ``walk`` for one that everyone
    likes, and for users and artists. *include*: what to include besides present rows of libraries that were
    looked at; it does not change the vectors.

    Raises:
        ArgumentError: the node is not in the database, or has no vector.
    """
    if not neighbours.is_known(connection, kind, node):
        raise ArgumentError(f"{kind} {node} is not in this database")
    search = _Search(connection, kind, node, method, limit, include)
    return search.find_by_default() if by is None else search.find(by)


class _Search:
    """The search for the neighbours of a node."""

    def __init__(
        self, connection: Connection, kind: str, node: int, method: str, limit: int, include: Inclusion
    ) -> None:
        self._connection = connection
        self._kind = kind
        self._node = node
        self._method = method
        self._limit = limit
        self._readers = [NeighbourReader(connection, over[kind], include) for over in (FANS, PLAYLISTS)]
        self._contexts = [reader.contexts_of(node) for reader in self._readers]
        self._removed = neighbours.read_removed(connection, kind, include)

    def find_by_default(self) -> SimilarNodes:
        """Return the nearest neighbours by the default source of the kind, or by what takes its place."""
        if self._kind != "track":
            return self.find(WALK)
        if self._is_of_everyone():
            return replace(self.find(WALK), by_everyone=True)
        if self._learned is not None:
            return self.find(BLEND)
        return replace(self.find(NPMI), fallback=self._explain_missing_blend())

    def find(self, by: str) -> SimilarNodes:
        """Return the nearest neighbours by one source."""
        over = OVER_PLAYLISTS if by == PLAYLIST_WALK else OVER_LIKES
        if by == VECTORS:
            evidence, ids, scores = self._by_vectors()
        elif by == BLEND:
            evidence, ids, scores = self._by_blend()
        elif by == NPMI:
            evidence, ids, scores = self._by_npmi()
        else:
            evidence, ids, scores = self._by_walk(over)
        kept = (ids != self._node) & ~is_among(ids, self._removed)
        ranked = rank(self._node, ids[kept], scores[kept], self._limit)
        names = neighbours.read_names(self._connection, self._kind, ranked.ids.tolist())
        shared = [
            reader.count_shared(ranked.ids, contexts.ids).tolist()
            for reader, contexts in zip(self._readers, self._contexts, strict=True)
        ]
        is_rare = len(self._contexts[over].ids) < ENOUGH
        weak = [is_rare or (by != VECTORS and count < ENOUGH) for count in shared[over]]
        columns = (*(column.tolist() for column in ranked), zip(*shared, strict=True), weak)
        found = [
            Similar(one, score, names.get(one), both, place, tied, is_weak)
            for one, score, place, tied, both, is_weak in zip(*columns, strict=True)
        ]
        return SimilarNodes(by, evidence, found, by == NPMI and self._is_of_everyone())

    @cached_property
    def _total(self) -> int:
        """All contexts that were looked at."""
        return self._readers[OVER_LIKES].count_contexts()

    def _is_of_everyone(self) -> bool:
        """Return whether everyone who was looked at likes the node."""
        return 0 < self._total == len(self._contexts[OVER_LIKES].ids)

    def _by_npmi(self) -> tuple[Evidence, Numbers, Scores]:
        reader, contexts = self._readers[OVER_LIKES], self._contexts[OVER_LIKES].ids
        near = reader.read(contexts)
        nodes, shared = np.unique(near.nodes, return_counts=True)
        others = (nodes != self._node) & ~is_among(nodes, self._removed)
        nodes, shared = nodes[others], shared[others]
        if len(near.sizes) < len(contexts):
            nodes, shared = self._recount(nodes, shared, contexts)
        ids, scores = npmi.find_nearest(nodes, shared, len(contexts), self._total, self._limit, reader.count)
        return self._evidence(OVER_LIKES, near), ids, scores

    def _recount(self, nodes: Numbers, shared: Numbers, contexts: Numbers) -> tuple[Numbers, Numbers]:
        """Count what the best candidates of a sample share with the node in all of its contexts."""
        best = np.argsort(-shared, kind="stable")[: CANDIDATES + self._limit]
        return nodes[best], self._readers[OVER_LIKES].count_shared(nodes[best], contexts)

    def _by_walk(self, over: int) -> tuple[Evidence, Numbers, Scores]:
        """Walk from the node to one of its contexts, and on to another node in it, as ``RandomWalk``."""
        near = self._readers[over].read(self._contexts[over].ids)
        nodes, place = np.unique(near.nodes, return_inverse=True)
        steps = 1 / np.repeat(near.sizes * len(near.sizes), near.sizes)
        scores = np.asarray(np.bincount(place, steps, minlength=len(nodes)), np.float64)
        return self._evidence(over, near), nodes, scores

    @cached_property
    def _learned(self) -> LearnedBlend | None:
        """The blend, if it knows the track, with the popularity for similar tracks."""
        learned = find_blend(self._connection, np.array([self._node], np.int64))
        return learned and replace(learned, weights=replace(learned.weights, popularity=POPULARITY))

    def _explain_missing_blend(self) -> str:
        return explain_missing_blend(self._connection, f"track {self._node}")

    def _by_blend(self) -> tuple[Evidence, Numbers, Scores]:
        """Return what a library of this one track would be recommended, if popularity counted less."""
        if self._kind != "track":
            raise ArgumentError(f"blend finds similar tracks only, not {self._kind}s")
        if self._learned is None:
            raise ArgumentError(self._explain_missing_blend())
        library = np.array([self._node], np.int64)
        alone, reader = np.ones(1, np.float32), self._readers[OVER_LIKES]
        search = BlendSearch(self._learned, reader, library, library, alone, neighbours.MAX_LINKS)
        is_found = search.scores > 0
        tracks, scores = self._learned.tracks[is_found], search.scores[is_found]
        return self._evidence(OVER_LIKES, search.near), tracks, scores

    def _by_vectors(self) -> tuple[Evidence, Numbers, Scores]:
        run = vectors.latest(self._connection, self._method)
        left_out = 0 if run is None else run.inputs.get(LEFT_OUT, 0)
        own = len(self._contexts[OVER_LIKES].ids)
        evidence = Evidence(self._readers[OVER_LIKES].word, own, own, left_out)
        most = self._limit + len(self._removed) + 1
        found = search_index(self._connection, self._kind, self._method, self._node, most)
        # An index returns some of the neighbours with the same score; only the exact search counts them.
        if found is not None and not self._ends_in_a_tie(*found):
            return evidence, *found
        placed = vectors.read_vectors(self._connection, self._kind, self._method)
        row = int(np.searchsorted(placed.ids, self._node))
        if row == len(placed.ids) or placed.ids[row] != self._node:
            about = f"{self._kind} {self._node}"
            raise ArgumentError(explain_missing_vector(self._connection, about, self._method))
        directions = unit(placed.vectors)
        cosines = directions @ directions[row]
        return evidence, placed.ids[cosines > 0], cosines[cosines > 0]

    def _ends_in_a_tie(self, ids: Numbers, scores: Scores) -> bool:
        """Return whether the last neighbour to show has the same score as the next."""
        kept = round_scores(scores[~is_among(ids, self._removed)])
        return len(kept) > self._limit and bool(kept[self._limit - 1] == kept[self._limit])

    def _evidence(self, over: int, near: Neighbourhood) -> Evidence:
        own, left_out = self._contexts[over]
        word = self._readers[over].word
        return Evidence(word, len(own), len(near.sizes), left_out + near.left_out)


def explain_missing_vector(connection: Connection, what: str, method: str) -> str:
    """Return why *what* has no vector."""
    if vectors.latest(connection, method) is None:
        return f"no {method} vectors in this database; run `{command('embed', '--method', method)}`"
    return f"{what} has no {method} vector: no data on it when `{plain_command('embed')}` ran"
