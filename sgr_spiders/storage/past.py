"""Read what was present at an earlier time, as the stamps of the rows tell it.

A row was present from ``first_seen_at`` until ``removed_at``. Of a row that was removed and came back, only
the last stay is known. A library counts if a page of it had been fetched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from sgr_spiders.storage.looked_at import ALL_COUNT, Libraries
from sgr_spiders.storage.lookup import distinct, join_ids, parse_ids
from sgr_spiders.storage.pairs.reading import read_groups
from sgr_spiders.storage.schema import RECORD_TABLES, engagements, playlist_tracks, tracks, walk_pages, walks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sgr_spiders.storage.libraries import Inclusion, Rows
    from sgr_spiders.storage.pairs.reading import Groups

    Ids = NDArray[np.int64]
    Condition = sa.ColumnElement[bool]


def present_at(table: sa.Table, moment: str | None, rows: Rows = "present") -> tuple[Condition, ...]:
    """Return the conditions of the rows that were present just before *moment*; ``None``: are present now.

    With all *rows*, those that had been removed before count as well.
    """
    is_left = table.c.removed_at.is_(None)
    if moment is None:
        return () if rows == "all" else (is_left,)
    was_seen = sa.or_(table.c.first_seen_at.is_(None), table.c.first_seen_at < moment)
    return (was_seen,) if rows == "all" else (was_seen, sa.or_(is_left, table.c.removed_at >= moment))


def read_likes_at(connection: sa.Connection, kinds: Sequence[str], moment: str, rows: Rows) -> Groups:
    """Return the tracks of each user by engagements of these *kinds*, once for each kind."""
    conditions = engagements.c.kind.in_(kinds), *present_at(engagements, moment, rows)
    return read_groups(connection, engagements.c.user_id, engagements.c.track_id, *conditions)


def read_playlists_at(connection: sa.Connection, moment: str, rows: Rows) -> Groups:
    """Return the tracks of each playlist."""
    places = playlist_tracks.c
    conditions = present_at(playlist_tracks, moment, rows)
    return read_groups(connection, places.playlist_id, places.track_id, *conditions)


def read_libraries_at(
    connection: sa.Connection, kinds: Sequence[str], moment: str, include: Inclusion
) -> Libraries:
    """Return the libraries of users that counted where engagements of these *kinds* are compared."""
    looks = walks.c.endpoint == "user_likes", walks.c.created_at < moment
    asked = connection.scalar(sa.select(sa.exists().where(*looks)))
    if include.unseen or "like" not in kinds or not asked:
        return ALL_COUNT
    fetched = sa.exists().where(
        walk_pages.c.walk_id == walks.c.walk_id, walk_pages.c.fetched_at < moment, walk_pages.c.received > 0
    )
    # `retention.page_ledgers` drops the pages of earlier generations.
    has_earlier = sa.and_(walks.c.generation > 0, walks.c.kept_before > 0)
    seen = sa.select(join_ids(walks.c.target)).where(*looks, sa.or_(fetched, has_earlier))
    return Libraries(distinct(parse_ids(connection.scalar(seen))), np.empty(0, np.int64))


def read_ids(connection: sa.Connection, kind: str, moment: str | None) -> Ids:
    """Return the IDs of the tracks or users that are present, or were before *moment*, in ascending order.

    Those of which only the ID is known count; ``artist`` are the artists of these tracks.
    """
    if kind == "artist":
        chosen, table = tracks.c.artist_id, tracks
    else:
        table = RECORD_TABLES[kind]
        chosen = table.c[f"{kind}_id"]
    query: sa.Select[Any] = sa.select(join_ids(chosen)).where(chosen.is_not(None), *present_at(table, moment))
    return distinct(parse_ids(connection.scalar(query)))
