"""Intervals, rounds and files of seeds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.config.schedule import (
    SeedLine,
    next_round,
    parse_interval,
    parse_priority,
    read_seed_lines,
    round_at,
    spell_interval,
)

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 11, 1, 14, tzinfo=UTC)
INTERVALS = st.integers(min_value=1, max_value=3650 * 24 * 60).map(lambda minutes: 60 * minutes)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600), ("24h", 86_400)]
)
def test_intervals(text: str, seconds: int) -> None:
    assert parse_interval(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "7", "d", "0d", "-1d", "1.5d", "1_0d", "7 d", "7D", "\u0661d", "3651d", "9" * 50]
)
def test_invalid_intervals(text: str) -> None:
    with pytest.raises(
        ValueError, match="not an interval such as 30m, 12h, 7d or 2w, at most 3650d: "
    ) as caught:
        parse_interval(text)
    assert str(caught.value).isprintable()


@given(INTERVALS)
def test_a_spelt_interval_can_be_parsed(seconds: int) -> None:
    assert parse_interval(spell_interval(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "1.5", "1001", "-1001", "+1", "high", "1_0"])
def test_invalid_priorities(text: str) -> None:
    assert [parse_priority(number) for number in ("0", "-3", "1000")] == [0, -3, 1000]
    with pytest.raises(ValueError, match="not an integer from -1000 to 1000: "):
        parse_priority(text)


@given(INTERVALS, st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10_000)))
def test_a_round_contains_its_moment(interval: int, since: timedelta) -> None:
    moment = START + since
    began, ends = round_at(START, interval, moment), next_round(START, interval, moment)
    assert began <= moment < ends
    assert ends - began == timedelta(seconds=interval)
    assert (began - START) % timedelta(seconds=interval) == timedelta(0)


def test_a_daily_seed_stays_daily_under_a_daily_timer() -> None:
    """The hour at which it was added and the length of its harvests do not matter."""
    day = 86_400
    for added in (0, 1, 12 * 3600, day - 1):
        due = START + timedelta(seconds=added)
        harvests = []
        for number in range(1, 11):
            run_starts = START + timedelta(days=number)
            if due <= run_starts:
                harvests.append(number)
                due = next_round(due, day, run_starts)
        assert harvests == list(range(1, 11))


def test_a_file_of_seeds(tmp_path: Path) -> None:
    path = tmp_path / "seeds"
    path.write_text(
        "\n# all of them\n1\nsoundcloud:tracks:2 12h # daily would do\nhttps://soundcloud.com/a/b 2w -5\n"
    )
    first, second, third = read_seed_lines(str(path))
    assert first == SeedLine(first.seed)
    assert (first.seed.track_id, second.seed.track_id, second.interval) == (1, 2, 43_200)
    assert (third.seed.url, third.interval, third.priority) == ("https://soundcloud.com/a/b", 1_209_600, -5)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("x", "line 2: not an ID, URN, URL or permalink: 'x'"),
        ("playlist:7", "line 2: a playlist, not a track; only tracks can be scheduled: 'playlist:7'"),
        ("soundcloud.com/a", "line 2: a user, not a track; only tracks can be scheduled"),
        ("1 often", "line 2: not an interval such as"),
        ("1 1d high", "line 2: not an integer"),
        ("1 1d 1 1", "line 2: more than seed, interval and priority: '1 1d 1 1'"),
        ("https://soundcloud.com/a/b/s-abc", "line 2: a secret link"),
    ],
)
def test_an_error_in_a_file_names_the_line(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "seeds"
    path.write_text(f"1\n{line}\n")
    with pytest.raises(ValueError, match="seeds, line 2") as caught:
        read_seed_lines(str(path))
    assert problem in str(caught.value)
    assert "s-abc" not in str(caught.value)
