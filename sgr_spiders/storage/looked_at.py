"""Read which libraries were looked at, for those who compare users or playlists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from sgr_spiders.storage.libraries import LOOKED_AT, has_looks, libraries, state_of_user_library
from sgr_spiders.storage.lookup import distinct, is_among, join_ids, parse_ids
from sgr_spiders.storage.schema import walks

if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any, Literal

    from numpy.typing import NDArray

    from sgr_spiders.storage.libraries import Inclusion

    Ids = NDArray[np.int64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Libraries:
    """The libraries that count, by the IDs of their users or playlists, in ascending order.

    ``seen``: those that were looked at; ``None``: all libraries count. ``cut``: those that were looked at
    only in part.
    """

    seen: Ids | None
    cut: Ids

    def contain(self, ids: Ids) -> Mask:
        """Return which of *ids* have a library that counts."""
        return np.ones(len(ids), bool) if self.seen is None else is_among(ids, self.seen)

    def cut_short(self, ids: Ids) -> Mask:
        """Return which of *ids* have a library that was looked at only in part."""
        return is_among(ids, self.cut)


ALL_COUNT = Libraries(None, np.empty(0, np.int64))
"""The libraries where nothing says what was looked at."""


def count_missing(connection: sa.Connection, playlist: int) -> int:
    """Return how many tracks of *playlist* were not looked at, at least 1 unless all were."""
    columns = libraries.c.library, libraries.c.kept, libraries.c.expected
    query = sa.select(*columns).where(libraries.c.kind == "playlist", libraries.c.record_id == playlist)
    row = connection.execute(query).first()
    if row is None or row.library == "whole":
        return 0
    return max(1, int(row.expected or 0) - int(row.kept))


def read_libraries(
    connection: sa.Connection, kind: Literal["user", "playlist"], include: Inclusion
) -> Libraries:
    """Return the libraries of users or playlists that count, in one pass.

    All count if *include* says so, and all users if the library of none was requested.
    """
    if kind == "user" and not has_looks(connection):
        return ALL_COUNT
    query = _user_ids() if kind == "user" else _playlist_ids()
    whole, cut = (parse_ids(text) for text in connection.execute(query).one())
    return Libraries(None if include.unseen else distinct(np.concatenate([whole, cut])), distinct(cut))


def read_user_libraries(connection: sa.Connection, kinds: Container[str], include: Inclusion) -> Libraries:
    """Return the libraries of users that count where engagements of these *kinds* are compared."""
    # Comments and reposts are never looked at by user: without likes, no library is.
    return read_libraries(connection, "user", include) if "like" in kinds else ALL_COUNT


def _user_ids() -> sa.Select[Any]:
    return _ids_by_state(state_of_user_library(), walks.c.target).select_from(walks)


def _playlist_ids() -> sa.Select[Any]:
    return _ids_by_state(libraries.c.library, libraries.c.record_id).where(libraries.c.kind == "playlist")


def _ids_by_state(state: sa.ColumnElement[str], record_id: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Return the query for one string of IDs for each state of ``LOOKED_AT``."""
    return sa.select(*(join_ids(sa.case((state == found, record_id))) for found in LOOKED_AT))
