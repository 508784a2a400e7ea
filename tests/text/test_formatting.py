"""Numbers, durations, sizes and tables for people."""

from __future__ import annotations

import pytest

from sgr_spiders.text.formatting import cut, duration, listing, number, pluralize, size, table


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0, "0.0 s"),
        (12.34, "12.3 s"),
        (61, "1 min 01 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.7, "1 h 00 min"),
        (3600, "1 h 00 min"),
        (7800, "2 h 10 min"),
        (172_799, "47 h 59 min"),
        (172_800, "2 d 0 h"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (99_400, "99.4 kB"),
        (99_500, "100 kB"),
        (999_499, "999 kB"),
        (651_000, "651 kB"),
        (999_700, "1.0 MB"),
        (1_313_792_000, "1.3 GB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_sizes(count: int | None, text: str) -> None:
    assert size(count) == text


def test_counts() -> None:
    assert [number(None), number(0), number(1234567)] == ["-", "0", "1,234,567"]
    assert [pluralize(1, "walk"), pluralize(0, "walk"), pluralize(2000, "walk")] == [
        "1 walk",
        "0 walks",
        "2,000 walks",
    ]


def test_a_listing_lines_up_to_the_right_and_cuts_nothing() -> None:
    long = "x" * 200
    assert listing([["1", "ten", "a"], ["1,000", "2", long], ["20", "", ""]]) == [
        "    1  ten  a",
        f"1,000    2  {long}",
        "   20",
    ]
    assert listing([["alone"]]) == ["alone"]
    assert listing([]) == []


def test_only_a_line_that_is_too_wide_is_cut() -> None:
    assert cut("x" * 100) == "x" * 100
    assert cut("x" * 101) == "x" * 97 + "..."


def test_columns_are_aligned_left_and_right() -> None:
    assert table([["a", "b", "c"], ["aa", "bb", "cc"]], left=2, indent="  ") == [
        "  a   b    c",
        "  aa  bb  cc",
    ]
    assert table([["a"], ["aa", "bb"]], left=0) == [" a", "aa  bb"]


def test_what_a_terminal_could_act_on_is_escaped() -> None:
    (line,) = table([["a\x1b[2Jb\nc", "\u202e1"]])
    assert line == "a\\x1b[2Jb\\nc  \\u202e1"


def test_a_table_lines_up_and_is_no_wider_than_a_terminal() -> None:
    rows = [["name", "count", "more"], ["a", "1,000", ""], ["longer", "7", "x" * 200]]
    lines = table(rows)
    assert lines[1] == "a       1,000"
    assert lines[2].startswith("longer      7  xxx")
    assert max(map(len, lines)) == 100
    assert lines[2].endswith("...")
    assert table([]) == []
