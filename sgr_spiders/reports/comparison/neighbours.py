"""The nearest neighbours of all nodes of one kind: computed in memory, stored nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.walk import RandomWalk
from sgr_spiders.relationships.build import Environment, PairSearch
from sgr_spiders.relationships.engine import LocalEngine
from sgr_spiders.storage.lookup import is_among

if TYPE_CHECKING:
    from pathlib import Path

    import scipy.sparse as sp
    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.reports.comparison.sides import Side

    Ids = NDArray[np.int64]
    Scores = NDArray[np.float64]

NEAREST = 10
"""Neighbours of a node that are compared."""
TRACKS_AT_A_TIME = 1000
PRUNE_AT = 1 << 22
"""Neighbours to collect before those that are not among the nearest are dropped."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of each node that has any, nearest first; ties prefer the smaller ID.

    Those of node ``ids[i]``, in ascending order of the IDs, are ``others[starts[i]:starts[i + 1]]``, at most
    ``NEAREST``. *pairs*: all pairs, however many neighbours a node has; ``None`` where only the nearest are
    found. *limited*: whether `max_pairs` or the free space left some out.
    """

    ids: Ids
    starts: Ids
    others: Ids
    scores: Scores
    pairs: int | None = None
    limited: bool = False

    def of(self, node: int) -> list[int]:
        """Return the neighbours of a node."""
        place = int(np.searchsorted(self.ids, node))
        if place == len(self.ids) or self.ids[place] != node:
            return []
        return list(self.others[self.starts[place] : self.starts[place + 1]].tolist())

    def count(self, universe: Ids) -> int:
        """Return how many nodes of the *universe* have neighbours."""
        return int(is_among(self.ids, universe).sum())

    @property
    def owners(self) -> Ids:
        """The node of each of ``others``."""
        return np.repeat(self.ids, np.diff(self.starts))


def related(side: Side, relationship: RelationshipType, directory: Path) -> Neighbours:
    """Find the pairs of a relationship type, and keep the nearest; what memory lacks is in *directory*."""
    section = side.section
    if section.validated is None:
        section = section.model_copy(update={"significance": "none"})
    environment = Environment(section, side.inputs, lambda: False, LocalEngine(section.threads))
    search = PairSearch(relationship, environment, directory)
    names = [measure.name for measure in relationship.table.measures]
    score_place = 2 + names.index(relationship.table.score)
    present = side.ids(relationship.table.node.removesuffix("_id"))
    nearest = _Nearest()
    pairs = 0
    for columns in search.pairs(with_mirrored=False).rows():
        a, b, score = columns[0], columns[1], columns[score_place]
        assert a is not None
        assert b is not None
        assert score is not None
        # A like or a place in a playlist outlives its user or track.
        kept = is_among(a, present) & is_among(b, present)
        nearest.add(a[kept], b[kept], score[kept])
        pairs += int(kept.sum())
    return nearest.take(pairs, limited=search.limited is not None)


def reached(side: Side) -> Neighbours:
    """Find the tracks that random walks over fans reach, as `scrapy similar track`."""
    tracks = side.inputs.likes.ids
    is_present = is_among(tracks, side.ids("track"))
    starts = np.flatnonzero(is_present)
    walk = RandomWalk(as_matrix(side), neighbours=len(tracks))
    nearest = _Nearest()
    for start in range(0, len(starts), TRACKS_AT_A_TIME):
        some = starts[start : start + TRACKS_AT_A_TIME]
        near = walk.reach(some)
        near.data[~is_present[near.indices]] = 0
        near.eliminate_zeros()
        kept = _nearest_with_ties(near)
        nodes = np.repeat(tracks[some], np.diff(near.indptr))
        nearest.add_directed(nodes[kept], tracks[near.indices[kept]], near.data[kept].astype(float))
    return nearest.take(None, limited=False)


def _nearest_with_ties(near: sp.csr_array) -> NDArray[np.bool_]:
    """Return which entries are not less than the ``NEAREST`` largest ones of their row."""
    kept = np.ones(len(near.data), bool)
    for row in np.flatnonzero(np.diff(near.indptr) > NEAREST).tolist():
        part = slice(near.indptr[row], near.indptr[row + 1])
        kept[part] = near.data[part] >= np.partition(near.data[part], -NEAREST)[-NEAREST]
    return kept


def as_matrix(side: Side) -> sp.csr_array:
    """Return the users (rows) and their tracks (columns) as a matrix of ones."""
    import scipy.sparse  # noqa: PLC0415 - mypy knows no types of it

    likes = side.inputs.likes
    incidence = likes.incidence
    ones = np.ones(len(incidence.contexts), np.float32)
    shape = (len(incidence.ids), len(likes.ids))
    return scipy.sparse.csr_array((ones, incidence.contexts, incidence.starts), shape=shape)


class _Nearest:
    """Collects neighbours, and keeps the nearest of each node."""

    def __init__(self) -> None:
        empty = np.empty(0, np.int64)
        self._parts: list[tuple[Ids, Ids, Scores]] = [(empty, empty, np.empty(0))]
        self._length = 0
        self._limit = PRUNE_AT

    def add(self, a: Ids, b: Ids, score: Scores) -> None:
        """Add pairs, in both directions."""
        self.add_directed(np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([score, score]))

    def add_directed(self, nodes: Ids, others: Ids, score: Scores) -> None:
        """Add neighbours of nodes."""
        self._parts.append((nodes, others, score))
        self._length += len(nodes)
        if self._length > self._limit:
            self._prune()
            self._limit = PRUNE_AT + 2 * self._length

    def take(self, pairs: int | None, *, limited: bool) -> Neighbours:
        """Return the nearest of all that were added."""
        self._prune()
        nodes, others, scores = self._parts[0]
        ids, begins = np.unique(nodes, return_index=True)
        starts = np.append(begins, len(nodes)).astype(np.int64)
        return Neighbours(ids, starts, others, scores, pairs, limited)

    def _prune(self) -> None:
        nodes, others, scores = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        order = np.lexsort((others, -scores, nodes))
        nodes, others, scores = nodes[order], others[order], scores[order]
        begins = np.flatnonzero(np.diff(nodes, prepend=-1))
        rank = np.arange(len(nodes)) - np.repeat(begins, np.diff([*begins.tolist(), len(nodes)]))
        kept = rank < NEAREST
        self._parts = [(nodes[kept], others[kept], scores[kept])]
        self._length = int(kept.sum())
