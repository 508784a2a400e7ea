"""Read the positions of likes and reposts in the lists of users, which are newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from sgr_spiders.storage.ledger.like_times import LIKE_LISTS
from sgr_spiders.storage.schema import walk_pages, walk_records, walks

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    Ids = NDArray[np.int64]

_ROWS_AT_A_TIME = 50_000


@dataclass(frozen=True, slots=True)
class ListPositions:
    """Likes in the lists of users: one element per like in each array.

    The like at position 0 is the newest of its user's list; positions of one user ascend without gaps.
    """

    users: Ids
    tracks: Ids
    positions: Ids


def read_list_positions(connection: sa.Connection, kind: str, user: int | None = None) -> ListPositions:
    """Return the positions of all engagements of *kind* that are in their user's list, if it is newest first.

    Those of all users, or of one *user*.

    A look only at the newest gives them positions from 0 and leaves the positions of the others, so the looks
    come before the positions: the last look first.
    """
    endpoints = [
        name for name, listed in LIKE_LISTS.items() if (listed.kind, listed.owner) == (kind, "user_id")
    ]
    query = (
        sa.select(
            sa.cast(walks.c.target, sa.BigInteger),
            walk_records.c.record_id,
            walk_records.c.generation,
            walk_records.c.position,
        )
        .join_from(walk_records, walks, walks.c.walk_id == walk_records.c.walk_id)
        .where(
            walks.c.endpoint.in_(endpoints),
            walk_records.c.kind == "track",
            walk_records.c.removed_at.is_(None),
            walks.c.walk_id.not_in(_without_order(endpoints)),
        )
    )
    if user is not None:
        query = query.where(walks.c.target == str(user))
    parts = [np.empty((0, 4), np.int64)]
    rows = connection.execute(query, execution_options={"yield_per": _ROWS_AT_A_TIME})
    parts += [np.array(some, np.int64) for some in rows.partitions()]
    users, tracks, generations, positions = np.concatenate(parts).T
    order = np.lexsort((positions, -generations, users))
    users, tracks = users[order], tracks[order]
    starts = np.searchsorted(users, users)
    return ListPositions(users, tracks, np.arange(len(users)) - starts)


def _without_order(endpoints: list[str]) -> sa.Select[Any]:
    """Return the query for the lists of several pages whose times do not show that they are newest first.

    The times of pages are dropped if they rise (``like_times``). Where no list has any, they are not stored,
    or the source does not tell them: the order of the lists is then taken as documented.
    """
    of_kind = sa.select(walks.c.walk_id).where(walks.c.endpoint.in_(endpoints))
    second, dated = walk_pages.alias(), walk_pages.alias()
    has_second = sa.exists().where(
        second.c.walk_id == walk_pages.c.walk_id,
        second.c.generation == walk_pages.c.generation,
        second.c.page == 1,
    )
    has_times = sa.exists().where(dated.c.walk_id.in_(of_kind), dated.c.boundary_at.is_not(None))
    return sa.select(walk_pages.c.walk_id).where(
        walk_pages.c.walk_id.in_(of_kind),
        walk_pages.c.page == 0,
        walk_pages.c.boundary_at.is_(None),
        has_second,
        has_times,
    )
