"""Fill null columns from ``raw``, which keeps the API's fields that were not columns at the time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.fields import fields_of
from sgr_spiders.model.items import RECORD_TYPES
from sgr_spiders.soundcloud.fields import READERS
from sgr_spiders.soundcloud.raw import pack, packing_with, unpack
from sgr_spiders.soundcloud.rules import BAD, judge_of
from sgr_spiders.storage import dictionaries
from sgr_spiders.storage.schema import RECORD_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sgr_spiders.model.fields import Field
    from sgr_spiders.storage.store import Store

BATCH = 1_000
"""Rows per transaction. An interruption undoes at most these, and a rerun resumes with them."""


@dataclass(slots=True)
class Backfilled:
    """The counts of a backfill, by table and column.

    Values that fail validation are ``rejected``. ``unreadable`` counts the rows of each table whose ``raw``
    cannot be unpacked.
    """

    filled: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)


def backfill(store: Store) -> Backfilled:
    """Fill the null columns of all records from their ``raw``, and remove the values used from it.

    A value that fails validation stays in ``raw``.
    """
    with store.read() as connection:
        dictionary_id = dictionaries.load(connection)
    with packing_with(dictionary_id):
        return _backfill(store)


def _backfill(store: Store) -> Backfilled:
    done = Backfilled()
    for kind, table in RECORD_TABLES.items():
        record: type = RECORD_TYPES[kind]
        fields = [field for field in fields_of(record) if field.reading != "placed"]
        last: int | None = None
        while True:
            with store.write() as connection:
                rows = _rows_after(connection, table, fields, last)
                _fill(connection, table, fields, rows, done)
            if not rows:
                break
            last = rows[-1][0]
    return done


def _key_of(table: sa.Table) -> sa.Column[int]:
    (key,) = table.primary_key.columns
    return key


def _rows_after(
    connection: sa.Connection, table: sa.Table, fields: Iterable[Field], last: int | None
) -> list[tuple[Any, ...]]:
    key = _key_of(table)
    query = sa.select(key, table.c.raw, *(table.c[field.name] for field in fields))
    query = query.where(table.c.raw.is_not(None)).order_by(key).limit(BATCH)
    return [tuple(row) for row in connection.execute(query if last is None else query.where(key > last))]


def _fill(
    connection: sa.Connection,
    table: sa.Table,
    fields: list[Field],
    rows: Iterable[tuple[Any, ...]],
    done: Backfilled,
) -> None:
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for record_id, raw, *values in rows:
        try:
            unknown = unpack(raw)
        except ValueError:
            done.unreadable[table.name] += 1
            continue
        gaps = [field for field, value in zip(fields, values, strict=True) if value is None]
        found = _take(table.name, gaps, unknown, done)
        if found:
            found["raw"] = pack(unknown)
            new = {f"new_{name}": value for name, value in found.items()}
            by_columns.setdefault(tuple(found), []).append({"record_id": record_id, **new})
    for columns, parameters in by_columns.items():
        update = sa.update(table).where(_key_of(table) == sa.bindparam("record_id"))
        connection.execute(update.values({name: sa.bindparam(f"new_{name}") for name in columns}), parameters)


def _take(table: str, gaps: Iterable[Field], unknown: dict[str, Any], done: Backfilled) -> dict[str, Any]:
    """Return the values of the *gaps*, and remove them from *unknown*."""
    found = {}
    for gap in gaps:
        key = next((key for key in (gap.source, gap.fallback) if key in unknown), None)
        if key is None:
            continue
        convert = READERS.get(gap.reading)
        value = unknown[key] if convert is None else convert(unknown[key])
        fit = None if value is None else judge_of(gap.rule).check(value)
        if fit is BAD:
            done.rejected[f"{table}.{gap.name}"] += 1
        elif fit is not None:
            found[gap.name] = fit
            done.filled[f"{table}.{gap.name}"] += 1
            del unknown[key]
    return found
