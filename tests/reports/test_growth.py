"""`scrapy changes track NAME`: the counters of a record over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.items import Fullness, Track, User
from sgr_spiders.reports import growth
from sgr_spiders.storage import records
from sgr_spiders.storage.figures.growth import read_growth

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.storage.store import Store

TIMES = [f"2026-01-{day:02}T00:00:00.000000Z" for day in range(1, 13)]


def look(store: Store, now: str, plays: int | None, likes: int | None = None) -> None:
    found = Track(
        1, title="Paper Tides", playback_count=plays, favoritings_count=likes, fullness=Fullness.OWN
    )
    with store.write() as connection:
        records.write_records(connection, [found], set(), now)


def harvest(store: Store, *, plays: int) -> None:
    """Write a track whose plays had so many values, 10 more each day."""
    for day, at in enumerate(TIMES[:plays]):
        look(store, at, 10 * day)


def show(store: Store, since: str | None = None, limit: int = 10) -> str:
    with store.read() as connection:
        return "\n".join(growth.as_text(read_growth(connection, "track", "1", since), limit))


def values_of(store: Store, since: str | None = None) -> list[dict[str, Any]]:
    with store.read() as connection:
        values: list[dict[str, Any]] = growth.as_json(read_growth(connection, "track", "1", since), 100)[
            "values"
        ]
    return values


def test_the_last_values_are_shown(store: Store) -> None:
    harvest(store, plays=12)
    with store.read() as connection:
        found = growth.as_json(read_growth(connection, "track", "1", None), 3)
    assert [(value["value"], value["change"], value["per_day"]) for value in found["values"]] == [
        (90, 10, 10.0),
        (100, 10, 10.0),
        (110, 10, 10.0),
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
    harvest(store, plays=1)
    first = "\nNo change known since 2026-01-01 00:00 (UTC)"
    assert show(store).endswith(first)
    assert show(store, "2025-01-01T00:00:00.000000Z").endswith(first)
    assert show(store, TIMES[4]).endswith("\nNo change known since 2026-01-05 00:00 (UTC)")


def test_a_counter_that_never_changed_has_its_first_value(store: Store) -> None:
    look(store, TIMES[0], 5, 2)
    rows = [("favoritings_count", TIMES[0], 2), ("playback_count", TIMES[0], 5)]

    def shown() -> list[tuple[Any, ...]]:
        return [(value["counter"], value["observed_at"], value["value"]) for value in values_of(store)]

    assert shown() == rows
    for at, reposts in zip(TIMES, (1, 2), strict=False):
        with store.write() as connection:
            records.write_records(
                connection, [User(1, reposts_count=reposts, fullness=Fullness.OWN)], set(), at
            )
    look(store, TIMES[1], 6, 2)
    assert shown() == [*rows, ("playback_count", TIMES[1], 6)]
    assert [value["counter"] for value in values_of(store, TIMES[1])] == ["playback_count"]


def test_a_change_within_an_hour_has_no_rate(store: Store) -> None:
    look(store, "2026-01-01T00:00:00.000000Z", 5)
    look(store, "2026-01-01T00:59:59.000000Z", 6)
    look(store, "2026-01-01T01:59:59.000000Z", 5)
    look(store, "2026-01-04T01:59:59.000000Z", 6)
    assert [(value["change"], value["per_day"]) for value in values_of(store)] == [
        (None, None), (1, None), (-1, -24.0), (1, 1 / 3),
    ]  # fmt: skip
    assert show(store).splitlines()[-4].split()[-1] == "5"
    assert [line.split()[-1] for line in show(store).splitlines()[-2:]] == ["-24", "+0.33"]


def test_the_documented_example_is_true(store: Store, root: Path) -> None:
    for at, plays, likes in (
        ("2026-03-02T06:00:12.000000Z", 120_480, 3_204),
        ("2026-03-09T06:00:09.000000Z", 121_932, 3_204),
        ("2026-03-16T06:00:14.000000Z", 126_077, 3_311),
    ):
        look(store, at, plays, likes)
    document = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"\n```text\n{show(store)}\n```\n" in document


def test_the_documented_query_finds_what_grew(store: Store, root: Path) -> None:
    harvest(store, plays=3)
    document = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    query = document.partition("-- Plays gained since the first look, most first\n")[2].partition(";")[0]
    with store.read() as connection:
        assert connection.execute(sa.text(query)).all() == [(1, "Paper Tides", 20, TIMES[0])]
