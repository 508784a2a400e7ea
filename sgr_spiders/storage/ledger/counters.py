"""The API's counters of the items of lists, which records contain.

A counter tells without a request whether a list has changed, if its record was fetched lately.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.prepared import CompiledStatement
from sgr_spiders.storage.schema import playlists, tracks, users, walks

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Connection

COUNTERS = {
    "user_likes": users.c.public_favorites_count,
    "user_reposts": users.c.reposts_count,
    "user_tracks": users.c.track_count,
    "user_playlists": users.c.playlist_count,
    "track_favoriters": tracks.c.favoritings_count,
    "track_reposters": tracks.c.reposts_count,
    "track_comments": tracks.c.comment_count,
    "playlist_tracks": playlists.c.track_count,
}
"""The columns that count the items of lists."""


def _key_of(counter: sa.Column[int]) -> sa.Column[int]:
    (key,) = counter.table.primary_key.columns
    return key


_COUNTS = {
    endpoint: CompiledStatement(sa.select(counter).where(_key_of(counter) == sa.bindparam("record")))
    for endpoint, counter in COUNTERS.items()
}


def read(connection: Connection, endpoint: str, target: str) -> int | None:
    """Return the stored counter of a list; ``None`` if it has none, or it is hidden."""
    if endpoint not in _COUNTS:
        return None
    count: int | None = _COUNTS[endpoint].execute(connection, {"record": int(target)}).scalar()
    return count


def is_unchanged(fetched_after: str) -> sa.ColumnElement[bool]:
    """Return the condition that the counter of a walk is as at its last look, and was fetched since.

    An API that hides a counter may send 0, so 0 tells nothing of a list that had items.
    """
    return sa.or_(*(_is_as_counted(endpoint, fetched_after) for endpoint in COUNTERS))


def _is_as_counted(endpoint: str, fetched_after: str) -> sa.ColumnElement[bool]:
    counter = COUNTERS[endpoint]
    key = _key_of(counter)
    same = sa.exists().where(
        key == sa.cast(walks.c.target, key.type),
        counter == walks.c.counted,
        sa.or_(counter > 0, walks.c.kept == 0),
        counter.table.c.fetched_at >= fetched_after,
    )
    return sa.and_(walks.c.endpoint == endpoint, same)
