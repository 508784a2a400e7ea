"""Indexes that only readers need: a first harvest builds them when it has ended.

A page of likes or of a playlist brings its tracks in no order of their ids. To keep an index by record up
meanwhile changes some hundred pages of it for each: a third of the CPU time of a commit, and most of what
the write-ahead log takes. Built at the end it is sorted once.
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


def put_off(connection: sa.Connection) -> None:
    """Drop the indexes of those tables that hold nothing yet. A table with rows keeps what it has."""
    for table, index in DEFERRED:
        if connection.scalar(sa.select(sa.literal(1)).select_from(table).limit(1)) is None:
            index.drop(connection, checkfirst=True)


def missing(connection: sa.Connection) -> Sequence[sa.Index]:
    """Give the indexes that are yet to be built."""
    inspector = sa.inspect(connection)
    tables = {table.name for table, _ in DEFERRED}
    there = {index["name"] for table in tables for index in inspector.get_indexes(table)}
    return [index for _, index in DEFERRED if index.name not in there]
