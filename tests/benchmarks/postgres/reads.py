"""The whole-table reads of relationships, vectors and exports."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from sgr_spiders.storage import interactions_read, looked_at, rows, schema
from sgr_spiders.storage.libraries import USUAL
from sgr_spiders.storage.pairs import reading
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    Read = Callable[[sa.Connection], object]

ROUNDS = 3


def _export(name: str, connection: sa.Connection) -> int:
    table = rows.describe_table(schema.metadata.tables[name])
    names = [column.name for column in table.columns]
    return sum(len(columns[0]) for columns in rows.read_columns(connection, table, names))


READS: dict[str, Read] = {
    "likes": lambda connection: reading.read_likes(connection, ["like"]),
    "playlists": reading.read_playlists,
    "uploads": reading.read_uploads,
    "memberships": interactions_read.read_memberships,
    "times of likes": lambda connection: interactions_read.read_times(connection, ["like"]),
    "discovered tracks": lambda connection: reading.read_discovered(connection, "track", [1]),
    "libraries": lambda connection: looked_at.read_libraries(connection, "user", USUAL),
    "export of likes": partial(_export, "engagements"),
    "export of tracks": partial(_export, "tracks"),
}


def seconds_of(url: str, read: Read) -> float:
    """Return the shortest of several times."""
    taken = []
    for _ in range(ROUNDS):
        with Store(url).read() as connection:
            began = time.perf_counter()
            read(connection)
            taken.append(time.perf_counter() - began)
    return min(taken)
