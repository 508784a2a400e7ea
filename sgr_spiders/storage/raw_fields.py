"""The API fields of one record that have no column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.exceptions import ArgumentError, StorageError
from sgr_spiders.soundcloud.raw import purge, unpack
from sgr_spiders.soundcloud.urns import parse_key
from sgr_spiders.storage import dictionaries
from sgr_spiders.storage.labels import KINDS
from sgr_spiders.storage.names import resolve
from sgr_spiders.storage.schema import RECORD_TABLES
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    from sgr_spiders.soundcloud.raw import Document
    from sgr_spiders.storage.store import Connection

COMMENT = "comment"
"""The kind of record that has no name."""


def read_raw(connection: Connection, kind: str, name: str) -> Document:
    """Return the fields of the record that *name* names, empty if the database has none.

    Raises:
        ArgumentError: The record is not in the database.
        StorageError: The fields are damaged.
    """
    record = KINDS.get(kind, kind)
    record_id = _read_comment(name) if record == COMMENT else resolve(connection, kind, name)
    table = RECORD_TABLES[record]
    query = sa.select(table.c.raw).where(table.c[f"{record}_id"] == record_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise ArgumentError(f"{kind} {record_id} is not in this database")
    if row.raw is None:
        return {}
    dictionaries.load(connection)
    try:
        fields: Document = purge(unpack(row.raw))
    except ValueError as error:
        raise StorageError(f"`raw` of {kind} {record_id} is damaged: {error}") from None
    return fields


def _read_comment(text: str) -> int:
    comment_id = parse_key(text.strip(), COMMENT)
    if comment_id is None:
        raise ArgumentError(f"a comment is named by its ID, not by {quote_value(text)}")
    return comment_id
