"""Times of the ledger that are later than now, because a clock was wrong when they were stored.

They would count as fresh until the clock reaches them. A run first makes them ``UNKNOWN``, which is stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import seeds
from sgr_spiders.storage.schema import seeds as seeds_table
from sgr_spiders.storage.schema import walk_pages, walks

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Connection

UNKNOWN = "1970-01-01T00:00:00.000000Z"


@dataclass(frozen=True, slots=True)
class Corrected:
    """The numbers of walks and scheduled seeds whose times were corrected."""

    walks: int
    seeds: int


def correct_times(connection: Connection) -> Corrected:
    """Make times of the ledger that are later than now unknown, and seeds that wait for them due."""
    now = timestamp()
    return Corrected(_correct_walks(connection, now), _correct_seeds(connection, now))


def _correct_walks(connection: Connection, now: str) -> int:
    future = sa.or_(walks.c.finished_at > now, walks.c.started_at > now, walks.c.created_at > now)
    wrong = connection.scalar(sa.select(sa.func.count()).select_from(walks).where(future)) or 0
    if not wrong:
        return 0
    # A walk must not end before it starts.
    both = {"started_at": UNKNOWN, "finished_at": UNKNOWN}
    connection.execute(sa.update(walks).where(walks.c.finished_at > now).values(both))
    for column in (walks.c.started_at, walks.c.created_at, walks.c.whole_at, walk_pages.c.fetched_at):
        connection.execute(sa.update(column.table).where(column > now).values({column.name: UNKNOWN}))
    return wrong


def _correct_seeds(connection: Connection, now: str) -> int:
    wrong = [
        seed
        for seed in seeds.all_seeds(connection)
        if seeds.is_ahead(seed, now) or seeds.is_put_off(seed, now)
    ]
    for seed in wrong:
        due = {"next_harvest_at": now, "last_harvest_at": None, "added_at": min(seed.added_at, now)}
        connection.execute(sa.update(seeds_table).where(seeds_table.c.given == seed.given).values(due))
    return len(wrong)
