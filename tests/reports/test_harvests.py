"""Runs that ended, were killed, or are running, as ``scrapy harvests`` shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sgr_spiders.reports.harvests import as_json, as_text, describe_outcome, run_seconds
from sgr_spiders.storage.figures.inventory import PastRun

WRITTEN = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
STARTED = "2026-03-01T12:00:00.000Z"


def past_run(**more: Any) -> PastRun:
    optional = (
        "finished_at", "outcome", "reason", "exit_code", "config_hash", "version", "requests", "api_origin",
        "is_sandbox",
    )  # fmt: skip
    row: dict[str, Any] = {
        "run_id": 4, "spider": "deep_harvest", "layers": ("a",), "scope": "x", "seeds": 2, "refresh": False,
        "started_at": STARTED, "arguments": {}, "stats": {},
    }  # fmt: skip
    return PastRun(**{**dict.fromkeys(optional), **row, **more})


@pytest.mark.parametrize(
    ("more", "is_last", "outcome", "seconds"),
    [
        ({"outcome": "partial", "finished_at": "2026-03-01T12:01:00.500Z"}, True, "partial", 60.5),
        ({}, True, "running or killed", 30.0),
        # Only of the last run is the time of the last write known.
        ({}, False, "killed", None),
        ({"stats": {"sgr/fetched": "complete"}}, True, "relating or killed", 30.0),
        ({"stats": {"sgr/fetched": "complete"}}, False, "killed while relating", None),
        ({"started_at": "2026-03-01T12:00:31.000Z"}, True, "running or killed", 0.0),
    ],
)
def test_outcome_and_duration(more: dict[str, Any], outcome: str, seconds: float, *, is_last: bool) -> None:
    run = past_run(**more)
    assert describe_outcome(run, is_last=is_last) == outcome
    assert run_seconds(run, WRITTEN, is_last=is_last) == seconds
    if run.finished_at is None:
        assert run_seconds(run, None, is_last=is_last) is None


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"is_at_work": True}, "running"),
        ({"is_at_work": True, "stats": {"sgr/fetched": "complete"}}, "relating"),
        ({"is_at_work": False}, "killed"),
        ({"is_at_work": False, "stats": {"sgr/fetched": "complete"}}, "killed while relating"),
    ],
)
def test_the_workers_of_a_server_say_whether_they_are_at_work(more: dict[str, Any], outcome: str) -> None:
    run = past_run(last_heartbeat_at="2026-03-01T12:00:20.000Z", **more)
    for is_last in (True, False):
        assert describe_outcome(run, is_last=is_last) == outcome
        assert run_seconds(run, None, is_last=is_last) == 20.0


def test_counts_are_unknown_until_all_is_fetched_and_then_0() -> None:
    unknown, fetched, ended = as_json(
        [past_run(), past_run(stats={"sgr/fetched": "complete"}), past_run(outcome="blocked")]
    )
    assert (unknown["pages"], unknown["walks"]["done"], unknown["collected"]["tracks"]) == (None, None, None)
    for known in (fetched, ended):
        assert (known["pages"], known["walks"]["done"], known["collected"]["tracks"]) == (0, 0, 0)
    counted = past_run(outcome="complete", stats={"tracks_collected": 7, "sgr/walks/done": 3, "sgr/pages": 9})
    (row,) = as_json([counted])
    assert (row["pages"], row["walks"]["done"], row["collected"]["tracks"]) == (9, 3, 7)


def test_the_first_row_is_the_last_run() -> None:
    lines = as_text([past_run(run_id=5), past_run()], WRITTEN)
    assert [line.split()[:2] for line in lines[1:]] == [["5", "deep_harvest"], ["4", "deep_harvest"]]
    assert "running or killed" in lines[1]
    assert "30.0 s" in lines[1]
    assert "running" not in lines[2]
