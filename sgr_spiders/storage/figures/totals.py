"""How much a database holds."""

from __future__ import annotations

import sqlalchemy as sa

from sgr_spiders.storage import schema

COLLECTED = {
    "tracks": schema.tracks,
    "users": schema.users,
    "playlists": schema.playlists,
    "engagements": schema.engagements,
    "comments": schema.comments,
}


def count_totals(connection: sa.Connection) -> dict[str, int]:
    """Count the records by table; stubs do not count."""
    totals = {}
    for name, table in COLLECTED.items():
        query = sa.select(sa.func.count()).select_from(table)
        if "is_stub" in table.c:
            query = query.where(sa.not_(table.c.is_stub))
        totals[name] = connection.scalar(query) or 0
    return totals
