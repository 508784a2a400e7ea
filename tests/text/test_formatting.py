"""Numbers, durations, sizes and tables for people."""

from __future__ import annotations

import pytest

from sgr_spiders.text.formatting import (
    columns_of,
    cut,
    duration,
    listing,
    number,
    pluralize,
    size,
    table,
    wrap,
)


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


HARVEST = [
    ["walks", "", "done", "pending", "received", "% of expected"],
    ["user_depth", "partial", "4", "65", "1,122", "2.5% (68 of 69 walks)"],
    ["total", "partial", "4", "65", "1,122", "2.5% (68 of 69 walks)"],
]


def test_a_table_of_numbers_has_narrow_gaps_and_then_a_second_part(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = table(HARVEST, left=2)
    assert wide[1] == "user_depth  partial     4       65     1,122  2.5% (68 of 69 walks)"
    monkeypatch.setenv("COLUMNS", "65")
    assert table(HARVEST, left=2)[1] == "user_depth partial    4      65    1,122 2.5% (68 of 69 walks)"
    monkeypatch.setenv("COLUMNS", "20")
    assert table(HARVEST, left=2) == [
        "walks                done  pending  received",
        "user_depth  partial     4       65     1,122",
        "total       partial     4       65     1,122",
        "",
        "walks               % of expected",
        "user_depth  2.5% (68 of 69 walks)",
        "total       2.5% (68 of 69 walks)",
    ], "60 columns at least"
    monkeypatch.setenv("COLUMNS", "500")
    assert table(HARVEST, left=2) == wide


def test_a_table_of_texts_shortens_them_and_then_breaks_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["2026-11-27 03:00", "like", "1211451200 1654500011", "A title of a track " * 4], ["2026"]]
    assert len(table(rows, left=4)[0]) == 100
    monkeypatch.setenv("COLUMNS", "80")
    assert table(rows, left=4) == [
        "2026-11-27 03:00  like  1211451200 1654500011  A title of a track A title of ...",
        "2026",
    ]
    monkeypatch.setenv("COLUMNS", "60")
    assert table(rows, left=4) == [
        "2026-11-27 03:00  like  1211451200 1654500011",
        "    A title of a track A title of a track A title of a tr...",
        "2026",
    ]


def test_only_a_terminal_breaks_the_rows_of_a_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        ["id", "score", "title", "url"],
        ["12", "0.5", "日本 " * 12, "https://soundcloud.com/" + "x" * 60],
    ]
    assert len(listing(rows, texts=2)) == 2
    monkeypatch.setenv("COLUMNS", "80")
    assert listing(rows, texts=2)[2:] == [f"12    0.5  {'日本 ' * 12}".rstrip(), f"    {rows[1][-1]}"]
    monkeypatch.setenv("COLUMNS", "60")
    assert listing(rows, texts=2)[2] == f"12    0.5  {'日本 ' * 9}..."
    rows = [[*row[:1], "evidence_of_a_very_long_name_of_its_own", *row[1:]] for row in rows]
    assert listing(rows, texts=2)[:3] == [
        "id  evidence_of_a_very_long_name_of_its_own  score",
        "    title",
        "    url",
    ]
    monkeypatch.setenv("COLUMNS", "120")
    assert listing([["1", "a"]]) == ["1  a"]


def test_no_line_of_a_table_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["name", "count", "more"], ["a", "1,000", ""], ["longer", "7", "x" * 200]]
    assert table(rows)[:2] == ["name    count", "a       1,000"]
    assert table([]) == []
    for columns in (60, 80, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        for left in range(4):
            for line in (
                *table(rows, left, "  "),
                *table([["日本" * 90, "x"]], left),
                *wrap("a sentence " * 30),
            ):
                assert columns_of(line) <= columns


def test_a_wide_character_takes_two_columns() -> None:
    assert [columns_of(text) for text in ("ab", "日本", "e\u0301", "비 오")] == [2, 4, 1, 5]
    assert table([["日本", "1"], ["abcd", "2"]]) == ["日本  1", "abcd  2"]
