"""`scrapy changes track NAME`: the counters of a record over time."""

from __future__ import annotations

import sqlalchemy as sa

from sgr_spiders.reports import growth
from sgr_spiders.storage.figures.growth import read_growth
from sgr_spiders.storage.schema import counter_history, tracks
from sgr_spiders.storage.store import Store

TIMES = [f"2026-01-{day:02}T00:00:00.000000Z" for day in range(1, 13)]


def harvest(store: Store, *, plays: int = 0) -> None:
    """Write a track whose plays had so many values, 10 more each day."""
    with store.write() as connection:
        track = {"track_id": 1, "title": "Paper", "is_stub": False, "fullness": 3, "fetched_at": TIMES[0]}
        connection.execute(sa.insert(tracks).values(track | {"counted_at": TIMES[0], "playback_count": 110}))
        rows = [
            {
                "kind": "track",
                "record_id": 1,
                "counter": "playback_count",
                "observed_at": at,
                "value": 10 * day,
            }
            for day, at in enumerate(TIMES[:plays])
        ]
        if rows:
            connection.execute(sa.insert(counter_history), rows)


def show(store: Store, since: str | None = None, limit: int = 10) -> str:
    with store.read() as connection:
        return "\n".join(growth.as_text(read_growth(connection, "track", "1", since), limit))


def test_the_last_values_are_shown(store: Store) -> None:
    harvest(store, plays=12)
    with store.read() as connection:
        found = growth.as_json(read_growth(connection, "track", "1", None), 3)
    assert [(value["value"], value["change"]) for value in found["values"]] == [
        (90, 10),
        (100, 10),
        (110, 10),
    ]
    assert (found["since"], found["count"]) == (None, 12)
    text = show(store, limit=3)
    assert "\nLast 3 of 12 values\n" in text
    assert "2026-01-09" not in text
    assert "2026-01-10" in text
    assert "\nValues\n" in show(store, limit=12)


def test_only_later_values_are_shown(store: Store) -> None:
    harvest(store, plays=12)
    with store.read() as connection:
        found = growth.as_json(read_growth(connection, "track", "1", TIMES[10]), 10)
    assert [value["observed_at"] for value in found["values"]] == TIMES[10:]
    assert [value["change"] for value in found["values"]] == [10, 10]
    assert (found["since"], found["count"]) == (TIMES[10], 2)
    assert "\nValues since 2026-01-11 00:00 (UTC)\n" in show(store, TIMES[10])
    assert "\nLast 1 of 2 values since 2026-01-11 00:00 (UTC)\n" in show(store, TIMES[10], 1)
    later = "2026-03-01T00:00:00.000000Z"
    assert show(store, later).endswith("\nNo change known since 2026-03-01 00:00 (UTC)")


def test_no_change_is_known_from_before_the_first_look(store: Store) -> None:
    harvest(store)
    first = "\nNo change known since 2026-01-01 00:00 (UTC)"
    assert show(store).endswith(first)
    assert show(store, "2025-01-01T00:00:00.000000Z").endswith(first)
    assert show(store, TIMES[4]).endswith("\nNo change known since 2026-01-05 00:00 (UTC)")
