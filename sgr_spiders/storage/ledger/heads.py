"""Look at the head of a newest-first list: from its newest item down to what is known.

A head look is a generation of its walk like a whole look. It ends at the first page without a new record,
once it has found a page's worth of known records in the known order. The records below are then taken over
into its generation, so that the walk lists the same as after a whole look. A record that was not found
between known ones has left the list.

If a record is new below a known one, or known ones are in another order, the list is not newest first: the
look goes on to the end of the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.storage.prepared import CompiledStatement
from sgr_spiders.storage.schema import walk_pages, walk_records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.storage.store import Connection

LISTED = {
    "user_likes": "track",
    "user_reposts": "track",
    "user_tracks": "track",
    "user_playlists": "playlist",
    "track_favoriters": "user",
    "track_reposters": "user",
}
"""The lists that may be newest first, and the kind of their records.

Comments are missing, because their walks have the order of their authors."""

MAX_LEFT = 3
"""Of so many known records in the known order, one may have left. If more are missing, they are not where
they were."""

_BOUNDARIES = CompiledStatement(
    sa.select(walk_pages.c.boundary_at)
    .where(
        walk_pages.c.walk_id == sa.bindparam("walk"), walk_pages.c.generation == sa.bindparam("generation")
    )
    .order_by(walk_pages.c.page)
)

DIFFERS = -1
"""The value of ``walks.neighbours`` for a list whose order differs from that of the look before."""


@dataclass(frozen=True, slots=True)
class Order:
    """The order of the look before, as far as a look has found it: columns of ``walks``.

    ``has_news`` tells whether the last page contained a new record.
    """

    neighbours: int | None
    known_to: int | None
    has_news: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """The records of the look before that a head look has not found: those below, and those that left."""

    below: int
    left: int


def follow(
    state: sa.Row[Any], ids: Sequence[int], seen: Mapping[int, int], before: Mapping[int, int]
) -> Order:
    """Return the order of a list after a page with the records *ids*.

    Args:
        state: The walk before the page.
        ids: The records of the page.
        seen: The positions of those that this look has found on earlier pages.
        before: The positions of the others in the look before.
    """
    neighbours, known_to = state.neighbours, state.known_to
    if neighbours is None or neighbours == DIFFERS:
        return Order(neighbours, known_to)
    has_news = False
    for record_id in dict.fromkeys(ids):
        if record_id in seen:
            continue
        position = before.get(record_id)
        if known_to is not None and (position is None or position < known_to):
            return Order(DIFFERS, None, has_news=True)
        if position is None:
            has_news = True
        else:
            neighbours, known_to = neighbours + 1, position
    return Order(neighbours, known_to, has_news)


def find_rest(
    connection: Connection, state: sa.Row[Any], order: Order, kept: int, cap: int | None
) -> Rest | None:
    """Return the rest of the list if a head look may end after a page with this *order*, else ``None``.

    It goes on until it has found enough, and if what it has *kept* does not reach the *cap* of the look
    before, because the records below that cap are not known.
    """
    neighbours = order.neighbours or 0
    if state.looked != "head" or order.has_news or neighbours < _page_size(connection, state):
        return None
    is_below = walk_records.c.position > order.known_to
    row = connection.execute(
        sa.select(
            sa.func.count().filter(is_below),
            sa.func.count().filter(sa.not_(is_below)),
        ).where(_of_look_before(state), walk_records.c.kind == LISTED[state.endpoint])
    ).one()
    rest = Rest(*row)
    if rest.left * MAX_LEFT > neighbours:
        return None
    was_capped = state.capped_at is not None
    return None if was_capped and (cap is None or kept + rest.below < cap) else rest


def take_over(connection: Connection, state: sa.Row[Any], order: Order, kept: int, cap: int | None) -> None:
    """Take the rest of the look before over into the generation of a head look that has *kept* records."""
    last = kept - 1
    position = sa.case(
        (walk_records.c.position > order.known_to, walk_records.c.position - order.known_to + last),
        # An embedded record whose parent left, and which perhaps has another parent below.
        else_=last,
    )
    below = sa.or_(
        walk_records.c.kind != LISTED[state.endpoint], walk_records.c.position > (order.known_to or 0)
    )
    which = sa.and_(_of_look_before(state), below)
    if cap is not None:
        which &= position < cap
    connection.execute(
        sa.update(walk_records).where(which).values(position=position, generation=state.generation)
    )


def learn_order(connection: Connection, state: sa.Row[Any], order: Order, kept: int) -> str | None:
    """Return how it is known after a whole look, which has *kept* records, that a list is newest first."""
    if state.endpoint not in LISTED or order.neighbours == DIFFERS:
        return None
    if _has_falling_cursors(connection, state):
        return "cursor"
    if order.neighbours and kept > order.neighbours:
        return "observed"
    known: str | None = state.newest_first
    return known


def _has_falling_cursors(connection: Connection, state: sa.Row[Any]) -> bool:
    """Return whether the pages of this look, which is whole, end at times that fall from page to page."""
    if not state.pages:
        # This page is the first one.
        return False
    this_look = {"walk": state.walk_id, "generation": state.generation}
    *boundaries, _ = _BOUNDARIES.execute(connection, this_look).scalars()
    return len(boundaries) > 1 and all(
        above is not None and below is not None and above > below for above, below in pairwise(boundaries)
    )


def _of_look_before(state: sa.Row[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(
        walk_records.c.walk_id == state.walk_id,
        walk_records.c.generation == state.generation - 1,
        walk_records.c.removed_at.is_(None),
    )


def _page_size(connection: Connection, state: sa.Row[Any]) -> int:
    """Return the number of items on the largest page of this look and the one before."""
    size = connection.scalar(
        sa.select(sa.func.max(walk_pages.c.received)).where(
            walk_pages.c.walk_id == state.walk_id, walk_pages.c.generation >= state.generation - 1
        )
    )
    return max(1, size or 0)
