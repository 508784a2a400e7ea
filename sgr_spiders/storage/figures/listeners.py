"""The users who like most of some tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.libraries import LOOKED_AT, libraries
from sgr_spiders.storage.schema import engagements, users

if TYPE_CHECKING:
    from collections.abc import Collection

    from sgr_spiders.storage.store import Connection

_LIKED = sa.and_(engagements.c.kind == "like", engagements.c.removed_at.is_(None))
MAX_CANDIDATES = 1_000
"""The users with the most of the tracks, whose libraries are counted."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A user who likes ``liked`` of some tracks, and ``library`` tracks in all.

    ``is_whole``: the library was looked at to its end; otherwise it may have more of them.
    """

    user_id: int
    liked: int
    library: int
    likes_seed: bool
    is_whole: bool


def find_listeners(connection: Connection, seed: int, tracks: Collection[int]) -> list[Listener]:
    """Return the users who like most of *tracks*, in any order, if their libraries were looked at."""
    liked = sa.func.count().label("liked")
    rows = connection.execute(
        sa.select(engagements.c.user_id, liked)
        .join(users, users.c.user_id == engagements.c.user_id)
        .where(_LIKED, engagements.c.track_id.in_(tracks), users.c.removed_at.is_(None))
        .group_by(engagements.c.user_id)
        .order_by(liked.desc(), engagements.c.user_id)
        .limit(MAX_CANDIDATES)
    )
    candidates: dict[int, int] = {row[0]: row[1] for row in rows}
    sizes = _count_by_user(connection, candidates)
    fans = _count_by_user(connection, candidates, seed)
    looks = connection.execute(
        sa.select(libraries.c.record_id, libraries.c.library).where(
            libraries.c.kind == "user", libraries.c.record_id.in_(candidates)
        )
    )
    return [
        Listener(user, candidates[user], sizes[user], user in fans, library == "whole")
        for user, library in looks
        if library in LOOKED_AT
    ]


def _count_by_user(
    connection: Connection, user_ids: Collection[int], track: int | None = None
) -> dict[int, int]:
    query = (
        sa.select(engagements.c.user_id, sa.func.count())
        .where(_LIKED, engagements.c.user_id.in_(user_ids))
        .group_by(engagements.c.user_id)
    )
    if track is not None:
        query = query.where(engagements.c.track_id == track)
    return {row[0]: row[1] for row in connection.execute(query)}
