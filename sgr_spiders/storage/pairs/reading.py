"""Read what relationships are built from, column by column: a row as a Python object costs ten times its
share of a text that numpy reads.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.schema import (
    engagements,
    playlist_tracks,
    selections,
    tracks,
    walk_pages,
    walk_records,
    walk_requests,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

OWNERS_AT_A_TIME = 4_096


@dataclass(frozen=True, slots=True)
class Groups:
    """Who has what: the owners' ids, how many members each has, and the members' ids, owner by owner."""

    owners: NDArray[np.int64]
    sizes: NDArray[np.int64]
    members: NDArray[np.int64]


def read_likes(connection: sa.Connection, kinds: Sequence[str]) -> Groups:
    """Give the tracks of each user, over engagements of these *kinds*. Two kinds may give a track twice."""
    return read_groups(
        connection,
        engagements.c.user_id,
        engagements.c.track_id,
        engagements.c.kind.in_(kinds),
    )


def read_playlists(connection: sa.Connection) -> Groups:
    """Give the tracks of each playlist."""
    return read_groups(connection, playlist_tracks.c.playlist_id, playlist_tracks.c.track_id)


def read_uploads(connection: sa.Connection) -> Groups:
    """Give the tracks of each artist; tracks whose artist is not known are nobody's."""
    return read_groups(connection, tracks.c.artist_id, tracks.c.track_id, tracks.c.artist_id.is_not(None))


def read_groups(
    connection: sa.Connection,
    owner: sa.ColumnElement[Any],
    member: sa.ColumnElement[Any],
    *conditions: sa.ColumnElement[bool],
) -> Groups:
    """Give the *member*s of each *owner* in the rows that meet the conditions. A member may be a text of
    numbers with commas between them, which then count as so many members.
    """
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    # A name in the database's own grouping order costs no sort; the members come in any order.
    query = (
        sa.select(owner, sa.func.count(), _listed(member)).where(*conditions).group_by(owner).order_by(owner)
    )
    owners: list[int] = []
    sizes: list[int] = []
    members = []
    for part in connection.execution_options(yield_per=OWNERS_AT_A_TIME).execute(query).partitions():
        owners.extend(row[0] for row in part)
        sizes.extend(row[1] for row in part)
        text = ",".join(row[2] for row in part)
        members.append(np.fromstring(text, np.int64, sep=","))
    return Groups(
        np.array(owners, np.int64),
        np.array(sizes, np.int64),
        np.concatenate([np.empty(0, np.int64), *members]),
    )


def _listed(member: sa.ColumnElement[Any]) -> sa.Function[Any]:
    return sa.func.aggregate_strings(sa.cast(member, sa.Text), ",")


def read_discovered(connection: sa.Connection, kind: str, seeds: Sequence[int]) -> NDArray[np.int64]:
    """Give the ids of the records of *kind* that were found around any of the *seeds*, in order."""
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    from sgr_spiders.storage.lookup import distinct  # noqa: PLC0415 - the same

    # As the view ``discoveries`` says. To make 4 million of its rows distinct SQLite sorts them: 19 s of CPU
    # time, where this takes 2. A subquery for each walk, because a GROUP BY would sort them as well.
    wanted = (
        sa.select(walk_requests.c.walk_id, sa.func.max(walk_requests.c.widest).label("widest"))
        .where(walk_requests.c.seed_id.in_(seeds), sa.not_(walk_requests.c.selective))
        .group_by(walk_requests.c.walk_id)
        .subquery()
    )
    of_walk = (
        sa.select(_listed(walk_records.c.record_id))
        .where(
            walk_records.c.walk_id == wanted.c.walk_id,
            walk_records.c.kind == kind,
            walk_records.c.position < wanted.c.widest,
        )
        .scalar_subquery()
    )
    selected = sa.select(_listed(selections.c.record_id)).where(
        selections.c.kind == kind, selections.c.seed_id.in_(seeds)
    )
    found = [np.empty(0, np.int64)]
    for query in (sa.select(of_walk).select_from(wanted), selected):
        for texts in connection.scalars(query).partitions(OWNERS_AT_A_TIME):
            text = ",".join(text for text in texts if text is not None)
            found.append(distinct(np.fromstring(text, np.int64, sep=",")))
    return distinct(np.concatenate(found))


def read_stamp(connection: sa.Connection) -> str:
    """Hash what changes whenever a page is spilled, or rows are added or removed by other means.

    What relationships are built from changes in no other way, so an equal stamp means equal inputs.
    """
    counts = [
        connection.scalar(sa.select(sa.func.count()).select_from(table))
        for table in (engagements, playlist_tracks, tracks, walk_pages)
    ]
    newest = connection.scalar(sa.select(sa.func.max(walk_pages.c.fetched_at)))
    return hashlib.blake2b(json.dumps([*counts, newest]).encode(), digest_size=16).hexdigest()
