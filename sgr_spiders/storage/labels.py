"""The titles, names and addresses that are shown beside IDs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.schema import NAMES, PAGES, RECORD_TABLES, playlists, tracks, users

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal

    from sgr_spiders.storage.store import Connection

KINDS = {"track": "track", "user": "user", "artist": "user", "playlist": "playlist"}
"""The record kind of each kind that users name; an artist is a user with tracks."""

_OWNERS = {"track": tracks.c.artist_id, "playlist": playlists.c.owner_id}


@dataclass(frozen=True, slots=True)
class Label:
    """The title, name and address of a record.

    Attributes:
        kind: `track`, `user` or `playlist`.
        id: Its ID.
        name: Its title, or the user's name; ``None`` if unknown.
        owner_id: The artist of a track, or the owner of a playlist.
        owner: That user's name.
        permalink_url: The address of its page.
        is_removed: Whether it has been removed.
    """

    kind: Literal["track", "user", "playlist"]
    id: int
    name: str | None = None
    owner_id: int | None = None
    owner: str | None = None
    permalink_url: str | None = None
    is_removed: bool = False


def read_labels(connection: Connection, kind: str, ids: Iterable[int]) -> dict[int, Label]:
    """Return the labels of the stored records of *kind* among *ids*."""
    record: Any = KINDS[kind]
    table = RECORD_TABLES[record]
    key = table.c[f"{record}_id"]
    columns = [key, NAMES[record], PAGES[record], table.c.removed_at.is_not(None)]
    query = sa.select(*columns, sa.null(), sa.null())
    if record in _OWNERS:
        query = sa.select(*columns, _OWNERS[record], users.c.username)
        query = query.outerjoin_from(table, users, users.c.user_id == _OWNERS[record])
    found: dict[int, Label] = {}
    for chunk in chunked(map(int, ids)):
        for row in connection.execute(query.where(key.in_(chunk))):
            found[row[0]] = Label(record, row[0], row[1], row[4], row[5], row[2], bool(row[3]))
    return found
