"""The neighbours of a track, a user or an artist: nodes that share contexts with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from sgr_spiders.storage.libraries import USUAL, Inclusion, has_looks, is_looked_at, present
from sgr_spiders.storage.looked_at import read_libraries
from sgr_spiders.storage.schema import NAMES, RECORD_TABLES, engagements, playlist_tracks, playlists, tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from sgr_spiders.storage.libraries import Rows

    Ids = NDArray[np.int64]

KINDS = {"track": "track", "user": "user", "artist": "user"}
"""The record kind of each kind of node."""

LIKES = engagements.c.kind == "like"
_OWN_LISTS = playlist_tracks.join(playlists, playlists.c.playlist_id == playlist_tracks.c.playlist_id)
_LIKED_UPLOADS = engagements.join(tracks, tracks.c.track_id == engagements.c.track_id)
_LISTED_UPLOADS = playlist_tracks.join(tracks, tracks.c.track_id == playlist_tracks.c.track_id)


@dataclass(frozen=True, slots=True)
class Incidence:
    """Nodes and their contexts, e.g. tracks and the users who like them.

    *links*: the table of the links between both. *user*: which of both columns are users, whose libraries
    must have been looked at.
    """

    node: sa.Column[int]
    context: sa.Column[int]
    rows: sa.FromClause
    condition: sa.ColumnElement[bool]
    links: sa.Table
    user: sa.Column[int] | None = None

    def which(self, include: Inclusion) -> sa.ColumnElement[bool]:
        """Return the condition of the rows that count, whatever was looked at."""
        return sa.and_(self.condition, *present(self.links, include.rows))

    def contexts_of(self, connection: sa.Connection, node: int, include: Inclusion) -> sa.Select[Any]:
        """Return the query for the contexts of *node* that count."""
        query = sa.select(self.context).select_from(self.rows)
        query = query.where(self.which(include), self.node == node)
        if self.user is self.context and not include.unseen and has_looks(connection):
            query = query.where(is_looked_at(self.context))
        return query


def _by_likes(node: sa.Column[int], context: sa.Column[int], rows: sa.FromClause) -> Incidence:
    return Incidence(node, context, rows, LIKES, engagements, engagements.c.user_id)


def _by_playlists(node: sa.Column[int], context: sa.Column[int], rows: sa.FromClause) -> Incidence:
    return Incidence(node, context, rows, sa.true(), playlist_tracks)


FANS = {
    "track": _by_likes(engagements.c.track_id, engagements.c.user_id, engagements),
    "user": _by_likes(engagements.c.user_id, engagements.c.track_id, engagements),
    "artist": _by_likes(tracks.c.artist_id, engagements.c.user_id, _LIKED_UPLOADS),
}
"""Incidences by likes: tracks and artists share fans, users share liked tracks."""

PLAYLISTS = {
    "track": _by_playlists(playlist_tracks.c.track_id, playlist_tracks.c.playlist_id, playlist_tracks),
    "user": _by_playlists(playlists.c.owner_id, playlist_tracks.c.track_id, _OWN_LISTS),
    "artist": _by_playlists(tracks.c.artist_id, playlist_tracks.c.playlist_id, _LISTED_UPLOADS),
}
"""Incidences by playlists: tracks and artists share playlists, users share the tracks of their playlists."""


def read_neighbourhood(
    connection: sa.Connection, incidence: Incidence, node: int, include: Inclusion = USUAL
) -> tuple[Ids, Ids]:
    """Return the distinct pairs of a context of *node* and a node in it, as two arrays.

    The pairs include *node* itself.
    """
    query = (
        sa.select(incidence.context, incidence.node)
        .select_from(incidence.rows)
        .where(
            incidence.which(include),
            incidence.node.is_not(None),
            incidence.context.in_(incidence.contexts_of(connection, node, include)),
        )
        .distinct()
    )
    pairs = np.array(connection.execute(query).all(), np.int64).reshape(-1, 2)
    if incidence.user is incidence.node:
        # One pass over the ledger instead of a lookup for each row.
        pairs = pairs[read_libraries(connection, "user", include).contain(pairs[:, 1])]
    return pairs[:, 0], pairs[:, 1]


def count_shared(
    connection: sa.Connection,
    incidence: Incidence,
    node: int,
    others: Sequence[int],
    include: Inclusion = USUAL,
) -> dict[int, int]:
    """Count the contexts that each of the *others* shares with *node*."""
    query = (
        sa.select(incidence.node, sa.func.count(incidence.context.distinct()))
        .select_from(incidence.rows)
        .where(
            incidence.which(include),
            incidence.node.in_(others),
            incidence.context.in_(incidence.contexts_of(connection, node, include)),
        )
        .group_by(incidence.node)
    )
    found = {row[0]: row[1] for row in connection.execute(query)}
    return {other: found.get(other, 0) for other in others}


def count_left_out(connection: sa.Connection, incidence: Incidence, node: int, include: Inclusion) -> int:
    """Count the users around *node* who do not count, because their libraries were not looked at."""
    if incidence.user is None:
        return 0
    around = incidence.contexts_of(connection, node, Inclusion(unseen=True, removed=include.removed))
    if incidence.user is incidence.node:
        around = (
            sa.select(incidence.user)
            .select_from(incidence.rows)
            .where(incidence.which(include), incidence.context.in_(around))
        )
    users = np.array(connection.scalars(around.distinct()).all(), np.int64)
    return int((~read_libraries(connection, "user", include).contain(users)).sum())


def read_library(connection: sa.Connection, user: int, rows: Rows = "present") -> Ids:
    """Return the IDs of the tracks that *user* likes, in ascending order."""
    query = sa.select(engagements.c.track_id).where(
        LIKES, engagements.c.user_id == user, *present(engagements, rows)
    )
    return np.sort(np.array(connection.scalars(query).all(), np.int64))


def is_known(connection: sa.Connection, kind: str, node: int) -> bool:
    """Return whether the database has a row for *node*; artists are users."""
    record = KINDS[kind]
    key = RECORD_TABLES[record].c[f"{record}_id"]
    return connection.scalar(sa.select(key).where(key == node)) is not None


def read_removed(connection: sa.Connection, kind: str, include: Inclusion) -> Ids:
    """Return the IDs of the tracks, users or artists to leave out, because they have been removed."""
    if include.removed:
        return np.empty(0, np.int64)
    table = RECORD_TABLES[KINDS[kind]]
    (key,) = table.primary_key.columns
    return np.array(connection.scalars(sa.select(key).where(table.c.removed_at.is_not(None))).all(), np.int64)


def read_names(connection: sa.Connection, kind: str, ids: Iterable[int]) -> dict[int, str | None]:
    """Return the title of each track, or the name of each user or artist; ``None`` if it is unknown."""
    record = KINDS[kind]
    key = RECORD_TABLES[record].c[f"{record}_id"]
    query = sa.select(key, NAMES[record]).where(key.in_([int(node) for node in ids]))
    return {row[0]: row[1] for row in connection.execute(query)}
