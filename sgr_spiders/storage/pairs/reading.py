"""Read the input of relationships.

The database joins IDs into strings, which numpy parses: ten times as fast as reading rows as Python objects.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from sgr_spiders.storage.schema import (
    engagements,
    playlist_tracks,
    selections,
    tracks,
    walk_pages,
    walk_requests,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

OWNERS_AT_A_TIME = 4_096

InputName = Literal["likes", "playlists", "uploads"]
"""The rows that relationships are built from."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Owners and their members: the owners' IDs, their numbers of members, and the members' IDs by owner."""

    owners: NDArray[np.int64]
    sizes: NDArray[np.int64]
    members: NDArray[np.int64]


def read_likes(connection: sa.Connection, kinds: Sequence[str]) -> Groups:
    """Return the tracks of each user by engagements of these *kinds*, once for each kind."""
    return read_groups(connection, *_likes(kinds))


def read_playlists(connection: sa.Connection) -> Groups:
    """Return the tracks of each playlist."""
    return read_groups(connection, *_memberships())


def read_uploads(connection: sa.Connection) -> Groups:
    """Return the tracks of each artist, without tracks of unknown artists."""
    return read_groups(connection, *_uploads())


def checksum(connection: sa.Connection, name: InputName, kinds: Sequence[str]) -> str:
    """Return a hash of the rows of an input, whatever their order; *kinds* are those of ``read_likes``."""
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    from sgr_spiders.storage.lookup import mix  # noqa: PLC0415 - the same

    columns = {"likes": _likes(kinds), "playlists": _memberships(), "uploads": _uploads()}[name]
    rows, total = 0, 0
    for part in _read_parts(connection, *columns):
        owners = mix(np.repeat(part.owners, part.sizes).astype(np.uint64))
        total += int(mix(owners + part.members.astype(np.uint64)).sum())
        rows += len(part.members)
    return f"{rows} {total % 2**64:016x}"


def _likes(kinds: Sequence[str]) -> tuple[sa.ColumnElement[Any], ...]:
    return engagements.c.user_id, engagements.c.track_id, engagements.c.kind.in_(kinds)


def _memberships() -> tuple[sa.ColumnElement[Any], ...]:
    return playlist_tracks.c.playlist_id, playlist_tracks.c.track_id


def _uploads() -> tuple[sa.ColumnElement[Any], ...]:
    return tracks.c.artist_id, tracks.c.track_id, tracks.c.artist_id.is_not(None)


def read_groups(
    connection: sa.Connection,
    owner: sa.ColumnElement[Any],
    member: sa.ColumnElement[Any],
    *conditions: sa.ColumnElement[bool],
) -> Groups:
    """Return the *member* values of each *owner*, in the rows that meet the conditions.

    A member may also be a string of integers separated by commas, which count as several members.
    """
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    parts = list(_read_parts(connection, owner, member, *conditions))
    nothing = np.empty(0, np.int64)
    return Groups(
        np.concatenate([nothing, *(part.owners for part in parts)]),
        np.concatenate([nothing, *(part.sizes for part in parts)]),
        np.concatenate([nothing, *(part.members for part in parts)]),
    )


def _read_parts(
    connection: sa.Connection,
    owner: sa.ColumnElement[Any],
    member: sa.ColumnElement[Any],
    *conditions: sa.ColumnElement[bool],
) -> Iterator[Groups]:
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    from sgr_spiders.storage.lookup import join_ids, parse_ids  # noqa: PLC0415 - the same

    # Ordering by the grouping key costs no extra sort; the members come in any order.
    query = (
        sa.select(owner, sa.func.count(), join_ids(member)).where(*conditions).group_by(owner).order_by(owner)
    )
    for part in connection.execution_options(yield_per=OWNERS_AT_A_TIME).execute(query).partitions():
        owners, sizes, texts = zip(*part, strict=True)
        members = parse_ids(",".join(texts))
        yield Groups(np.array(owners, np.int64), np.array(sizes, np.int64), members)


def read_discovered(connection: sa.Connection, kind: str, seeds: Sequence[int]) -> NDArray[np.int64]:
    """Return the IDs of the records of *kind* found around any of the *seeds*, in ascending order."""
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    from sgr_spiders.storage.lookup import (  # noqa: PLC0415 - the same
        distinct,
        ids_of_walk,
        join_ids,
        parse_ids,
    )

    # The same as the view ``discoveries``. SQLite sorts its rows to make them distinct: 19 s of CPU time for
    # 4 million, where this takes 2.
    wanted = (
        sa.select(walk_requests.c.walk_id, sa.func.max(walk_requests.c.widest).label("widest"))
        .where(walk_requests.c.seed_id.in_(seeds), sa.not_(walk_requests.c.selective))
        .group_by(walk_requests.c.walk_id)
        .subquery()
    )
    selected = sa.select(join_ids(selections.c.record_id)).where(
        selections.c.kind == kind, selections.c.seed_id.in_(seeds)
    )
    found = [np.empty(0, np.int64)]
    for query in (sa.select(ids_of_walk(wanted, kind)).select_from(wanted), selected):
        for texts in connection.scalars(query).partitions(OWNERS_AT_A_TIME):
            text = ",".join(text for text in texts if text is not None)
            found.append(distinct(parse_ids(text)))
    return distinct(np.concatenate(found))


def read_stamp(connection: sa.Connection) -> str:
    """Return a hash that changes whenever a page is spilled, or rows are otherwise added or removed.

    The input of relationships changes in no other way, so an equal stamp means equal input.
    """
    counts = [
        connection.scalar(sa.select(sa.func.count()).select_from(table))
        for table in (engagements, playlist_tracks, tracks, walk_pages)
    ]
    newest = connection.scalar(sa.select(sa.func.max(walk_pages.c.fetched_at)))
    return hashlib.blake2b(json.dumps([*counts, newest]).encode(), digest_size=16).hexdigest()
