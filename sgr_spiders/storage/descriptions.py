"""Names of tracks and users, and the addresses of their pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.schema import tracks, users

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sgr_spiders.storage.store import Connection


@dataclass(frozen=True, slots=True)
class DescribedTrack:
    """A track with its artist; what is not known is ``None``."""

    track_id: int
    title: str | None
    url: str | None
    genre: str | None
    plays: int | None
    artist_id: int | None
    artist: str | None
    artist_url: str | None


@dataclass(frozen=True, slots=True)
class DescribedUser:
    """A user or artist; what is not known is ``None``."""

    user_id: int
    name: str | None
    url: str | None
    followers: int | None


def describe_tracks(
    connection: Connection, ids: Iterable[int], *, include_removed: bool = False
) -> dict[int, DescribedTrack]:
    """Return the tracks with these IDs, by ID, in ascending order."""
    query = sa.select(
        tracks.c.track_id,
        tracks.c.title,
        tracks.c.permalink_url,
        tracks.c.genre,
        tracks.c.playback_count,
        tracks.c.artist_id,
        users.c.username,
        users.c.permalink_url,
    ).outerjoin(users, users.c.user_id == tracks.c.artist_id)
    if not include_removed:
        query = query.where(tracks.c.removed_at.is_(None))
    return {
        row[0]: DescribedTrack(*row)
        for part in chunked(sorted(set(ids)))
        for row in connection.execute(query.where(tracks.c.track_id.in_(part)).order_by(tracks.c.track_id))
    }


def describe_users(connection: Connection, ids: Iterable[int]) -> dict[int, DescribedUser]:
    """Return the users with these IDs that are present, by ID, in ascending order."""
    query = sa.select(
        users.c.user_id, users.c.username, users.c.permalink_url, users.c.followers_count
    ).where(users.c.removed_at.is_(None))
    return {
        row[0]: DescribedUser(*row)
        for part in chunked(sorted(set(ids)))
        for row in connection.execute(query.where(users.c.user_id.in_(part)).order_by(users.c.user_id))
    }


def read_artist_genres(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Return the genre of most tracks of each artist, as far as it is known."""
    times = sa.func.count().label("times")
    query = (
        sa.select(tracks.c.artist_id, tracks.c.genre)
        .where(tracks.c.genre.is_not(None), tracks.c.genre != "", tracks.c.removed_at.is_(None))
        .group_by(tracks.c.artist_id, tracks.c.genre)
        .order_by(times, tracks.c.genre.desc())
    )
    # The last row of each artist is the most frequent genre.
    return {
        row[0]: row[1]
        for part in chunked(sorted(set(ids)))
        for row in connection.execute(query.where(tracks.c.artist_id.in_(part)))
    }
