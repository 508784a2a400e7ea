"""The frontier of a crawl: the requested walks with their caps and progress, also called the ledger.

Pending walks are stored here, not in memory. They are ``planned``, then leased to a worker (``running``), and
end as ``done``, ``capped``, ``gone`` or ``failed``. A run drains only the walks that its own seeds and
layers request under its current settings; ``ledger.Ledger`` selects these.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.prepared import CompiledStatement
from sgr_spiders.storage.schema import run_scope, run_seeds, walk_pages, walk_requests, walks

if TYPE_CHECKING:
    from collections.abc import Collection

    from sgr_spiders.storage.store import Connection

ASKED_FOR = sa.and_(
    run_scope.c.seed_id == walk_requests.c.seed_id,
    run_scope.c.layer == walk_requests.c.layer,
    run_scope.c.settings == walk_requests.c.settings,
)
"""The condition that a request was made under a run's settings."""

WANTED_NOW = sa.and_(ASKED_FOR, walk_requests.c.removed_at.is_(None))
"""The condition that a request is in the scope of a run: it was made under its settings, and still is."""

ENDED = ("done", "capped", "gone")
"""Statuses that are final until the walk is stale."""

NO_DATA = sa.or_(
    walks.c.status == "gone",
    sa.and_(
        walks.c.status == "done",
        walks.c.received == 0,
        sa.or_(walks.c.expected > 0, sa.and_(walks.c.expected.is_(None), walks.c.kept_before > 0)),
    ),
)
"""The condition that a walk ended without data, although there should have been some."""

FETCH_LAST = {
    "status": "planned",
    "reason": None,
    "empty_pages": 0,
    "finished_at": None,
    "doubted": False,
    "worker_id": None,
    "setbacks": walks.c.setbacks + 1,
}
"""The change of a walk that ended without data and is to be fetched again after the others."""

LARGEST_CAP = (
    sa.select(sa.func.max(walk_requests.c.cap))
    .where(walk_requests.c.walk_id == walks.c.walk_id)
    .scalar_subquery()
)
"""The largest cap of all requests for a walk; null if it only looks up a seed."""

SEED_CAP = (
    sa.select(sa.func.max(run_seeds.c.max_tracks))
    .where(run_seeds.c.walk_id == walks.c.walk_id, run_seeds.c.run_id == walks.c.run_id)
    .scalar_subquery()
)
"""The number of tracks of a leased walk that become seeds of its run; null if it lists no seeds."""
_LARGEST_INLINE_CAP = CompiledStatement(
    sa.select(
        sa.case(
            (
                sa.func.count(walk_requests.c.inline_cap) == sa.func.count(),
                sa.func.max(walk_requests.c.inline_cap),
            )
        )
    ).where(walk_requests.c.walk_id == sa.bindparam("walk"))
)
_SEEN_CURSOR = CompiledStatement(
    sa.select(sa.literal(1))
    .where(
        walk_pages.c.walk_id == sa.bindparam("walk"),
        walk_pages.c.generation == sa.bindparam("generation"),
        walk_pages.c.cursor_hash == sa.bindparam("cursor_hash"),
    )
    .limit(1)
)


def walk_id(endpoint: str, target: str) -> int:
    """Return the ID of a walk: 63 bits of a hash, so that it is the same in every database.

    IDs need no lookup, and databases can be compared or merged. Among ten million walks, two share an ID with
    a probability of 5 in a million.
    """
    digest = hashlib.blake2b(f"{endpoint}\n{target}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def cursor_hash(cursor: str) -> int:
    """Return the 63-bit hash of a cursor in ``walk_pages``."""
    return walk_id("", cursor)


def largest_inline_cap(connection: Connection, walk: int) -> int | None:
    """Return the largest cap on the tracks of each playlist that *walk* lists; ``None`` if one has no cap."""
    cap: int | None = _LARGEST_INLINE_CAP.execute(connection, {"walk": walk}).scalar()
    return cap


def cursor_was_seen(connection: Connection, walk: int, generation: int, cursor: str) -> bool:
    """Return whether a page of *walk* has already begun at *cursor*."""
    begun = {"walk": walk, "generation": generation, "cursor_hash": cursor_hash(cursor)}
    return _SEEN_CURSOR.execute(connection, begun).scalar() is not None


def take_back_doubted(connection: Connection, which: sa.ColumnElement[bool]) -> int:
    """Return the doubted walks among these to ``planned``, and return their number."""
    taken = sa.update(walks).where(walks.c.doubted, which).values(FETCH_LAST)
    return connection.execute(taken).rowcount


def fetch_again(connection: Connection, doubted: Collection[int]) -> None:
    """Return these *doubted* walks to ``planned``, because another lane may get their data in this run."""
    for chunk in chunked(sorted(doubted)):
        again = sa.update(walks).where(walks.c.walk_id.in_(chunk), walks.c.doubted)
        connection.execute(again.values({**FETCH_LAST, "setbacks": walks.c.setbacks}))


def begin_anew(connection: Connection, which: sa.ColumnElement[bool], **changes: object) -> None:
    """Begin walks again at page 1, in a new generation, whose records the layers have not seen yet.

    The walks become ``planned``, unless *changes* to their columns say otherwise.
    """
    connection.execute(
        sa.update(walk_requests)
        .where(walk_requests.c.walk_id.in_(sa.select(walks.c.walk_id).where(which)))
        .values(expanded=0)
    )
    anew: dict[str, object] = {
        "status": "planned",
        "reason": None,
        "cursor": "",
        "generation": walks.c.generation + 1,
        "doubted": False,
        # Not what an unfinished look has kept, if there was a whole one before.
        "kept_before": sa.case(
            (walks.c.status == "gone", None),
            (walks.c.status.in_(ENDED), walks.c.kept),
            else_=sa.func.coalesce(walks.c.kept_before, sa.func.nullif(walks.c.kept, 0)),
        ),
        "pages": 0,
        "empty_pages": 0,
        "received": 0,
        "kept": 0,
        "page_limit": None,
        "without_tracks": False,
        "outdated": False,
        "capped_at": None,
        "looked": "whole",
        # An order can be compared only with that of a whole list.
        "neighbours": sa.case((walks.c.status.in_(("done", "capped")), 0), else_=None),
        "known_to": None,
        "started_at": None,
        "finished_at": None,
    }
    connection.execute(sa.update(walks).where(which).values(anew | changes))


def give_back(connection: Connection, which: sa.ColumnElement[bool]) -> int:
    """Return the leased walks among these to ``planned``, and return their number."""
    returned = sa.update(walks).where(walks.c.status == "running", which)
    return connection.execute(returned.values(status="planned", run_id=None, worker_id=None)).rowcount
