"""Keep the values that the API's counters had: one row when a counter changed.

As long as a counter has its first value, the record itself contains it, with the time of that look in
``counted_at``. The first change writes that value, and the new one. So a harvest of new records writes
nothing here; it costs a lookup per page, half of what a trigger costs on SQLite, which keeps a journal of
each statement that may fire one.
"""

from __future__ import annotations

import functools
from datetime import datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from sgr_spiders.storage import upserts
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.prepared import LookupStatement
from sgr_spiders.storage.schema import COUNTERS, RECORD_TABLES, counter_history, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Row = tuple[Any, ...]
    Counts = tuple[int | None, ...]

_COLUMNS: Final = ("kind", "record_id", "counter", "observed_at", "value", "run_id")


class _Stored(NamedTuple):
    """A stored record, and the times of the newest rows of its counters."""

    fullness: int
    counted_at: str
    newest: tuple[str | None, ...]


def _key_of(kind: str) -> sa.Column[int]:
    (key,) = RECORD_TABLES[kind].primary_key.columns
    return key


def _lookup(kind: str) -> LookupStatement:
    table = RECORD_TABLES[kind]
    query = sa.select(_key_of(kind), *(table.c[name] for name in COUNTERS[kind]))
    # Several workers may change the same record.
    return LookupStatement(query.with_for_update(of=table), _key_of(kind))


def _lookup_times(kind: str) -> LookupStatement:
    """Return the statement for the times of a record: a search per counter, however long its history is."""
    table, key, history = RECORD_TABLES[kind], _key_of(kind), counter_history.c
    newest = (
        sa.select(sa.func.max(history.observed_at))
        .where(history.kind == kind, history.record_id == key, history.counter == name)
        .correlate(table)
        .scalar_subquery()
        .label(f"newest_{name}")
        for name in COUNTERS[kind]
    )
    return LookupStatement(sa.select(key, table.c.fullness, table.c.counted_at, *newest), key)


_LOOKUPS: Final = {kind: _lookup(kind) for kind in COUNTERS}
_TIMES: Final = {kind: _lookup_times(kind) for kind in COUNTERS}
_OUTAGES: Final = {
    kind: [place for place, name in enumerate(names) if name in upserts.COUNTS_AN_OUTAGE_ZEROED]
    for kind, names in COUNTERS.items()
}
"""The places of counters in which a 0 never replaces a positive count."""


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
            if counts != stored[record_id] and _is_stated(counts, stored[record_id]):
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
        for record_id, record in self._read_records(sorted(versions)).items():
            old, new = stored[record_id], self._merge(stored[record_id], record, versions[record_id])
            changed = [place for place, value in enumerate(new) if value != old[place]]
            is_first = not any(record.newest)
            if not changed or (is_first and record.counted_at == self._now):
                continue  # At this very time, on a server, this page has inserted a version.
            if is_first and self._is_whole_look(old, new, changed, versions[record_id]):
                confirmed.append(record_id)
                continue
            at = self._time_after(record)
            for place in changed:
                if old[place] is not None and record.newest[place] is None:
                    rows.append(self._row(record_id, place, record.counted_at, old[place], None))
                rows.append(self._row(record_id, place, at, new[place], self._run_id))
        upserts.insert_new(self._connection, counter_history, _COLUMNS, rows)
        self._move(confirmed)

    @staticmethod
    def _is_whole_look(
        old: Counts, new: Counts, changed: Sequence[int], versions: Iterable[tuple[int, Counts]]
    ) -> bool:
        """Return whether one version states all counters, the known ones as they are stored."""
        return all(old[place] is None for place in changed) and any(counts == new for _, counts in versions)

    @functools.cached_property
    def _run_id(self) -> int | None:
        newest: int | None = self._connection.scalar(sa.select(sa.func.max(runs.c.run_id)))
        return newest

    def _time_after(self, record: _Stored) -> str:
        """Return the current time, or one after all rows of *record*.

        Another worker may have a faster clock, or have read it later and written first.
        """
        newest = max(filter(None, (*record.newest, record.counted_at)))
        if self._now > newest:
            return self._now
        return timestamp(datetime.fromisoformat(newest) + timedelta(microseconds=1))

    def _merge(self, old: Counts, record: _Stored, versions: Iterable[tuple[int, Counts]]) -> Counts:
        """Return the counters after all *versions*, as ``upsert_records`` merges them."""
        fullness = record.fullness
        for new_fullness, new in versions:
            first, other = (new, old) if new_fullness >= fullness else (old, new)
            merged = [one if one is not None else two for one, two in zip(first, other, strict=True)]
            for place in _OUTAGES[self._kind]:
                merged[place] = merged[place] or old[place] or merged[place]
            old, fullness = tuple(merged), max(fullness, new_fullness)
        return old

    def _row(self, record_id: int, place: int, at: str, value: int | None, run_id: int | None) -> Row:
        return self._kind, record_id, self._names[place], at, value, run_id

    def _read_records(self, ids: Sequence[int]) -> dict[int, _Stored]:
        rows = _TIMES[self._kind].find(self._connection, ids, {})
        return {row[0]: _Stored(row[1], row[2], tuple(row[3:])) for row in rows if row[2] is not None}

    def _move(self, confirmed: Sequence[int]) -> None:
        """Let counters have their first values since now: all of them were stated, and none changed."""
        if confirmed:
            update = sa.update(RECORD_TABLES[self._kind]).where(_key_of(self._kind) == sa.bindparam("record"))
            parameters = [{"record": record_id} for record_id in confirmed]
            self._connection.execute(update.values(counted_at=self._now), parameters)
