"""Choose how a refresh by delta looks at each list: whole, only at its head, or not at all.

Each list is looked at whole once in ``full_refresh_days``, which finds what has left it. Their turns are
spread by a hash of the walk, so that no run looks at all of them, also after a harvest that fetched all at
once. In between, the head of a newest-first list suffices, and a small list whose counter has not changed
waits for its turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import counters, heads
from sgr_spiders.storage.schema import walk_requests, walks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sgr_spiders.storage.store import Connection

TURNS = 64
"""The number of groups of walks whose turns to be looked at whole come one after the other."""

SMALL_SHARE = 10
"""A list is small if it has at most one of so many records that all lists of its kind have."""

_ENDED = ("done", "capped")
_OF_USERS = ("user_likes", "user_reposts", "user_tracks", "user_playlists")


@dataclass(frozen=True, slots=True)
class Delta:
    """The choices of one run.

    Attributes:
        turns: The last turn of each group of walks.
        small: The number of records up to which a list is small, by endpoint.
        seed: The seed whose turn it is in a scheduled run, spelt as it was given.
    """

    turns: Mapping[int, str]
    small: Mapping[str, int]
    seed: str | None = None

    def may_wait(self, fresh_after: str) -> sa.ColumnElement[bool]:
        """Return the condition that an ended walk need not be looked at, because its counter is as before."""
        small = sa.case(dict(self.small), value=walks.c.endpoint, else_=-1) if self.small else sa.literal(-1)
        return sa.and_(
            is_counted(),
            sa.not_(self._is_due_whole()),
            walks.c.kept <= small,
            sa.not_(_has_larger_cap()),
            counters.is_unchanged(fresh_after),
        )

    def needs_only_head(self) -> sa.ColumnElement[bool]:
        """Return the condition that a look at the head of an ended walk suffices."""
        return sa.and_(
            walks.c.status.in_(_ENDED),
            walks.c.endpoint.in_(list(heads.LISTED)),
            walks.c.newest_first.is_not(None),
            walks.c.kept > 0,
            sa.not_(self._is_due_whole()),
            sa.not_(_has_larger_cap()),
            sa.not_(_renews_counters()),
        )

    def _is_due_whole(self) -> sa.ColumnElement[bool]:
        """Return the condition that it is a walk's turn, or that retention has cleared its records."""
        turn = sa.case(dict(self.turns), value=walks.c.walk_id % TURNS)
        return sa.or_(walks.c.whole_at.is_(None), walks.c.whole_at < turn, walks.c.outdated)


def plan(connection: Connection, full_refresh_days: float) -> Delta:
    """Return the choices of a run that looks at each list whole once in *full_refresh_days*."""
    kept = connection.execute(
        sa.select(walks.c.endpoint, sa.func.sum(walks.c.kept))
        .where(walks.c.status.in_(_ENDED), walks.c.endpoint.in_(list(counters.COUNTERS)))
        .group_by(walks.c.endpoint)
    )
    small = {endpoint: int(records) // SMALL_SHARE for endpoint, records in kept}
    return Delta(last_turns(full_refresh_days, datetime.now(UTC)), small)


def last_turns(full_refresh_days: float, now: datetime) -> dict[int, str]:
    """Return when each group of walks had its last turn before *now*."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    period = timedelta(days=full_refresh_days)
    if not period:
        return dict.fromkeys(range(TURNS), timestamp(now))
    return {group: timestamp(now - (now - epoch - period * group / TURNS) % period) for group in range(TURNS)}


def is_counted() -> sa.ColumnElement[bool]:
    """Return the condition that a walk has ended and has a counter, which its layers may yet renew.

    A list that is hidden is still hidden, as far as the counter tells.
    """
    hidden = sa.and_(walks.c.status == "gone", walks.c.reason.startswith("HTTP 404"))
    ended = sa.or_(walks.c.status.in_(_ENDED), hidden)
    return sa.and_(ended, walks.c.endpoint.in_(list(counters.COUNTERS)))


def _has_larger_cap() -> sa.ColumnElement[bool]:
    """Return the condition that a walk was capped, and now has a larger cap.

    It is null, as is its negation, if the guard against empty pages has ended the walk: its list is unknown.
    """
    largest = (
        sa.select(sa.func.max(walk_requests.c.cap))
        .where(walk_requests.c.walk_id == walks.c.walk_id)
        .correlate(walks)
        .scalar_subquery()
    )
    return sa.and_(walks.c.status == "capped", walks.c.capped_at < largest)


def _renews_counters() -> sa.ColumnElement[bool]:
    """Return the condition that the list tells whether lists of its users have changed.

    One page of it may save a request for each of its users.
    """
    ask, other = walk_requests.alias(), walk_requests.alias()
    of_user = walks.alias()
    same_layer = sa.and_(other.c.seed_id == ask.c.seed_id, other.c.layer == ask.c.layer)
    wants_lists_of_users = (
        sa.select(sa.literal(1))
        .select_from(ask.join(other, same_layer).join(of_user, of_user.c.walk_id == other.c.walk_id))
        .where(ask.c.walk_id == walks.c.walk_id, of_user.c.endpoint.in_(_OF_USERS))
        .correlate(walks)
        .exists()
    )
    return sa.and_(walks.c.endpoint.in_(("track_favoriters", "track_reposters")), wants_lists_of_users)
