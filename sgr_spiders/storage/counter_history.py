"""Keep the values that the API's counters had: one row when a counter changed.

As long as all counters of a record have their first values, the record itself contains them, with the time
of that look in ``counted_at``. The first change writes these, and the new value. So a harvest of new records
writes nothing here; it costs a lookup per page, half of what a trigger costs on SQLite, which keeps a journal
of each statement that may fire one.
"""

from __future__ import annotations

import functools
from datetime import datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from sgr_spiders.storage import upserts
from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.prepared import LookupStatement
from sgr_spiders.storage.schema import COUNTERS, RECORD_TABLES, counter_history, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Row = tuple[Any, ...]
    Counts = tuple[int | None, ...]

_COLUMNS: Final = ("kind", "record_id", "counter", "observed_at", "value", "run_id")


class _Stored(NamedTuple):
    """A stored record, and the time of the newest row of its counters."""

    fullness: int
    counted_at: str | None
    newest_at: str | None


def _key_of(kind: str) -> sa.Column[int]:
    (key,) = RECORD_TABLES[kind].primary_key.columns
    return key


def _lookup(kind: str) -> LookupStatement:
    table = RECORD_TABLES[kind]
    query = sa.select(_key_of(kind), *(table.c[name] for name in COUNTERS[kind]))
    # Several workers may change the same record.
    return LookupStatement(query.with_for_update(of=table), _key_of(kind))


_LOOKUPS: Final = {kind: _lookup(kind) for kind in COUNTERS}


def note_changes(
    connection: sa.Connection, kind: str, columns: Sequence[str], rows: Sequence[Row], now: str
) -> None:
    """Write the counters of stored records that will change when *rows* are merged with ``upsert_records``.

    Locks the stored records in the order of their keys, as the merge does.
    """
    key, fullness, counted_at = map(columns.index, (f"{kind}_id", "fullness", "counted_at"))
    ids = sorted({row[key] for row in rows if row[counted_at] is not None})
    stored = {row[0]: tuple(row[1:]) for row in _LOOKUPS[kind].find(connection, ids, {})}
    if not stored:
        return
    counts_of = itemgetter(*map(columns.index, COUNTERS[kind]))
    versions: dict[int, list[tuple[int, Counts]]] = {}
    differ: set[int] = set()
    for row in rows:
        record_id, counts = row[key], counts_of(row)
        if record_id in stored:
            versions.setdefault(record_id, []).append((row[fullness], counts))
            if _is_stated(counts, stored[record_id]):
                differ.add(record_id)
    if differ:
        _Page(connection, kind, now).note(stored, {record_id: versions[record_id] for record_id in differ})


def _is_stated(new: Counts, old: Counts) -> bool:
    """Return whether *new* states a value that differs from the *old* one."""
    return any(after is not None and after != before for before, after in zip(old, new, strict=True))


class _Page:
    """The changes of the records of one kind on one page."""

    def __init__(self, connection: sa.Connection, kind: str, now: str) -> None:
        self._connection, self._kind, self._now = connection, kind, now
        self._names = COUNTERS[kind]

    def note(
        self, stored: Mapping[int, Counts], versions: Mapping[int, Sequence[tuple[int, Counts]]]
    ) -> None:
        """Write what changes when *stored* counters are merged with new *versions* (fullness, counters)."""
        rows: list[Row] = []
        confirmed: list[int] = []
        records = _read_records(self._connection, self._kind, sorted(versions))
        for record_id, record in records.items():
            old, new = stored[record_id], self._merge(stored[record_id], record, versions[record_id])
            changed = [place for place, value in enumerate(new) if value != old[place]]
            if not changed or record.counted_at is None:
                continue
            if record.newest_at is None:
                if record.counted_at == self._now:  # on a server, this page has inserted a version
                    continue
                is_more = all(old[place] is None for place in changed)
                if is_more and any(counts == new for _, counts in versions[record_id]):
                    confirmed.append(record_id)
                    continue
                known = [place for place, value in enumerate(old) if value is not None]
                rows += self._rows_of(record_id, old, known, record.counted_at, None)
            rows += self._rows_of(record_id, new, changed, self._time_after(record), self._run_id)
        upserts.insert_new(self._connection, counter_history, _COLUMNS, rows)
        self._move(confirmed)

    @functools.cached_property
    def _run_id(self) -> int | None:
        newest: int | None = self._connection.scalar(sa.select(sa.func.max(runs.c.run_id)))
        return newest

    def _time_after(self, record: _Stored) -> str:
        """Return the current time, or one after all rows of *record*.

        Another worker may have a faster clock, or have read it later and written first.
        """
        newest = max(filter(None, (record.newest_at, record.counted_at)))
        if self._now > newest:
            return self._now
        return timestamp(datetime.fromisoformat(newest) + timedelta(microseconds=1))

    def _merge(self, old: Counts, record: _Stored, versions: Iterable[tuple[int, Counts]]) -> Counts:
        """Return the counters after all *versions*, as ``upsert_records`` merges them."""
        fullness = record.fullness
        for new_fullness, new in versions:
            is_thinner = new_fullness < fullness
            old = tuple(
                before
                if after is None or (before is not None and (is_thinner or _is_outage(name, after)))
                else after
                for name, before, after in zip(self._names, old, new, strict=True)
            )
            fullness = max(fullness, new_fullness)
        return old

    def _rows_of(
        self, record_id: int, counts: Counts, places: Iterable[int], at: str, run_id: int | None
    ) -> Iterator[Row]:
        for place in places:
            yield self._kind, record_id, self._names[place], at, counts[place], run_id

    def _move(self, confirmed: Sequence[int]) -> None:
        """Let counters have their first values since now: all of them were stated, and none changed."""
        if confirmed:
            update = sa.update(RECORD_TABLES[self._kind]).where(_key_of(self._kind) == sa.bindparam("record"))
            parameters = [{"record": record_id} for record_id in confirmed]
            self._connection.execute(update.values(counted_at=self._now), parameters)


def _is_outage(name: str, value: int) -> bool:
    return value == 0 and name in upserts.COUNTS_AN_OUTAGE_ZEROED


def _read_records(connection: sa.Connection, kind: str, ids: Sequence[int]) -> dict[int, _Stored]:
    table, key, history = RECORD_TABLES[kind], _key_of(kind), counter_history.c
    newest_at = sa.select(sa.func.max(history.observed_at)).where(
        history.kind == kind, history.record_id == key
    )
    query = sa.select(key, table.c.fullness, table.c.counted_at, newest_at.correlate(table).scalar_subquery())
    return {
        row[0]: _Stored(*row[1:])
        for chunk in chunked(ids)
        for row in connection.execute(query.where(key.in_(chunk)))
    }
