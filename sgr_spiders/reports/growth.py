"""The output of ``scrapy changes`` for one record: its counters over time."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import minute, number, significant, table

if TYPE_CHECKING:
    from sgr_spiders.storage.figures.growth import CounterValue, Growth


HEADINGS: Final = ["first read (UTC)", "counter", "value", "change", "per day"]


def as_json(growth: Growth, limit: int) -> dict[str, Any]:
    """Return the structure documented in docs/operations.md."""
    return {
        "kind": growth.kind,
        "id": growth.record_id,
        "name": growth.name,
        "counted_at": growth.counted_at,
        "counters": dict(growth.counters),
        "since": growth.since,
        "count": len(growth.values),
        "values": [asdict(value) for value in growth.values[-limit:]],
    }


def as_text(growth: Growth, limit: int) -> list[str]:
    """Return tables of the counters as they are, and of their last *limit* values."""
    named = f" {for_message(growth.name)}" if growth.name else ""
    which = f"{growth.kind} {growth.record_id}{named}"
    if not growth.counters:
        return [f"No counter of {which} is known"]
    lines = [f"Counters of {which}", ""]
    lines += table([[name, number(value)] for name, value in growth.counters.items()], indent="  ")
    if all(value.change is None for value in growth.values):
        since = max(filter(None, (growth.counted_at, growth.since)), default=None)
        return [*lines, "", f"No change known{_from(since)}"]
    rows = [HEADINGS, *map(_row, growth.values[-limit:])]
    count = len(growth.values)
    heading = f"Last {number(limit)} of {number(count)} values" if limit < count else "Values"
    return [*lines, "", heading + _from(growth.since), *table(rows, left=2, indent="  ")]


def _from(since: str | None) -> str:
    return "" if since is None else f" since {minute(since)} (UTC)"


def _row(value: CounterValue) -> list[str]:
    change = "" if value.change is None else _signed(value.change, number(abs(value.change)))
    per_day = "" if value.per_day is None else _signed(value.per_day, _rate(abs(value.per_day)))
    return [minute(value.observed_at), value.counter, number(value.value), change, per_day]


def _signed(value: float, text: str) -> str:
    return f"{'+' if value > 0 else '-'}{text}"


def _rate(value: float) -> str:
    return number(round(value)) if value >= 100 else significant(value, 2)
