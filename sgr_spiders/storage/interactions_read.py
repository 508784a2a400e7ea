"""Read interactions of users and playlists with tracks, the data of interaction matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from sgr_spiders.storage.libraries import present
from sgr_spiders.storage.lookup import look_up
from sgr_spiders.storage.pairs.reading import Groups, read_in_order, read_likes, read_uploads
from sgr_spiders.storage.schema import engagements, playlist_tracks, playlists, run_seeds, walk_requests

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from sgr_spiders.storage.libraries import Rows

ENGAGEMENTS = ("like", "repost", "comment")
DATED = ("like", "repost")
"""The kinds of engagement with an interval in which they were given."""
_ROWS_AT_A_TIME = 50_000
_UNKNOWN = "NaT"
_ZONELESS = len("2026-11-27T12:00:00.000000")


@dataclass(frozen=True, slots=True)
class EngagementTimes:
    """When engagements were given: one element per engagement in each array.

    ``not_before`` and ``not_after`` are ``datetime64[us]`` in UTC, NaT if unknown.
    """

    users: NDArray[np.int64]
    tracks: NDArray[np.int64]
    not_before: NDArray[np.datetime64]
    not_after: NDArray[np.datetime64]


def read_engagements(connection: sa.Connection, kind: str, rows: Rows = "present") -> Groups:
    """Return the tracks of each user by engagements of one *kind*."""
    return read_likes(connection, [kind], rows)


def read_times(connection: sa.Connection, kinds: Sequence[str], rows: Rows = "present") -> EngagementTimes:
    """Return the intervals of the engagements of these *kinds*, as far as they are known."""
    ends = (
        sa.func.coalesce(sa.func.substr(end, 1, _ZONELESS), _UNKNOWN)
        for end in (engagements.c.not_before, engagements.c.not_after)
    )
    query = sa.select(engagements.c.user_id, engagements.c.track_id, *ends).where(
        engagements.c.kind.in_(kinds), engagements.c.not_after.is_not(None), *present(engagements, rows)
    )
    types: tuple[Any, ...] = (np.int64, np.int64, "datetime64[us]", "datetime64[us]")
    found: list[list[Any]] = [[np.empty(0, kind)] for kind in types]
    for some in connection.execution_options(yield_per=_ROWS_AT_A_TIME).execute(query).partitions():
        for parts, column, kind in zip(found, zip(*some, strict=True), types, strict=True):
            parts.append(np.array(column, kind))
    return EngagementTimes(*map(np.concatenate, found))


def read_memberships(connection: sa.Connection, rows: Rows = "present") -> tuple[Groups, NDArray[np.int64]]:
    """Return the tracks of each playlist, in order, and the owner of each playlist (-1 if unknown)."""
    columns = (playlist_tracks.c.playlist_id, playlist_tracks.c.position, playlist_tracks.c.track_id)
    read = read_in_order(connection, *columns, *present(playlist_tracks, rows))
    return read, _owners(connection, read.owners)


def _owners(connection: sa.Connection, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    query = sa.select(playlists.c.playlist_id, playlists.c.owner_id).where(playlists.c.owner_id.is_not(None))
    known = np.array(connection.execute(query.order_by(playlists.c.playlist_id)).all(), np.int64)
    ids, owners = known.reshape(-1, 2).T
    return look_up(ids, owners, wanted)


def read_artists(connection: sa.Connection, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the artist of each of the *wanted* tracks, -1 if unknown."""
    uploads = read_uploads(connection)
    order = np.argsort(uploads.members)
    artists = np.repeat(uploads.owners, uploads.sizes)[order]
    return look_up(uploads.members[order], artists, wanted)


def read_seeds(connection: sa.Connection) -> NDArray[np.int64]:
    """Return the IDs of all seeds of all harvests, in ascending order."""
    asked = sa.select(run_seeds.c.track_id).where(run_seeds.c.track_id.is_not(None))
    query = sa.union(asked, sa.select(walk_requests.c.seed_id))
    return np.unique(np.array(connection.scalars(query).all(), np.int64))
