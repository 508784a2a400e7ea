"""Read the nodes of relationship tables, with their attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.extent import condition_of
from sgr_spiders.storage.rows import describe_table, stream
from sgr_spiders.storage.schema import RECORD_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.storage.extent import Extent
    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.rows import Columns, WholeColumn

ATTRIBUTES = {
    "user": ("permalink_url", "followers_count"),
    "track": ("permalink_url", "artist_id", "genre", "playback_count"),
    "playlist": ("permalink_url", "track_count"),
}
"""The node attributes of a graph, by kind. The API's terms require a link to the page of a record shown."""


def node_attributes(pairs: PairTable) -> tuple[WholeColumn, ...]:
    """Describe the columns that ``read_nodes`` yields after ID and name."""
    columns = {column.name: column for column in describe_table(RECORD_TABLES[pairs.kind]).columns}
    return tuple(columns[name] for name in ATTRIBUTES[pairs.kind])


def is_there(connection: sa.Connection, pairs: PairTable) -> bool:
    """Return whether the table exists."""
    return sa.inspect(connection).has_table(pairs.name)


def read_nodes(connection: sa.Connection, pairs: PairTable, extent: Extent) -> Iterator[Columns]:
    """Yield ID, name and attributes of the records in any pair of *extent*, by ID, in batches."""
    table, records = pairs.as_table(), RECORD_TABLES[pairs.kind]
    key = records.c[f"{pairs.kind}_id"]
    condition = condition_of(table, extent)
    taken = sa.true() if condition is None else condition
    related = sa.union(*(sa.select(table.c[name]).where(taken) for name in pairs.keys)).subquery()
    chosen = [key, pairs.names_column, *(records.c[name] for name in ATTRIBUTES[pairs.kind])]
    query = sa.select(*chosen).join(related, related.c[0] == key).order_by(key)
    yield from stream(connection, query)
