"""The progress block on a terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from sgr_spiders.reports.progress.block import Space, approximate, block
from sgr_spiders.reports.progress.estimate import Estimate
from sgr_spiders.reports.progress.holds import Hold
from sgr_spiders.reports.progress.snapshot import RequestState, Snapshot, WalkProgress

NOW = datetime(2026, 11, 5, 14, 22, 30).astimezone().timestamp()
SNAPSHOT = Snapshot(
    now=NOW,
    elapsed=3725.4,
    walks=WalkProgress(finished=8_049, known=12_172, open=True),
    layers={
        "user_depth": WalkProgress(8_034, 12_151, open=False),
        "playlist_depth": WalkProgress(15, 21, open=True),
    },
    finished={"done": 8_040, "capped": 8, "gone": 0, "failed": 1},
    pages=10_200,
    records={"track": 1_400_123, "user": 134, "playlist": 33, "comment": 0},
    requests=RequestState(sent=10_312, in_flight=2, delay=0.5),
    requests_per_minute=71.4,
    hold=None,
    estimate=Estimate(12_300, may_grow=True),
    closing=False,
)


def rows(snapshot: Snapshot = SNAPSHOT, width: int = 80, height: int = 40) -> list[str]:
    return [row.rstrip() for row in block(snapshot, Space(width, height)).plain.split("\n")]


def test_the_block() -> None:
    assert rows() == [
        "",
        "walks             finished of known; +: more may follow",
        "user_depth        ━━━━━━━━━━━━━━━━━━━───────────  8,034 of 12,151",
        "playlist_depth    ━━━━━━━━━━━━━━━━━━━━━─────────     15 of     21+",
        "total (distinct)  ━━━━━━━━━━━━━━━━━━━───────────  8,049 of 12,172+",
        "finished          8,040 done · 8 capped · 1 failed",
        "received          1,400,123 tracks · 134 users · 33 playlists",
        "requests          10,312 for 10,200 pages · 2 in flight",
        "rate              71 per minute · at least 0.50 s apart",
        "time              1:02:05 · about 3 h 25 min for the known walks",
    ]


def test_a_learned_delay_is_marked() -> None:
    limited = replace(SNAPSHOT, requests=replace(SNAPSHOT.requests, is_limited=True))
    assert "rate              71 per minute · at least 0.50 s apart (rate limit)" in rows(limited)


def test_a_pause_replaces_the_rate() -> None:
    paused = replace(SNAPSHOT, hold=Hold(NOW + 61, "HTTP 429\x1b[2J"))
    (row,) = set(rows(paused)) - set(rows())
    assert row == r"paused            until 14:23:31 · 0:01:01 to go · HTTP 429\x1b[2J"
    tomorrow = replace(SNAPSHOT, hold=Hold(NOW + 86_400, "HTTP 429"))
    (row,) = set(rows(tomorrow)) - set(rows())
    assert "until 06 Nov 14:22:30" in row


def test_the_end_shows_the_requests_in_flight() -> None:
    (row,) = set(rows(replace(SNAPSHOT, closing=True))) - set(rows())
    assert row == "time              1:02:05 · finishing: 2 requests in flight"


def test_the_first_block_shows_unknown_values() -> None:
    nothing = WalkProgress(0, 1, open=True)
    start = Snapshot(
        now=NOW,
        elapsed=0,
        walks=nothing,
        layers={"user_depth": nothing},
        finished=dict.fromkeys(SNAPSHOT.finished, 0),
        pages=0,
        records=dict.fromkeys(SNAPSHOT.records, 0),
        requests=RequestState(),
        requests_per_minute=None,
        hold=None,
        estimate=None,
        closing=False,
    )
    assert rows(start)[2:] == [
        "user_depth  ──────────────────────────────  0 of 1+",
        "finished    none yet",
        "received    nothing yet",
        "requests    0 for 0 pages · 0 in flight",
        "rate        not known yet",
        "time        0:00:00 · no estimate yet",
    ]


@pytest.mark.parametrize("hold", [None, Hold(NOW + 90_000, "HTTP 429: " + "reason " * 30)])
@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 200])
@pytest.mark.parametrize("height", [1, 5, 12, 13, 40])
def test_it_fits_any_terminal(*, width: int, height: int, ascii_only: bool, hold: Hold | None) -> None:
    drawn = block(replace(SNAPSHOT, hold=hold), Space(width, height, ascii_only))
    lines = drawn.split("\n", allow_blank=True)
    assert max(line.cell_len for line in lines) <= min(width, 78)
    assert len(lines) <= max(1, height - 1)
    assert drawn.plain.isascii() or not ascii_only


def test_nothing_is_cut_at_60_columns() -> None:
    paused = replace(SNAPSHOT, hold=Hold(NOW + 86_400, "HTTP 429: too many requests"))
    for snapshot in (SNAPSHOT, paused, replace(SNAPSHOT, closing=True)):
        assert not [row for row in rows(snapshot, width=60) if "…" in row]


def test_a_low_terminal_shows_only_the_total() -> None:
    assert [row.split("  ")[0] for row in rows(height=12)] == [
        "", "walks", "total (distinct)", "finished", "received", "requests", "rate", "time",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "10 s"),
        (29, "30 s"),
        (31, "1 min"),
        (3570, "1 h 00 min"),
        (86_370, "1 d 0 h"),
        (200_000, "2 d 7 h"),
    ],
)
def test_durations_are_rounded_to_the_precision_of_an_estimate(seconds: float, words: str) -> None:
    assert approximate(seconds) == words
