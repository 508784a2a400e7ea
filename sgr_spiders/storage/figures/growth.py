"""The counters of one record over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage.labels import KINDS
from sgr_spiders.storage.names import resolve
from sgr_spiders.storage.schema import COUNTERS, NAMES, RECORD_TABLES, counter_history

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.storage.store import Connection

SHORTEST: Final = timedelta(hours=1)
"""The shortest interval between two values whose change is also given per day."""


@dataclass(frozen=True, slots=True)
class CounterValue:
    """A value of a counter, and its ``change`` from the one before; ``None`` for the first.

    ``per_day`` is the mean change per day between the two; ``None`` in less than ``SHORTEST``.
    """

    counter: str
    observed_at: str
    value: int
    change: int | None = None
    per_day: float | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Growth:
    """The counters of a record that are known now, and the values that they have had, in order.

    The values are those ``since`` a time, or all, from the first one of each counter on.
    """

    kind: str
    record_id: int
    name: str | None
    counted_at: str | None
    since: str | None
    counters: Mapping[str, int]
    values: Sequence[CounterValue]


def read_growth(connection: Connection, kind: str, name: str, since: str | None) -> Growth:
    """Return the counters of the record that *name* names, with their values *since* a time.

    Raises ``ArgumentError`` if the record is not in the database.
    """
    record = KINDS[kind]
    record_id, table = resolve(connection, kind, name), RECORD_TABLES[record]
    counters = COUNTERS[record]
    query = sa.select(NAMES[record], table.c.counted_at, *(table.c[counter] for counter in counters))
    row = connection.execute(query.where(table.c[f"{record}_id"] == record_id)).one_or_none()
    if row is None:
        raise ArgumentError(f"{kind} {record_id} is not in this database")
    known = {name: value for name, value in zip(counters, row[2:], strict=True) if value is not None}
    values = _read_values(connection, record, record_id)
    changed = {value.counter for value in values}
    if row[1] is not None:
        values += [CounterValue(name, row[1], value) for name, value in known.items() if name not in changed]
    values.sort(key=lambda value: (value.observed_at, value.counter))
    recent = [value for value in values if since is None or value.observed_at >= since]
    return Growth(record, record_id, row[0], row[1], since, known, recent)


def _read_values(connection: Connection, kind: str, record_id: int) -> list[CounterValue]:
    history = counter_history.c
    query = (
        sa.select(history.counter, history.observed_at, history.value, history.run_id)
        .where(history.kind == kind, history.record_id == record_id)
        .order_by(history.observed_at)
    )
    last: dict[str, CounterValue] = {}
    values = []
    for counter, observed_at, value, run_id in connection.execute(query):
        before = last.get(counter)
        change = None if before is None else value - before.value
        per_day = None if before is None else _per_day(before, observed_at, value)
        last[counter] = CounterValue(counter, observed_at, value, change, per_day, run_id)
        values.append(last[counter])
    return values


def _per_day(before: CounterValue, observed_at: str, value: int) -> float | None:
    elapsed = datetime.fromisoformat(observed_at) - datetime.fromisoformat(before.observed_at)
    return None if elapsed < SHORTEST else (value - before.value) / (elapsed / timedelta(days=1))
