"""Read the input of relationships.

The database joins IDs into strings or bytes, which numpy parses: ten times as fast as reading rows as Python
objects.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from sgr_spiders.storage.libraries import present
from sgr_spiders.storage.schema import (
    engagements,
    playlist_tracks,
    playlists,
    selections,
    tracks,
    walk_pages,
    walk_requests,
    walks,
)
from sgr_spiders.storage.server import on_server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from sgr_spiders.storage.libraries import Rows
    from sgr_spiders.storage.looked_at import Libraries

OWNERS_AT_A_TIME = 4_096

InputName = Literal["likes", "playlists", "uploads", "owners"]
"""The rows that relationships are built from."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Owners and their members: the owners' IDs, their numbers of members, and the members' IDs by owner."""

    owners: NDArray[np.int64]
    sizes: NDArray[np.int64]
    members: NDArray[np.int64]


SETS = ("album", "ep", "single")
"""The types that the API gives to what an artist has released."""


@dataclass(frozen=True, slots=True)
class PlaylistFacts:
    """The owners of playlists, 0 if unknown, and whether the API calls each an album, an EP or a single.

    The IDs ascend.
    """

    ids: NDArray[np.int64]
    owners: NDArray[np.int64]
    is_set: NDArray[np.bool_]

    def of(self, playlists: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the owner and the flag of each of *playlists*; of one that is not known, 0 and false."""
        import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

        from sgr_spiders.storage.lookup import look_up  # noqa: PLC0415 - the same

        at = look_up(self.ids, np.arange(len(self.ids)), playlists)
        return np.append(self.owners, 0)[at], np.append(self.is_set, False)[at]

    def checksum(self) -> str:
        """Return a hash of all facts."""
        digest = hashlib.blake2b(digest_size=16)
        for column in (self.ids, self.owners, self.is_set):
            digest.update(column.tobytes())
        return digest.hexdigest()


def read_playlist_facts(connection: sa.Connection) -> PlaylistFacts:
    """Return the facts of all playlists, also of those that were removed."""
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    from sgr_spiders.storage.lookup import join_ids, parse_ids  # noqa: PLC0415 - the same

    is_set = sa.case((sa.func.lower(playlists.c.playlist_type).in_(SETS), 1), else_=0)
    columns = playlists.c.playlist_id, sa.func.coalesce(playlists.c.owner_id, 0), is_set
    # A value of all playlists could exceed the gigabyte that a database allows.
    buckets = sa.select(join_ids(*columns)).group_by(playlists.c.playlist_id % OWNERS_AT_A_TIME)
    rows = parse_ids(*connection.scalars(buckets).all()).reshape(-1, len(columns))
    rows = rows[np.argsort(rows[:, 0])]
    return PlaylistFacts(rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2] != 0)


def read_likes(connection: sa.Connection, kinds: Sequence[str], rows: Rows = "present") -> Groups:
    """Return the tracks of each user by engagements of these *kinds*, once for each kind."""
    return read_groups(connection, *_likes(kinds, rows))


def read_playlists(connection: sa.Connection, rows: Rows = "present") -> Groups:
    """Return the tracks of each playlist."""
    return read_groups(connection, *_memberships(rows))


def read_uploads(connection: sa.Connection) -> Groups:
    """Return the tracks of each artist, without tracks of unknown artists."""
    return read_groups(connection, *_uploads())


def checksum(
    connection: sa.Connection, name: InputName, kinds: Sequence[str], rows: Rows, libraries: Libraries
) -> str:
    """Return a hash of an input, whatever the order of its rows.

    Only the owners in *libraries* count; *kinds* are those of ``read_likes``.
    """
    columns = {"likes": _likes(kinds, rows), "playlists": _memberships(rows), "uploads": _uploads()}[name]
    return checksum_of(_read_parts(connection, *columns), libraries)


def checksum_of(parts: Iterable[Groups], libraries: Libraries) -> str:
    """Return the hash of an input that is read in *parts*."""
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    from sgr_spiders.storage.lookup import mix  # noqa: PLC0415 - the same

    count, total = 0, 0
    for part in parts:
        kept = np.repeat(libraries.contain(part.owners), part.sizes)
        # The hash tells cut libraries from whole ones.
        owners = part.owners.astype(np.uint64) << np.uint64(1) | libraries.cut_short(part.owners)
        total += int(mix(mix(np.repeat(owners, part.sizes)) + part.members.astype(np.uint64))[kept].sum())
        count += int(kept.sum())
    return f"{count} {total % 2**64:016x}"


def _likes(kinds: Sequence[str], rows: Rows) -> tuple[sa.ColumnElement[Any], ...]:
    return (
        engagements.c.user_id,
        engagements.c.track_id,
        engagements.c.kind.in_(kinds),
        *present(engagements, rows),
    )


def _memberships(rows: Rows) -> tuple[sa.ColumnElement[Any], ...]:
    return playlist_tracks.c.playlist_id, playlist_tracks.c.track_id, *present(playlist_tracks, rows)


def _uploads() -> tuple[sa.ColumnElement[Any], ...]:
    return tracks.c.artist_id, tracks.c.track_id, tracks.c.artist_id.is_not(None)


def read_groups(
    connection: sa.Connection,
    owner: sa.ColumnElement[Any],
    member: sa.ColumnElement[Any] | Sequence[sa.ColumnElement[Any]],
    *conditions: sa.ColumnElement[bool],
) -> Groups:
    """Return the *member* values of each *owner*, in the rows that meet the conditions.

    Several columns count as several members.
    """
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    parts = list(_read_parts(connection, owner, member, *conditions))
    nothing = np.empty(0, np.int64)
    return Groups(
        np.concatenate([nothing, *(part.owners for part in parts)]),
        np.concatenate([nothing, *(part.sizes for part in parts)]),
        np.concatenate([nothing, *(part.members for part in parts)]),
    )


def read_in_order(
    connection: sa.Connection,
    owner: sa.ColumnElement[Any],
    order: sa.ColumnElement[Any],
    member: sa.ColumnElement[Any],
    *conditions: sa.ColumnElement[bool],
) -> Groups:
    """Return the *member* values of each *owner*, in ascending *order*."""
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    read = read_groups(connection, owner, (order, member), *conditions)
    place, members = read.members.reshape(-1, 2).T
    by_place = np.lexsort((place, np.repeat(np.arange(len(read.owners)), read.sizes)))
    return Groups(read.owners, read.sizes, members[by_place])


def _read_parts(
    connection: sa.Connection,
    owner: sa.ColumnElement[Any],
    member: sa.ColumnElement[Any] | Sequence[sa.ColumnElement[Any]],
    *conditions: sa.ColumnElement[bool],
) -> Iterator[Groups]:
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    from sgr_spiders.storage.lookup import join_ids, parse_ids  # noqa: PLC0415 - the same

    # Ordering by the grouping key costs no extra sort; the members come in any order.
    joined = join_ids(member) if isinstance(member, sa.ColumnElement) else join_ids(*member)
    query = sa.select(owner, sa.func.count(), joined).where(*conditions).group_by(owner).order_by(owner)
    for part in connection.execution_options(yield_per=OWNERS_AT_A_TIME).execute(query).partitions():
        owners, sizes, texts = zip(*part, strict=True)
        members = parse_ids(*texts)
        yield Groups(np.array(owners, np.int64), np.array(sizes, np.int64), members)


def read_discovered(
    connection: sa.Connection, kind: str, seeds: Sequence[int], rows: Rows = "present"
) -> NDArray[np.int64]:
    """Return the IDs of the records of *kind* found around any of the *seeds*, in ascending order."""
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    from sgr_spiders.storage.lookup import (  # noqa: PLC0415 - the same
        distinct,
        ids_of_walk,
        ids_of_walks,
        join_ids,
        parse_ids,
        select_wanted,
    )

    # The same as the view ``discoveries``. SQLite sorts its rows to make them distinct: 19 s of CPU time for
    # 4 million, where this takes 2.
    include_removed = rows == "all"
    wanted = (
        select_wanted(include_removed=include_removed).where(walk_requests.c.seed_id.in_(seeds)).subquery()
    )
    selected = sa.select(join_ids(selections.c.record_id)).where(
        selections.c.kind == kind, selections.c.seed_id.in_(seeds), *present(selections, rows)
    )
    found = [np.empty(0, np.int64)]
    if on_server(connection):
        listed = ids_of_walks(wanted, kind, include_removed=include_removed)
    else:
        listed = sa.select(ids_of_walk(wanted, kind, include_removed=include_removed)).select_from(wanted)
    for query in (listed, selected):
        parts = connection.scalars(query).partitions(OWNERS_AT_A_TIME)
        found += (distinct(parse_ids(*texts)) for texts in parts)
    return distinct(np.concatenate(found))


def read_stamp(connection: sa.Connection) -> str:
    """Return a hash that changes whenever the input of relationships may have changed.

    It does when a page is spilled, rows are otherwise added, removed, or marked as removed, or a walk gets
    another status, which changes what was looked at.
    """
    counts = [
        connection.scalar(sa.select(sa.func.count()).select_from(table)) for table in (tracks, walk_pages)
    ]
    links = [
        tuple(connection.execute(sa.select(sa.func.count(), *_removed(table)).select_from(table)).one())
        for table in (engagements, playlist_tracks)
    ]
    by_status = connection.execute(
        sa.select(walks.c.status, sa.func.count()).group_by(walks.c.status).order_by(walks.c.status)
    )
    newest = connection.scalar(sa.select(sa.func.max(walk_pages.c.fetched_at)))
    parts = [counts, links, [tuple(row) for row in by_status], newest]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def _removed(table: sa.Table) -> tuple[sa.ColumnElement[Any], ...]:
    return sa.func.count(table.c.removed_at), sa.func.max(table.c.removed_at)
