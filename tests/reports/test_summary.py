"""A summary states how a run ended, what is partial, and what to do next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sgr_spiders.model.outcome import Outcome
from sgr_spiders.reports.summary import (
    FinishedRun,
    RequestTotals,
    capped_rows,
    describe_cap,
    has_work_left,
    lost_rows,
    run_statistics,
    summary,
    walks_table,
)
from sgr_spiders.storage.figures.layer_counts import LayerCounts
from sgr_spiders.storage.figures.overview import CappedWalks, LostWalks, RunOverview, Share, Walks, Work

COMMAND = "scrapy crawl deep_harvest -a track_id=7"
FOUND = LayerCounts(2_000_000_000, 100_000_000, 1_000_000, 30_000_000_000, 123_456_789)


def share(**by_status: int) -> Share:
    return Share(FOUND, Walks(by_status, 2_000_000_000, 7, 1_000, 985), Work(1_234_567, 400_000.0))


def finish(name: str, code: int, reason: str | None = None, **by_status: int) -> FinishedRun:
    layers = {"contextual_layer": share(done=3), "user_depth": share(**by_status)}
    totals = dict.fromkeys(("tracks", "users", "playlists", "engagements", "comments"), 9_999_999_999)
    view = RunOverview(layers, share(**by_status), totals, [], [])
    outcome = Outcome(name, code, reason)  # type: ignore[arg-type]
    return FinishedRun(outcome, view, RequestTotals(5, 0, 0, 0.0), 3.2, "data/x.db", COMMAND, "scrapy status")


def test_only_the_command_is_wider_than_a_terminal() -> None:
    lost = [LostWalks("failed", "user_playlists", "reason " * 40, 7, "a search text " * 9)]
    capped = [
        CappedWalks("playlist_depth", "liker", "user_playlists", 1_000_000_000, None, 123_456, "x" * 80)
    ]
    end = finish("partial", 3, "1 walks failed", done=1, failed=7)
    end = replace(
        end, overview=replace(end.overview, lost=lost, cut=capped), command=COMMAND + " -s X=" + "y" * 200
    )
    lines = summary(end, 10**12)
    assert max(len(line) for line in lines if "scrapy crawl" not in line) <= 100
    assert lines[-1] == f"  {COMMAND} -s X={'y' * 200}"


def test_a_layer_with_failed_walks_is_partial() -> None:
    lines = summary(finish("partial", 3, "1 walks failed", done=4, failed=1), None)
    assert lines[0] == "Harvest partial after 3.2 s: 1 walks failed"
    rows = {
        line.split()[0]: line.replace("total (distinct)", "total").split()[1]
        for line in lines
        if line and line.split()[1:2] != []
    }
    assert rows["contextual_layer"] == "complete"
    assert rows["user_depth"] == rows["total"] == "partial"


def test_layers_keep_their_order() -> None:
    lines = summary(finish("complete", 0, done=4), None)
    first = [line.split()[0] for line in lines if line]
    assert first.index("user_depth") < first.index("contextual_layer") < first.index("total")


@pytest.mark.parametrize(
    ("outcome", "failed", "has_more"),
    [
        ("complete", 0, False),
        ("partial", 0, False),  # a seed is gone: a rerun would find nothing else
        ("partial", 2, True),
        ("unfinished", 0, True),
        ("interrupted", 0, True),
        ("blocked", 0, True),
        ("failed", 0, True),
        (None, 0, True),
    ],
)
def test_the_next_command(outcome: str | None, failed: int, *, has_more: bool) -> None:
    assert has_work_left(outcome, failed) is has_more
    if outcome is not None:
        last = summary(finish(outcome, 1, "why", done=1, failed=failed), None)[-1]
        assert last == (f"  {COMMAND}" if has_more else "Next: scrapy status")


def test_an_unknown_command_is_not_named() -> None:
    end = replace(finish("interrupted", 130, "stopped by a signal", planned=1), command=None)
    assert summary(end, None)[-1] == "All committed data is kept; rerun to resume."


def test_failures_that_differ_only_in_the_url_form_one_group() -> None:
    reasons = [
        f"TimeoutError: Getting https://api.soundcloud.com/users/{n}/likes took longer" for n in (1, 2)
    ]
    lost = [LostWalks("failed", "user_likes", reason, 2, "17") for reason in reasons]
    (row,) = lost_rows(lost, "failed")
    assert row[:3] == ["4", "user_likes", "e.g. 17"]
    assert lost_rows(lost, "gone") == []


def test_further_groups_are_counted_if_they_are_more_than_one() -> None:
    lost = [LostWalks("failed", "user_likes", f"reason {n}", 1, "17") for n in range(30)]
    assert lost_rows(lost, "failed")[8:] == [["...", "22 more"]]
    assert lost_rows(lost[:10], "failed")[8:] == [["...", "2 more"]]
    assert [row[3] for row in lost_rows(lost[:9], "failed")] == [f"reason {n}" for n in range(9)]


def test_a_long_example_is_cut() -> None:
    rows = lost_rows([LostWalks("gone", "e", text, 1, text) for text in ("x" * 24, "y" * 25)], "gone")
    assert [row[2] for row in rows] == [f"e.g. {'x' * 24}", f"e.g. {'y' * 21}..."]


def test_caps_that_a_setting_can_raise_come_first() -> None:
    capped = [
        CappedWalks("label_layer", "hits", "search_tracks", 1000, None, 9, "a"),
        CappedWalks("user_depth", "likers", "track_favoriters", 500, None, 3, "7"),
    ]
    assert [row[1] for row in capped_rows(capped)] == ["track_favoriters", "search_tracks"]
    assert capped_rows([]) == []


def test_only_all_is_100_percent() -> None:
    def shown(received: int) -> str:
        (line, *_) = [
            row for row in walks_table({"a": Walks({"done": 1}, 0, 1, 10_000, received)}) if "%" in row
        ][1:]
        return line

    assert "99.9%" in shown(9_999)
    assert "100.0%" in shown(10_000)


def test_a_single_layer_has_no_row_of_totals() -> None:
    end = finish("complete", 0, done=4)
    one = replace(end, overview=replace(end.overview, layers={"user_depth": share(done=4)}))
    assert sum("total (distinct)" in line for line in summary(end, None)) == 2
    assert not any("total (distinct)" in line for line in summary(one, None))


@pytest.mark.parametrize(
    ("layer", "step", "reason", "text"),
    [
        ("user_depth", "likers", None, "user_depth.max_users_per_track = 1,000"),
        (
            "label_layer",
            "hits",
            None,
            "label_layer: 1,000 (fixed): the API returns no more hits of a search",
        ),
        ("user_depth", "likers", "10 empty pages in a row", "user_depth: 10 empty pages in a row"),
        ("of_yesterday", "likers", None, "of_yesterday: 1,000 (fixed)"),
    ],
)
def test_the_cause_of_a_cap(layer: str, step: str, reason: str | None, text: str) -> None:
    assert describe_cap(CappedWalks(layer, step, "endpoint", 1000, reason, 1, "7")) == text


def test_retries_token_requests_and_pauses_are_counted() -> None:
    end = finish("complete", 0, done=1)
    assert "5 requests sent" in summary(end, None)
    busy = replace(end, requests=RequestTotals(1200, 30, 1, 61.0))
    line = "1,200 requests sent (30 retries, 1 token request), paused 1 min 01 s by rate limits"
    assert line in summary(busy, None)
    assert "No requests sent" in summary(replace(end, requests=RequestTotals(0, 0, 0, 0.0)), None)


def test_the_statistics_match_the_table() -> None:
    end = finish("complete", 0, done=4, capped=1)
    stats = run_statistics(end.overview, end.outcome, 3.25)
    assert stats["tracks_collected"] == 9_999_999_999
    assert stats["sgr/layer/user_depth/tracks"] == FOUND.tracks
    assert stats["sgr/layer/user_depth/capped"] == 1
    assert stats["sgr/layer/contextual_layer/requests"] == 1_234_567
    assert stats["sgr/seconds"] == 3.25


def test_times_are_rounded_to_milliseconds() -> None:
    end = finish("complete", 0, done=4)
    quick = replace(end.overview.layers["user_depth"], work=Work(1, 0.0126))
    view = replace(end.overview, layers={"user_depth": quick})
    stats = run_statistics(view, end.outcome, 0.0124)
    assert stats["sgr/seconds"] == 0.012
    assert stats["sgr/layer/user_depth/seconds"] == 0.013
