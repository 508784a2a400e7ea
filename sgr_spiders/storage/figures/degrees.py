"""The distributions of the numbers of links that records have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.libraries import LOOKED_AT, has_looks, state_of_user_library
from sgr_spiders.storage.schema import Id, comments, engagements, playlist_tracks, walks

if TYPE_CHECKING:
    from typing import Any

    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.store import Connection


@dataclass(frozen=True, slots=True)
class Distribution:
    """The number of records for each number of links, by number of links; records without links are left out.

    *name*: what is counted, e.g. ``likes per track``.
    """

    name: str
    counts: tuple[tuple[int, int], ...]

    @property
    def records(self) -> int:
        return sum(count for _, count in self.counts)


def read_distributions(connection: Connection) -> list[Distribution]:
    """Return the distributions of the links that are present, first those of tracks."""
    likes = (engagements.c.kind == "like", engagements.c.removed_at.is_(None))
    listed = playlist_tracks.c.removed_at.is_(None)
    libraries = (*likes, engagements.c.user_id.in_(_select_looked_at())) if has_looks(connection) else likes
    return [
        _distribution(connection, "likes per track", engagements.c.track_id, *likes),
        _distribution(connection, "playlists per track", playlist_tracks.c.track_id, listed),
        _distribution(connection, "comments per track", comments.c.track_id, comments.c.removed_at.is_(None)),
        _distribution(connection, "likes per library", engagements.c.user_id, *libraries),
        _distribution(connection, "tracks per playlist", playlist_tracks.c.playlist_id, listed),
    ]


def read_pair_distribution(connection: Connection, name: str, pairs: PairTable) -> Distribution:
    """Return the distribution of the neighbours of each node in a relationship table."""
    table = pairs.as_table()
    ends = sa.union_all(*(sa.select(table.c[key].label("node")) for key in pairs.keys)).subquery()
    return _distribution(connection, name, ends.c.node)


def _distribution(
    connection: Connection, name: str, owner: sa.ColumnElement[Any], *conditions: sa.ColumnElement[bool]
) -> Distribution:
    links = sa.select(owner, sa.func.count().label("links")).where(*conditions).group_by(owner).subquery()
    query = sa.select(links.c.links, sa.func.count()).group_by(links.c.links).order_by(links.c.links)
    return Distribution(name, tuple((row[0], row[1]) for row in connection.execute(query)))


def _select_looked_at() -> sa.Select[Any]:
    return sa.select(sa.cast(walks.c.target, Id)).where(
        walks.c.endpoint == "user_likes", state_of_user_library().in_(LOOKED_AT)
    )
