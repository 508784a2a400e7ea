"""The neighbours of a track, a user or an artist: nodes that share contexts with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from sgr_spiders.storage.pairs.tables import NAMES
from sgr_spiders.storage.schema import RECORD_TABLES, engagements, playlist_tracks, playlists, tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    Ids = NDArray[np.int64]

KINDS = {"track": "track", "user": "user", "artist": "user"}
"""The record kind of each kind of node."""

LIKES = engagements.c.kind == "like"
_OWN_LISTS = playlist_tracks.join(playlists, playlists.c.playlist_id == playlist_tracks.c.playlist_id)
_LIKED_UPLOADS = engagements.join(tracks, tracks.c.track_id == engagements.c.track_id)
_LISTED_UPLOADS = playlist_tracks.join(tracks, tracks.c.track_id == playlist_tracks.c.track_id)


@dataclass(frozen=True, slots=True)
class Incidence:
    """Nodes and their contexts, e.g. tracks and the users who like them."""

    node: sa.Column[int]
    context: sa.Column[int]
    rows: sa.FromClause
    condition: sa.ColumnElement[bool]

    def contexts_of(self, node: int) -> sa.Select[Any]:
        return sa.select(self.context).select_from(self.rows).where(self.condition, self.node == node)


FANS = {
    "track": Incidence(engagements.c.track_id, engagements.c.user_id, engagements, LIKES),
    "user": Incidence(engagements.c.user_id, engagements.c.track_id, engagements, LIKES),
    "artist": Incidence(tracks.c.artist_id, engagements.c.user_id, _LIKED_UPLOADS, LIKES),
}
"""Incidences by likes: tracks and artists share fans, users share liked tracks."""

PLAYLISTS = {
    "track": Incidence(playlist_tracks.c.track_id, playlist_tracks.c.playlist_id, playlist_tracks, sa.true()),
    "user": Incidence(playlists.c.owner_id, playlist_tracks.c.track_id, _OWN_LISTS, sa.true()),
    "artist": Incidence(tracks.c.artist_id, playlist_tracks.c.playlist_id, _LISTED_UPLOADS, sa.true()),
}
"""Incidences by playlists: tracks and artists share playlists, users share the tracks of their playlists."""


def read_neighbourhood(connection: sa.Connection, incidence: Incidence, node: int) -> tuple[Ids, Ids]:
    """Return the distinct pairs of a context of *node* and a node in it, as two arrays.

    The pairs include *node* itself.
    """
    query = (
        sa.select(incidence.context, incidence.node)
        .select_from(incidence.rows)
        .where(
            incidence.condition,
            incidence.node.is_not(None),
            incidence.context.in_(incidence.contexts_of(node)),
        )
        .distinct()
    )
    pairs = np.array(connection.execute(query).all(), np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def count_shared(
    connection: sa.Connection, incidence: Incidence, node: int, others: Sequence[int]
) -> dict[int, int]:
    """Count the contexts that each of the *others* shares with *node*."""
    query = (
        sa.select(incidence.node, sa.func.count(incidence.context.distinct()))
        .select_from(incidence.rows)
        .where(
            incidence.condition,
            incidence.node.in_(others),
            incidence.context.in_(incidence.contexts_of(node)),
        )
        .group_by(incidence.node)
    )
    found = {row[0]: row[1] for row in connection.execute(query)}
    return {other: found.get(other, 0) for other in others}


def read_library(connection: sa.Connection, user: int) -> Ids:
    """Return the IDs of the tracks that *user* likes, in ascending order."""
    query = sa.select(engagements.c.track_id).where(LIKES, engagements.c.user_id == user)
    return np.sort(np.array(connection.scalars(query).all(), np.int64))


def is_known(connection: sa.Connection, kind: str, node: int) -> bool:
    """Return whether the database has a row for *node*; artists are users."""
    record = KINDS[kind]
    key = RECORD_TABLES[record].c[f"{record}_id"]
    return connection.scalar(sa.select(key).where(key == node)) is not None


def read_names(connection: sa.Connection, kind: str, ids: Iterable[int]) -> dict[int, str | None]:
    """Return the title of each track, or the name of each user or artist; ``None`` if it is unknown."""
    record = KINDS[kind]
    key = RECORD_TABLES[record].c[f"{record}_id"]
    query = sa.select(key, NAMES[record]).where(key.in_([int(node) for node in ids]))
    return {row[0]: row[1] for row in connection.execute(query)}
