"""The times in cursors are read in the API's forms; anything else is ignored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.model.items import Boundaries, Walk
from sgr_spiders.soundcloud.boundaries import EARLIEST, read_boundaries, read_boundary

LIKES = "/users/soundcloud:users:42/likes/tracks?page_size=200&"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
NOON = datetime(2024, 1, 9, 12, 30, 4, tzinfo=UTC)


def read(query: str) -> datetime | None:
    return read_boundary(LIKES + query, NOW)


@pytest.mark.parametrize(
    "value",
    [
        "2024-01-09T12:30:04.000Z,user-track-likes,000-00000000000000000042-00000000001712964786",
        "2024-01-09T12%3A30%3A04.000Z%2Ctracks%2C01712964786",
        "2024-01-09T12:30:04.000Z",
        "2024-01-09T12:30:04Z",
        "2024-01-09T12:30:04",
        "2024-01-09T12:30:04.000000000Z",
        "2024-01-09T13:30:04.000%2B01:00",
        "2024-01-09T13:30:04+01:00",
        "2024-01-09T13:30:04+0100",
        "2024/01/09+12:30:04+%2B0000",
        "1704803404000",
        "1704803404000000",
        "1704803404000,user-reposts,000",
    ],
)
def test_forms_of_cursors(value: str) -> None:
    assert read(f"cursor={value}") == NOON
    assert read(f"offset={value}") == NOON


def test_fractions_of_a_second_are_kept() -> None:
    assert read("cursor=1704803404123456") == NOON.replace(microsecond=123456)
    assert read("cursor=2024-01-09T12:30:04.123Z,user-track-likes,0") == NOON.replace(microsecond=123000)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "cursor",
        "cursor=",
        "offset=200&limit=200",
        "cursor=1712964786",
        "cursor=17048034040",
        "cursor=0001704803404",
        "cursor=0000001712964786",
        "cursor=9999999999999999",
        "cursor=99999999999999999999999999",
        "cursor=٢٠٢٤٠١٠٩١٢٣٠٤",
        "cursor=2024-13-09T12:30:04Z",
        "cursor=2024-01-09T12:30:60Z",
        "cursor=2024-01-09T12:30:04%2B99:99",
        "cursor=2024-01-09",
        "cursor=2024-W02-2",
        "cursor=20240109T123004",
        "cursor=tracks,2024-01-09T12:30:04Z",
        "cursor=MjAyNC0wMS0wOQ==",
        "cursor=2006-12-31T23:59:59Z",
        "cursor=0001-01-01T00:00:00%2B14:00",
        "cursor=9999-12-31T23:59:59-14:00",
        "cursor=2026-11-27T12:00:01Z",
        "since=2024-01-09T12:30:04Z",
    ],
)
def test_other_values_are_ignored(query: str) -> None:
    assert read(query) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_cursor_is_an_error(name: str, value: str) -> None:
    for cursor in (value, f"{LIKES}cursor={value}", f"{LIKES}{name}={value}", f"//[{value}?cursor=x"):
        found = read_boundary(cursor, NOW)
        assert found is None or EARLIEST <= found <= NOW


def test_the_ends_of_a_page() -> None:
    walk = Walk(1, "user_likes", "42", cursor=LIKES + "cursor=2024-01-09T12:30:04.000Z,x,0", pages=1)
    older = LIKES + "cursor=2024-01-08T12:30:04.000Z,x,0"
    day = timedelta(days=1)
    answered = NOW.timestamp()
    expected = Boundaries(NOON, NOON - day, NOW)
    assert read_boundaries(walk, older, answered, NOW) == expected
    assert read_boundaries(walk, None, None, NOW) == Boundaries(NOON, None, None)
    assert read_boundaries(Walk(1, "user_likes", "42"), older, None, NOW) == Boundaries(
        None, NOON - day, None
    )


def test_the_servers_clock_tells_the_future() -> None:
    walk = Walk(1, "user_likes", "42")
    href = LIKES + "cursor=2024-01-09T12:30:04.000Z,x,0"
    local = NOON - timedelta(days=400)
    behind = read_boundaries(walk, href, NOW.timestamp(), local)
    assert behind.at == NOON
    assert read_boundaries(walk, href, None, local).at is None
    assert read_boundaries(walk, href, 0.0, NOW).at is None
    assert read_boundaries(walk, href, 1e300, NOW) == Boundaries(None, NOON, None)
