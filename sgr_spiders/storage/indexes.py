"""Indexes that only readers need, which are built when the first harvest ends.

The tracks on a page of likes or of a playlist are in no order of their IDs. Maintaining an index by record
during the crawl changes about a hundred index pages for each page fetched: a third of the CPU time of a
commit, and most of the write-ahead log. Building the index at the end sorts it once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFERRED = [
    (table, index)
    for table in metadata.sorted_tables
    for index in table.indexes
    if index.info.get("reader_only")
]


def drop_deferred(connection: sa.Connection) -> None:
    """Drop the deferred indexes of the empty tables. A table with rows keeps its indexes."""
    for table, index in DEFERRED:
        if connection.scalar(sa.select(sa.literal(1)).select_from(table).limit(1)) is None:
            index.drop(connection, checkfirst=True)


def is_built(connection: sa.Connection, table: sa.Table, name: str) -> bool:
    """Return whether *table* has the index *name*."""
    return any(index["name"] == name for index in sa.inspect(connection).get_indexes(table.name))


def missing(connection: sa.Connection) -> Sequence[sa.Index]:
    """Return the indexes that have not been built yet."""
    inspector = sa.inspect(connection)
    tables = {table.name for table, _ in DEFERRED}
    there = {index["name"] for table in tables for index in inspector.get_indexes(table)}
    return [index for _, index in DEFERRED if index.name not in there]
