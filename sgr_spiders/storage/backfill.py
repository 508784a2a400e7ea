"""Fill null columns from ``raw``, which keeps the API's fields that were not columns at the time."""

from __future__ import annotations

import itertools
import logging
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.exceptions import BadRecordError
from sgr_spiders.model.fields import fields_of
from sgr_spiders.model.items import RECORD_TYPES
from sgr_spiders.soundcloud.fields import find_value, remove_path
from sgr_spiders.soundcloud.raw import pack, packing_with, unpack
from sgr_spiders.soundcloud.rules import BAD, judge_of
from sgr_spiders.storage import dictionaries
from sgr_spiders.storage.schema import RECORD_TABLES
from sgr_spiders.text.formatting import number

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sgr_spiders.model.fields import Field
    from sgr_spiders.storage.store import Store

logger = logging.getLogger(__name__)

BATCH = 1_000
"""Rows per transaction of ``backfill``: an interruption undoes at most these, and a rerun resumes with them.

A migration reads as many at a time, in its one transaction: an interruption undoes it all.
"""

PROGRESS_SECONDS = 10
"""Seconds between two lines of progress."""


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
        return _fill({kind: list(_fields_of(kind)) for kind in RECORD_TABLES}, store.write)


def fill_columns(connection: sa.Connection, columns: Mapping[str, Collection[str]]) -> None:
    """Fill new *columns* of each kind of record like ``backfill``, in the transaction of a migration.

    It reads no other columns than these, those of their parts, and ``raw``: later ones do not exist yet.
    """
    fields = {
        kind: [field for field in _fields_of(kind) if field.name in names] for kind, names in columns.items()
    }
    with packing_with(dictionaries.load(connection)):
        _fill(fields, lambda: nullcontext(connection))


def _fill(
    columns: Mapping[str, Sequence[Field]], begin: Callable[[], AbstractContextManager[sa.Connection]]
) -> Backfilled:
    """Fill the *columns* of each kind of record, each batch of rows on the connection of one *begin*."""
    done = Backfilled()
    last_progress = time.monotonic()
    for kind, fields in columns.items():
        batch = _Batch(RECORD_TABLES[kind], fields, done)
        with begin() as connection:
            total = batch.count(connection)
        last: int | None = None
        for read in itertools.count(0, BATCH):
            if time.monotonic() - last_progress >= PROGRESS_SECONDS:
                last_progress = time.monotonic()
                shown = number(min(read, total)), number(total)
                logger.info("Filling columns of %s: %s of %s", batch.table.name, *shown)
            with begin() as connection:
                last = batch.fill(connection, last)
            if last is None:
                break
    return done


def _fields_of(kind: str) -> Iterator[Field]:
    record: type = RECORD_TYPES[kind]
    return (field for field in fields_of(record) if field.reading != "placed")


@dataclass(frozen=True, slots=True)
class _Batch:
    """Fills some *fields* of one table, a batch of rows at a time."""

    table: sa.Table
    fields: Sequence[Field]
    done: Backfilled

    @property
    def key(self) -> sa.Column[int]:
        (key,) = self.table.primary_key.columns
        return key

    def count(self, connection: sa.Connection) -> int:
        """Count the rows that ``fill`` reads in all."""
        query = sa.select(sa.func.count()).select_from(self.table).where(self._may_be_filled)
        return connection.scalar(query) or 0

    def fill(self, connection: sa.Connection, last: int | None) -> int | None:
        """Fill the rows after the key *last*; return the last key of the batch, ``None`` if there is none."""
        rows = self._rows_after(connection, last)
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row in rows:
            if found := self._find(row):
                self.done.filled.update(f"{self.table.name}.{name}" for name in found if name != "raw")
                new = {f"new_{name}": value for name, value in found.items()}
                by_columns.setdefault(tuple(found), []).append({"record_id": row[self.key.name], **new})
        for columns, parameters in by_columns.items():
            update = sa.update(self.table).where(self.key == sa.bindparam("record_id"))
            new_values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in columns}
            connection.execute(update.values(new_values), parameters)
        return rows[-1][self.key.name] if rows else None

    def _rows_after(self, connection: sa.Connection, last: int | None) -> Sequence[sa.RowMapping]:
        names = dict.fromkeys(gap.name for gap in self.fields)
        names.update(dict.fromkeys(part for gap in self.fields for part in gap.parts))
        query = sa.select(self.key, self.table.c.raw, *map(self.table.c.__getitem__, names))
        query = query.where(self._may_be_filled).order_by(self.key).limit(BATCH)
        query = query if last is None else query.where(self.key > last)
        return connection.execute(query).mappings().all()

    @property
    def _may_be_filled(self) -> sa.ColumnElement[bool]:
        # Without `raw`, only parts can fill a column.
        has_parts = (self._has_parts(gap) for gap in self.fields if gap.parts)
        return sa.or_(self.table.c.raw.is_not(None), *has_parts)

    def _has_parts(self, gap: Field) -> sa.ColumnElement[bool]:
        parts = (self.table.c[part].is_not(None) for part in gap.parts)
        return sa.and_(self.table.c[gap.name].is_(None), *parts)

    def _find(self, row: sa.RowMapping) -> dict[str, Any]:
        """Return the columns of *row* to change: those filled, and ``raw`` without their values."""
        try:
            return self._take_from_raw(row)
        except (ValueError, TypeError, RecursionError, BadRecordError):
            # Written by another program, or damaged.
            self.done.unreadable[self.table.name] += 1
            return self._take(row, {})[0]

    def _take_from_raw(self, row: sa.RowMapping) -> dict[str, Any]:
        unknown = {} if row["raw"] is None else unpack(row["raw"])
        found, used = self._take(row, unknown)
        for path in used:
            remove_path(unknown, path)
        return {**found, "raw": pack(unknown)} if used else found

    def _take(self, row: sa.RowMapping, unknown: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Return the values of the null columns that have one, and the paths of those from *unknown*."""
        found: dict[str, Any] = {}
        used: list[str] = []
        stored = dict(row)
        for gap in self.fields:
            if row[gap.name] is not None:
                continue
            value, path = find_value(gap, stored, unknown)
            fit = None if value is None else judge_of(gap.rule).check(value)
            if fit is BAD:
                self.done.rejected[f"{self.table.name}.{gap.name}"] += 1
            elif fit is not None:
                found[gap.name] = fit
                if path is not None:
                    used.append(path)
        return found, used
