"""The ledger: which walks are wanted, by whom, up to which cap, and how far they are.

It is the frontier of a crawl. Walks wait here, not in memory: they are ``planned``, then leased to a
run (``running``), and end as ``done``, ``capped``, ``gone`` or ``failed``. A run drains only the walks
that its own seeds and layers ask for under the settings it has now: ``ledger.Ledger`` shows it these.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.prepared import Prepared
from sgr_spiders.storage.schema import run_scope, walk_pages, walk_requests, walks

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Connection

WANTED_NOW = sa.and_(
    run_scope.c.seed_id == walk_requests.c.seed_id,
    run_scope.c.layer == walk_requests.c.layer,
    run_scope.c.settings == walk_requests.c.settings,
)
"""A request is in the scope of a run if it was made under the settings that the run has."""

ENDED = ("done", "capped", "gone")
"""Statuses that hold until the walk is no longer fresh."""

_LARGEST_CAP = Prepared(
    sa.select(sa.func.max(walk_requests.c.cap)).where(walk_requests.c.walk_id == sa.bindparam("walk"))
)
_SEEN_CURSOR = Prepared(
    sa.select(sa.literal(1))
    .where(
        walk_pages.c.walk_id == sa.bindparam("walk"),
        walk_pages.c.generation == sa.bindparam("generation"),
        walk_pages.c.cursor_hash == sa.bindparam("cursor_hash"),
    )
    .limit(1)
)


def walk_id(endpoint: str, target: str) -> int:
    """Return the id of a walk: 63 bits of a hash, so that it is the same in every database.

    Ids need not be looked up then, and two databases can be compared or merged. Among ten million
    walks two would share an id with a probability of 5 in a million.
    """
    digest = hashlib.blake2b(f"{endpoint}\n{target}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def cursor_hash(cursor: str) -> int:
    """Return 63 bits that stand for a cursor in ``walk_pages``."""
    return walk_id("", cursor)


def largest_cap(connection: Connection, walk: int) -> int | None:
    """Return the largest cap anybody asked *walk* for; ``None`` if it only looks up a seed."""
    cap: int | None = _LARGEST_CAP.execute(connection, {"walk": walk}).scalar()
    return cap


def cursor_was_seen(connection: Connection, walk: int, generation: int, cursor: str) -> bool:
    """Return whether a page of *walk* has already begun at *cursor*."""
    begun = {"walk": walk, "generation": generation, "cursor_hash": cursor_hash(cursor)}
    return _SEEN_CURSOR.execute(connection, begun).scalar() is not None


def give_back(connection: Connection, which: sa.ColumnElement[bool] | None = None) -> int:
    """Give back leases: all of them, as a lock proves that their owners are dead, or *which*; count them."""
    leased = walks.c.status == "running"
    if which is not None:
        leased &= which
    return connection.execute(sa.update(walks).where(leased).values(status="planned", run_id=None)).rowcount
