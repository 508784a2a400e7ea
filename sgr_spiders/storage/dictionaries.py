"""The dictionaries with which a database's ``raw`` is compressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.soundcloud import raw, raw_dictionary
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.schema import RECORD_TABLES, raw_dictionaries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sgr_spiders.soundcloud.raw import Document
    from sgr_spiders.storage.store import Store

BATCH = 5_000
"""Rows per transaction. An interruption undoes at most these, and a rerun resumes with them."""

MIN_RECORDS = 500
"""The number of records with ``raw`` from which a dictionary saves more than it takes."""

OUTGROWN = 10
"""The growth of a database after which another dictionary is trained."""


@dataclass(slots=True)
class Repacked:
    """The result of ``repack``: records compressed again, and the bytes of all ``raw`` before and after."""

    records: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    dictionary_id: int | None = None


def load(connection: sa.Connection) -> int | None:
    """Make the dictionaries of the database known to ``raw.unpack``; return the ID of the newest."""
    if not sa.inspect(connection).has_table(raw_dictionaries.name):
        return None  # the schema of an earlier version
    query = sa.select(raw_dictionaries.c.content).order_by(
        raw_dictionaries.c.trained_at, raw_dictionaries.c.dictionary_id
    )
    return ([None, *map(raw.load_dictionary, connection.scalars(query))])[-1]


def repack(store: Store) -> Repacked:
    """Compress the ``raw`` of all records with the newest dictionary, trained first if it is worth it."""
    newest = _renew(store)
    done = Repacked(dictionary_id=newest)
    if newest is None:
        return done
    compress = raw.compressor_with(newest)
    in_use: set[int] = set()
    for table in RECORD_TABLES.values():
        last: int | None = None
        while True:
            with store.write() as connection:
                rows = _rows_after(connection, table, last)
                _repack_rows(connection, table, rows, compress, done, in_use)
            if not rows:
                break
            last = rows[-1][0]
    _forget_others(store, in_use)
    return done


def _renew(store: Store) -> int | None:
    """Train a dictionary if there is none that fits the database; return the ID of the newest."""
    with store.read() as connection:
        newest = load(connection)
        trained_on = connection.scalar(
            sa.select(raw_dictionaries.c.records).where(raw_dictionaries.c.dictionary_id == newest)
        )
        counts = {kind: _count(connection, table) for kind, table in RECORD_TABLES.items()}
        total = sum(counts.values())
        if total < MIN_RECORDS or (trained_on is not None and total < OUTGROWN * trained_on):
            return newest
        trained = raw_dictionary.train(
            [_sample(connection, table, counts[kind]) for kind, table in RECORD_TABLES.items()]
        )
    if trained is None:
        return newest
    dictionary_id = raw.load_dictionary(trained)
    row = {
        "dictionary_id": dictionary_id,
        "content": trained,
        "records": total,
        "trained_at": timestamp(),
    }
    with store.write() as connection:
        # The same records give the same dictionary, also after an interruption.
        connection.execute(
            sa.delete(raw_dictionaries).where(raw_dictionaries.c.dictionary_id == dictionary_id)
        )
        connection.execute(sa.insert(raw_dictionaries).values(row))
    return dictionary_id


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return (
        connection.scalar(sa.select(sa.func.count()).select_from(table).where(table.c.raw.is_not(None))) or 0
    )


def _sample(connection: sa.Connection, table: sa.Table, count: int) -> list[Document]:
    """Return the fields of at most ``SAMPLES`` records, spread over the table."""
    key = _key_of(table)
    step = max(1, count // raw_dictionary.SAMPLES)
    query = sa.select(table.c.raw).where(table.c.raw.is_not(None), key % step == 0).order_by(key)
    found: list[Document] = []
    for packed in connection.scalars(query.limit(raw_dictionary.SAMPLES)):
        try:
            found.append(raw.unpack(packed))
        except ValueError:
            continue
    return found


def _key_of(table: sa.Table) -> sa.Column[int]:
    (key,) = table.primary_key.columns
    return key


def _rows_after(connection: sa.Connection, table: sa.Table, last: int | None) -> Sequence[tuple[int, bytes]]:
    key = _key_of(table)
    query = sa.select(key, table.c.raw).where(table.c.raw.is_not(None)).order_by(key).limit(BATCH)
    return [
        (row[0], row[1]) for row in connection.execute(query if last is None else query.where(key > last))
    ]


def _repack_rows(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[tuple[int, bytes]],
    compress: Callable[[bytes], bytes],
    done: Repacked,
    in_use: set[int],
) -> None:
    """Compress *rows* again where that makes them smaller, and note the dictionaries of all."""
    changed = []
    for record_id, before in rows:
        done.bytes_before += len(before)
        after = before
        try:
            json = raw.decompress(before)
        except ValueError:
            pass  # an older version's, or damaged; `scrapy upgrade --backfill` counts these
        else:
            has_other = raw.dictionary_of(before) not in (0, done.dictionary_id)
            shared = compress(json)
            if has_other or len(shared) < len(before):
                after = shared
                changed.append({"record_id": record_id, "packed": after})
            in_use.add(raw.dictionary_of(after))
        done.bytes_after += len(after)
    if changed:
        done.records += len(changed)
        update = sa.update(table).where(_key_of(table) == sa.bindparam("record_id"))
        connection.execute(update.values(raw=sa.bindparam("packed")), changed)


def _forget_others(store: Store, in_use: set[int]) -> None:
    """Delete the dictionaries that no record needs any more."""
    if store.file is None:
        return  # a crawl on another machine may be packing with one of them
    with store.write() as connection:
        connection.execute(
            sa.delete(raw_dictionaries).where(raw_dictionaries.c.dictionary_id.not_in(sorted(in_use)))
        )
