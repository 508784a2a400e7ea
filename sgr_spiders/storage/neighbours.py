"""The neighbours of a track, a user or an artist: nodes that share contexts with it.

Links are read as arrays, without a Python object per link: the database joins their IDs (``join_ids``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import sqlalchemy as sa

from sgr_spiders.storage.chunks import CHUNK, chunked
from sgr_spiders.storage.libraries import USUAL, Inclusion, present
from sgr_spiders.storage.looked_at import ALL_COUNT, read_libraries
from sgr_spiders.storage.lookup import distinct, is_among, join_ids, look_up, mix, parse_ids
from sgr_spiders.storage.pairs.reading import Groups, read_groups, read_in_order
from sgr_spiders.storage.schema import NAMES, RECORD_TABLES, engagements, playlist_tracks, playlists, tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.storage.libraries import Rows
    from sgr_spiders.storage.looked_at import Libraries

    Ids = NDArray[np.int64]

KINDS = {"track": "track", "user": "user", "artist": "user"}
"""The record kind of each kind of node."""

MAX_LINKS = 1_000_000
"""Links of the contexts of a node to read; if there are more, contexts are sampled."""
FIRST_CHUNK = 16
"""Contexts to read first. How many to read next depends on how many links these have."""
_NONE = np.empty(0, np.int64)

LIKES = engagements.c.kind == "like"


@dataclass(frozen=True, slots=True)
class Incidence:
    """Nodes and their contexts, e.g. tracks and the users who like them.

    A row of *links* connects the context in *context* with the item in *item*. A node is an item, or the
    *group* of its items: an artist of tracks, an owner of playlists. The items of a context are in the
    ascending *order* of a column, if there is one.
    """

    links: sa.Table
    item: sa.Column[int]
    context: sa.Column[int]
    group: sa.Column[int] | None = None
    order: sa.Column[int] | None = None


_BY_FANS = (engagements, engagements.c.track_id, engagements.c.user_id)
_BY_PLAYLISTS = (playlist_tracks, playlist_tracks.c.track_id, playlist_tracks.c.playlist_id)

FANS = {
    "track": Incidence(*_BY_FANS),
    "user": Incidence(engagements, engagements.c.user_id, engagements.c.track_id),
    "artist": Incidence(*_BY_FANS, tracks.c.artist_id),
}
"""Incidences by likes: tracks and artists share fans, users share liked tracks."""

PLAYLISTS = {
    "track": Incidence(*_BY_PLAYLISTS, order=playlist_tracks.c.position),
    "user": Incidence(
        playlist_tracks, playlist_tracks.c.playlist_id, playlist_tracks.c.track_id, playlists.c.owner_id
    ),
    "artist": Incidence(*_BY_PLAYLISTS, tracks.c.artist_id),
}
"""Incidences by playlists: tracks and artists share playlists, users share the tracks of their playlists."""


class Contexts(NamedTuple):
    """The contexts that count, in ascending order, and the number of those that do not."""

    ids: Ids
    left_out: int


class Neighbourhood(NamedTuple):
    """The nodes in each of some contexts, one context after another, tracks of playlists in order.

    The node that was asked about is in each. *left_out*: the number of nodes that do not count.
    """

    sizes: Ids
    nodes: Ids
    left_out: int


class NeighbourReader:
    """Reads the links of one incidence."""

    def __init__(self, connection: sa.Connection, incidence: Incidence, include: Inclusion = USUAL) -> None:
        self._connection = connection
        self._incidence = incidence
        self._include = include

    @property
    def word(self) -> str:
        """The word for the contexts."""
        return {"user_id": "fans", "playlist_id": "playlists", "track_id": "tracks"}[
            self._incidence.context.name
        ]

    def contexts_of(self, *nodes: int) -> Contexts:
        """Return the distinct contexts of any of *nodes*."""
        items = np.sort(np.concatenate([_NONE, *(self._items_of(some).members for some in chunked(nodes))]))
        found = distinct(np.concatenate([_NONE, *(part.members for part in self._links_of_items(items))]))
        counting = self._context_counts(found)
        return Contexts(found[counting], int((~counting).sum()))

    def read(self, contexts: Ids, most: int = MAX_LINKS) -> Neighbourhood:
        """Return the distinct nodes in *contexts*.

        If these have more than *most* links, only a sample of them is read: the first in the order of a hash.
        """
        ordered = contexts[np.argsort(mix(contexts.astype(np.uint64)), kind="stable")]
        sizes, members = self._read_first(ordered, most)
        rows = np.repeat(np.arange(len(sizes)), sizes)
        rows, nodes = self._as_nodes(rows, members)
        counting = self._node_counts(nodes)
        left_out = len(distinct(nodes[~counting]))
        return Neighbourhood(np.bincount(rows[counting], minlength=len(sizes)), nodes[counting], left_out)

    def count(self, nodes: Ids) -> Ids:
        """Return the number of contexts of each of *nodes*."""
        return self._count(nodes, self._context_counts)

    def count_shared(self, nodes: Ids, contexts: Ids) -> Ids:
        """Return how many contexts each of *nodes* has among *contexts*, which ascend and count."""
        return self._count(nodes, lambda found: is_among(found, contexts))

    def contexts_of_each(self, nodes: Ids) -> tuple[Ids, Ids]:
        """Return the distinct pairs of a place in *nodes* and a context of that node that counts."""
        places, contexts = [_NONE], [_NONE]
        for some, found in self._pairs(nodes):
            counting = self._context_counts(found)
            places.append(some[counting])
            contexts.append(found[counting])
        return np.concatenate(places), np.concatenate(contexts)

    def _count(self, nodes: Ids, which: Callable[[Ids], NDArray[np.bool_]]) -> Ids:
        counts = np.zeros(len(nodes), np.int64)
        for places, found in self._pairs(nodes):
            counts += np.bincount(places[which(found)], minlength=len(nodes))
        return counts

    def _pairs(self, nodes: Ids) -> Iterator[tuple[Ids, Ids]]:
        """Yield the distinct pairs of a place in *nodes* and a context of that node."""
        order = np.argsort(nodes, kind="stable")
        for start in range(0, len(order), CHUNK):
            places = order[start : start + CHUNK]
            rows, found = self._contexts_by_row(nodes[places])
            yield places[rows], found

    def count_contexts(self) -> int:
        """Return the number of contexts that count and have any node that counts."""
        seen = self._libraries.seen if self._incidence.item is engagements.c.user_id else None
        if seen is not None:
            parts = (distinct(part.members) for part in self._links_of_items(seen))
            return len(distinct(np.concatenate([_NONE, *parts])))
        record = next(key for key in RECORD_TABLES if self._incidence.context.name == f"{key}_id")
        key = RECORD_TABLES[record].c[self._incidence.context.name]
        has_link = sa.exists().where(self._incidence.context == key, *self._conditions)
        found = parse_ids(self._connection.scalar(sa.select(join_ids(key)).where(has_link)))
        return int(self._context_counts(found).sum())

    @property
    def _conditions(self) -> list[sa.ColumnElement[bool]]:
        links = self._incidence.links
        return [*([LIKES] if links is engagements else []), *present(links, self._include.rows)]

    @cached_property
    def _libraries(self) -> Libraries:
        # Which libraries were cut short does not matter here, so nothing is read if all count.
        return ALL_COUNT if self._include.unseen else read_libraries(self._connection, "user", self._include)

    def _context_counts(self, contexts: Ids) -> NDArray[np.bool_]:
        if self._incidence.context is playlist_tracks.c.playlist_id:
            return ~is_among(contexts, self._removed_playlists)
        libraries = self._libraries if self._incidence.context is engagements.c.user_id else ALL_COUNT
        return libraries.contain(contexts)

    def _node_counts(self, nodes: Ids) -> NDArray[np.bool_]:
        libraries = self._libraries if self._incidence.item is engagements.c.user_id else ALL_COUNT
        return libraries.contain(nodes)

    @cached_property
    def _removed_playlists(self) -> Ids:
        return read_removed(self._connection, "playlist", self._include)

    def _read_first(self, contexts: Ids, most: int) -> tuple[Ids, Ids]:
        """Return the items of the first of *contexts*, up to the one with which they have *most* links."""
        sizes, members, links, start, length = [_NONE], [_NONE], 0, 0, FIRST_CHUNK
        while start < len(contexts) and links < most:
            some = contexts[start : start + length]
            part = _arrange(self._links(self._incidence.context, self._incidence.item, np.sort(some)), some)
            taken = int(np.searchsorted(links + np.cumsum(part.sizes), most)) + 1
            sizes.append(part.sizes[:taken])
            members.append(part.members[: sizes[-1].sum()])
            links += len(members[-1])
            start += length
            length = max(1, min(CHUNK, (most - links) * start // max(1, links)))
        return np.concatenate(sizes), np.concatenate(members)

    def _links_of_items(self, items: Ids) -> Iterator[Groups]:
        for chunk in chunked(items.tolist()):
            yield self._links(self._incidence.item, self._incidence.context, np.array(chunk, np.int64))

    def _links(self, by: sa.Column[int], wanted: sa.Column[int], ids: Ids) -> Groups:
        """Return the links of *ids*, which ascend, in the column *by*."""
        order = self._incidence.order
        if order is not None and by is self._incidence.context:
            return read_in_order(self._connection, by, order, wanted, by.in_(ids.tolist()), *self._conditions)
        if by is not engagements.c.track_id:
            return read_groups(self._connection, by, wanted, by.in_(ids.tolist()), *self._conditions)
        # The index has no `removed_at`: looking it up takes ten times as long as reading the index alone.
        groups = read_groups(self._connection, by, wanted, by.in_(ids.tolist()), LIKES)
        return groups if self._include.removed else _without(groups, self._removed)

    @cached_property
    def _removed(self) -> Groups:
        """The users of each track whose likes have been removed."""
        query = sa.select(join_ids(engagements.c.track_id, engagements.c.user_id)).where(
            engagements.c.removed_at.is_not(None), LIKES
        )
        pairs = parse_ids(self._connection.scalar(query)).reshape(-1, 2)
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
        owners, sizes = np.unique(pairs[:, 0], return_counts=True)
        return Groups(owners, sizes, pairs[:, 1])

    def _items_of(self, nodes: Sequence[int]) -> Groups:
        """Return the items of each of *nodes*, which ascend."""
        group = self._incidence.group
        if group is None:
            ids = np.array(nodes, np.int64)
            return Groups(ids, np.ones(len(ids), np.int64), ids)
        (item,) = group.table.primary_key.columns
        return read_groups(self._connection, group, item, group.in_(nodes))

    def _contexts_by_row(self, nodes: Ids) -> tuple[Ids, Ids]:
        """Return the distinct pairs of a place in *nodes*, which ascend, and a context of that node."""
        groups = self._items_of(nodes.tolist())
        owner = np.searchsorted(nodes, np.repeat(groups.owners, groups.sizes))
        by_item = np.argsort(groups.members)
        items, owner = groups.members[by_item], owner[by_item]
        parts = list(self._links_of_items(items))
        found = np.concatenate([_NONE, *(part.members for part in parts)])
        item = np.concatenate([_NONE, *(np.repeat(part.owners, part.sizes) for part in parts)])
        rows = look_up(items, owner, item)
        return (rows, found) if self._incidence.group is None else _distinct_pairs(rows, found)

    @cached_property
    def _group_of_items(self) -> tuple[Ids, Ids]:
        """The items of known groups, in ascending order, and their groups."""
        group = self._incidence.group
        assert group is not None
        (item,) = group.table.primary_key.columns
        groups = read_groups(self._connection, group, item, group.is_not(None))
        order = np.argsort(groups.members)
        return groups.members[order], np.repeat(groups.owners, groups.sizes)[order]

    def _as_nodes(self, rows: Ids, items: Ids) -> tuple[Ids, Ids]:
        """Return the distinct pairs of a row and the node of an item in it."""
        if self._incidence.group is None:
            return rows, items
        ids, inverse = np.unique(items, return_inverse=True)
        nodes = look_up(*self._group_of_items, ids)[inverse]
        return _distinct_pairs(rows[nodes >= 0], nodes[nodes >= 0])


def _distinct_pairs(rows: Ids, values: Ids) -> tuple[Ids, Ids]:
    ids, inverse = np.unique(values, return_inverse=True)
    row, place = np.divmod(distinct(rows * max(1, len(ids)) + inverse), max(1, len(ids)))
    return row, ids[place]


def _arrange(groups: Groups, wanted: Ids) -> Groups:
    """Return the groups of *wanted* owners in that order, without those that have none."""
    order = look_up(groups.owners, np.arange(len(groups.owners)), wanted)
    order = order[order >= 0]
    starts = np.cumsum(groups.sizes) - groups.sizes
    sizes = groups.sizes[order]
    places = np.arange(sizes.sum()) + np.repeat(starts[order] - (np.cumsum(sizes) - sizes), sizes)
    return Groups(groups.owners[order], sizes, groups.members[places])


def _without(groups: Groups, removed: Groups) -> Groups:
    """Return *groups* without the members of *removed* ones, whose owners ascend."""
    kept = np.ones(len(groups.members), bool)
    ends, removed_ends = np.cumsum(groups.sizes), np.cumsum(removed.sizes)
    place = look_up(removed.owners, np.arange(len(removed.owners)), groups.owners)
    for row in np.flatnonzero(place >= 0).tolist():
        part = slice(ends[row] - groups.sizes[row], ends[row])
        end = removed_ends[place[row]]
        kept[part] = ~is_among(groups.members[part], removed.members[end - removed.sizes[place[row]] : end])
    sizes = np.bincount(np.repeat(np.arange(len(groups.owners)), groups.sizes)[kept], minlength=len(ends))
    some = sizes > 0
    return Groups(groups.owners[some], sizes[some], groups.members[kept])


def read_library(connection: sa.Connection, user: int, rows: Rows = "present") -> Ids:
    """Return the IDs of the tracks that *user* likes, in ascending order."""
    query = sa.select(engagements.c.track_id).where(
        LIKES, engagements.c.user_id == user, *present(engagements, rows)
    )
    return np.sort(np.array(connection.scalars(query).all(), np.int64))


def read_playlist(connection: sa.Connection, playlist: int, rows: Rows = "present") -> Ids:
    """Return the IDs of the tracks in *playlist*, in their order."""
    query = sa.select(playlist_tracks.c.track_id).where(
        playlist_tracks.c.playlist_id == playlist, *present(playlist_tracks, rows)
    )
    return np.array(connection.scalars(query.order_by(playlist_tracks.c.position)).all(), np.int64)


def is_known(connection: sa.Connection, kind: str, node: int) -> bool:
    """Return whether the database has a row for *node*; artists are users."""
    record = KINDS.get(kind, kind)
    key = RECORD_TABLES[record].c[f"{record}_id"]
    return connection.scalar(sa.select(key).where(key == node)) is not None


def read_removed(connection: sa.Connection, kind: str, include: Inclusion) -> Ids:
    """Return the tracks, users, artists or playlists to leave out because they have been removed.

    Their IDs ascend.
    """
    if include.removed:
        return _NONE
    table = RECORD_TABLES[KINDS.get(kind, kind)]
    (key,) = table.primary_key.columns
    query = sa.select(join_ids(key)).where(table.c.removed_at.is_not(None))
    return np.sort(parse_ids(connection.scalar(query)))


def read_names(connection: sa.Connection, kind: str, ids: Iterable[int]) -> dict[int, str | None]:
    """Return the title of each track, or the name of each user or artist; ``None`` if it is unknown."""
    record = KINDS[kind]
    key = RECORD_TABLES[record].c[f"{record}_id"]
    query = sa.select(key, NAMES[record]).where(key.in_([int(node) for node in ids]))
    return {row[0]: row[1] for row in connection.execute(query)}
