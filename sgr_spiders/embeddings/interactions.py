"""The sparse matrix of users and tracks, from likes, reposts, comments and playlists."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage import interactions_read
from sgr_spiders.storage.libraries import USUAL
from sgr_spiders.storage.looked_at import read_libraries, read_user_libraries
from sgr_spiders.storage.pairs.reading import read_discovered
from sgr_spiders.text.formatting import pluralize
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.storage.libraries import Inclusion
    from sgr_spiders.storage.looked_at import Libraries
    from sgr_spiders.storage.store import Connection

    Ids = NDArray[np.int64]
    Pairs = tuple[Ids, Ids]

LIKE, PLAYLIST = "like", "playlist"
SOURCES = (*interactions_read.ENGAGEMENTS, PLAYLIST)
"""The kinds of evidence for an interaction."""
LIKES: Mapping[str, float] = MappingProxyType({LIKE: 1.0})


@dataclass(frozen=True, slots=True)
class Interactions:
    """The interactions: row ``i`` of ``matrix`` is user ``users[i]``, column ``j`` is track ``tracks[j]``.

    Both lists of IDs ascend, and each user and track in them has an interaction. ``matrix`` is a CSR array of
    float32 weights greater than 0 with sorted, distinct pairs, and with 32-bit indices if they suffice.
    ``left_out`` is the number of libraries left out because they were not looked at.
    """

    users: Ids
    tracks: Ids
    matrix: sp.csr_array
    left_out: int = 0

    def __repr__(self) -> str:
        users, tracks = pluralize(len(self.users), "user"), pluralize(len(self.tracks), "track")
        return f"Interactions({users}, {tracks}, {pluralize(self.matrix.nnz, 'pair')})"

    def user_indices(self, ids: Ids) -> Ids:
        """Return the row of each user; -1 for none."""
        return _indices(self.users, ids)

    def track_indices(self, ids: Ids) -> Ids:
        """Return the column of each track; -1 for none."""
        return _indices(self.tracks, ids)


def read_interactions(
    connection: Connection,
    *,
    sources: Mapping[str, float] = LIKES,
    min_per_user: int = 1,
    min_per_track: int = 1,
    seeds: Sequence[int] | None = None,
    include: Inclusion = USUAL,
) -> Interactions:
    """Return the interactions from *sources*, with the weight of each source.

    A source is ``like``, ``repost``, ``comment`` (of a user) or ``playlist`` (the owner of a playlist and
    each track in it). A user and a track form one pair; its weight is the sum of the weights of its sources,
    each counted once.

    Args:
        connection: the database.
        sources: the weight of each source.
        min_per_user, min_per_track: drop users and tracks with fewer pairs, until all meet the minimum
            (k-core).
        seeds: use only users, tracks and playlists found around these tracks.
        include: what to include besides present rows of libraries that were looked at.

    Raises:
        ArgumentError: a source is unknown, or a weight is not greater than 0.
    """
    _check(sources)
    # Use a fixed order: adding floats in another order could change the last bit.
    weights = {name: float(sources[name]) for name in SOURCES if name in sources}
    reader = _Reader(connection, weights, seeds, include)
    pairs = {name: reader.read(name) for name in weights}
    users = _distinct([user for user, _ in pairs.values()])
    tracks = _distinct([track for _, track in pairs.values()])
    matrix = sp.csr_array((len(users), len(tracks)), dtype=np.float32)
    for name, (user, track) in pairs.items():
        matrix = matrix + weights[name] * _incidence(
            np.searchsorted(users, user), np.searchsorted(tracks, track), matrix.shape
        )
    interactions = Interactions(users, tracks, _normalise(matrix), reader.left_out)
    return _core(interactions, min_per_user, min_per_track)


def _check(sources: Mapping[str, float]) -> None:
    for name, weight in sources.items():
        if name not in SOURCES:
            hint = did_you_mean(name, SOURCES)
            raise ArgumentError(f"interactions: no such source: {quote_value(name)}{hint}")
        if not (math.isfinite(weight) and np.float32(weight) > 0):
            raise ArgumentError(
                f"interactions: weight of {name} must be greater than 0, not {quote_value(weight)}"
            )
    if not sources:
        raise ArgumentError(f"interactions: name at least one source of {', '.join(SOURCES)}")


@dataclass
class _Reader:
    """Reads the pairs of each source, and collects the users and playlists that it leaves out."""

    connection: Connection
    sources: Container[str]
    seeds: Sequence[int] | None
    include: Inclusion
    _users_left_out: list[Ids] = field(default_factory=list)
    _playlists_left_out: int = 0

    @property
    def left_out(self) -> int:
        return len(_distinct(self._users_left_out)) + self._playlists_left_out

    @cached_property
    def _libraries(self) -> Libraries:
        return read_user_libraries(self.connection, self.sources, self.include)

    def read(self, source: str) -> Pairs:
        """Return the pairs of a source in the scope, in any order and with possible duplicates."""
        if source == PLAYLIST:
            groups, owners = interactions_read.read_memberships(self.connection, self.include.rows)
            in_scope = (owners >= 0) & self._in_scope("playlist", groups.owners)
            in_scope &= self._in_scope("user", owners)
            looked_at = read_libraries(self.connection, "playlist", self.include).contain(groups.owners)
            self._playlists_left_out += int((in_scope & ~looked_at).sum())
        else:
            groups = interactions_read.read_engagements(self.connection, source, self.include.rows)
            owners = groups.owners
            in_scope = self._in_scope("user", owners)
            looked_at = self._libraries.contain(owners)
            self._users_left_out.append(owners[in_scope & ~looked_at])
        pairs = np.repeat(in_scope & looked_at, groups.sizes) & self._in_scope("track", groups.members)
        return np.repeat(owners, groups.sizes)[pairs], groups.members[pairs]

    def _in_scope(self, kind: str, ids: Ids) -> NDArray[np.bool_]:
        if self.seeds is None:
            return np.ones(len(ids), bool)
        return np.isin(ids, read_discovered(self.connection, kind, self.seeds, self.include.rows))


def _distinct(parts: Sequence[Ids]) -> Ids:
    return np.unique(np.concatenate([np.empty(0, np.int64), *parts]))


def _incidence(rows: Ids, columns: Ids, shape: tuple[int, int]) -> sp.csr_array:
    """Build a matrix of ones; duplicate pairs count once."""
    matrix = sp.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    matrix.data[:] = 1
    return matrix


def _normalise(matrix: sp.csr_array) -> sp.csr_array:
    normalised = sp.csr_array(matrix, dtype=np.float32)
    normalised.sum_duplicates()
    if max(normalised.nnz, *normalised.shape) < 2**31:
        normalised.indptr, normalised.indices = (
            normalised.indptr.astype(np.int32),
            normalised.indices.astype(np.int32),
        )
    return normalised


def _core(interactions: Interactions, min_per_user: int, min_per_track: int) -> Interactions:
    """Drop rows and columns with few entries until all have enough."""
    users, tracks, matrix = interactions.users, interactions.tracks, interactions.matrix
    while True:
        often = np.diff(matrix.indptr) >= max(1, min_per_user)
        liked = np.bincount(matrix.indices, minlength=len(tracks)) >= max(1, min_per_track)
        if often.all() and liked.all():
            return replace(interactions, users=users, tracks=tracks, matrix=_normalise(matrix))
        users, tracks = users[often], tracks[liked]
        matrix = matrix[often][:, liked]


def _indices(known: Ids, ids: Ids) -> Ids:
    if not len(known):
        return np.full(len(ids), -1)
    at = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    return np.where(known[at] == ids, at, -1)
