"""A summary states how a run ended, what is partial, and what to do next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sgr_spiders.model.outcome import Outcome
from sgr_spiders.reports.caps import cap_rows, count_by_setting, list_caps
from sgr_spiders.reports.summary import (
    FinishedRun,
    RequestTotals,
    has_work_left,
    lost_rows,
    run_statistics,
    summary,
    walks_table,
)
from sgr_spiders.storage.figures.layer_counts import LayerCounts
from sgr_spiders.storage.figures.overview import (
    Capped,
    CappedWalks,
    Choices,
    LostWalks,
    RunOverview,
    Share,
    Walks,
    Work,
)

COMMAND = "scrapy crawl deep_harvest -a track_id=7"
FOUND = LayerCounts(2_000_000_000, 100_000_000, 1_000_000, 30_000_000_000, 123_456_789)


def share(**by_status: int) -> Share:
    return Share(FOUND, Walks(by_status, 2_000_000_000, 7, 1_000, 985), Work(1_234_567, 400_000.0))


def finish(name: str, code: int, reason: str | None = None, **by_status: int) -> FinishedRun:
    layers = {"contextual_layer": share(done=3), "user_depth": share(**by_status)}
    totals = dict.fromkeys(("tracks", "users", "playlists", "engagements", "comments"), 9_999_999_999)
    view = RunOverview(layers, share(**by_status), totals, [], Capped([], []), 0)
    outcome = Outcome(name, code, reason)  # type: ignore[arg-type]
    return FinishedRun(outcome, view, RequestTotals(5, 0, 0, 0, 0.0), 3.2, "data/x.db", COMMAND)


def test_only_the_command_is_wider_than_a_terminal() -> None:
    lost = [LostWalks("failed", "user_playlists", "reason " * 40, 7, "a search text " * 9)]
    capped = Capped([walks("liker", 1_000_000_000, "x" * 80)], [])
    end = finish("partial", 3, "1 walks failed", done=1, failed=7)
    end = replace(
        end, overview=replace(end.overview, lost=lost, capped=capped), command=COMMAND + " -s X=" + "y" * 200
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
    capped = Capped([walks("hits", 1_000, layer="label_layer"), walks("likers", 5, layer="user_depth")], [])
    assert [cap.setting for cap in list_caps(capped)] == ["user_depth.max_users_per_track", None]
    assert cap_rows([]) == []


def test_only_all_is_100_percent() -> None:
    def shown(received: int) -> str:
        (line, *_) = [
            row for row in walks_table({"a": Walks({"done": 1}, 0, 1, 10_000, received)}, set()) if "%" in row
        ][1:]
        return line

    assert "99.9%" in shown(9_999)
    assert "100.0%" in shown(10_000)


def test_a_single_layer_has_no_row_of_totals() -> None:
    end = finish("complete", 0, done=4)
    one = replace(end, overview=replace(end.overview, layers={"user_depth": share(done=4)}))
    assert any("total (distinct)" in line for line in summary(end, None))
    assert not any("total (distinct)" in line for line in summary(one, None))


def walks(step: str, cap: int, example: str = "7", reason: str | None = None, **more: object) -> CappedWalks:
    known = {"layer": "playlist_depth", "walks": 3, "kept": 3 * cap, "available": None, **more}
    return CappedWalks(step=step, endpoint="an_endpoint", cap=cap, reason=reason, example=example, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("capped", "row"),
    [
        (
            walks("likers", 1_000, layer="user_depth", available=4_000),
            ["3", "user_depth.max_users_per_track = 1,000", "3,000 of 4,000", "an_endpoint", "e.g. 7"],
        ),
        (
            walks("hits", 1_000, layer="label_layer"),
            ["3", "label_layer: 1,000 (fixed)", "3,000 of unknown", "an_endpoint",
             "the API returns no more hits of a search"],
        ),
        (
            walks("likers", 1_000, layer="user_depth", reason="10 empty pages in a row"),
            ["3", "user_depth", "3,000 of unknown", "an_endpoint", "10 empty pages in a row"],
        ),
        (
            walks("likers", 1_000, layer="of_yesterday"),
            ["3", "of_yesterday: 1,000 (fixed)", "3,000 of unknown", "an_endpoint", "e.g. 7"],
        ),
    ],
)  # fmt: skip
def test_capped_walks_are_shown_with_the_cause(capped: CappedWalks, row: list[str]) -> None:
    assert cap_rows(list_caps(Capped([capped], []))) == [row]


def test_choices_of_layers_are_in_the_same_list() -> None:
    choices = [
        Choices("contextual_layer", "max_entities", 10, 1, 1, 10, 14, "900"),
        Choices("playlist_depth", "max_likers", 4, 2, 2, 8, None, "900"),
    ]
    end = finish("complete", 0, done=4, capped=1)
    end = replace(end, overview=replace(end.overview, capped=Capped([walks("liker", 50)], choices)))
    caps = list_caps(end.overview.capped)
    assert [cap.setting for cap in caps] == [
        "playlist_depth.max_likers", "playlist_depth.max_playlists_per_liker", "contextual_layer.max_entities"
    ]  # fmt: skip
    lines = summary(end, None)
    start = lines.index("Capped; to get more, raise the setting in its section of the configuration")
    assert [" ".join(line.split()) for line in lines[start + 1 : start + 4]] == [
        "2 playlist_depth.max_likers = 4 8 of unknown choice e.g. 900",
        "3 playlist_depth.max_playlists_per_liker = 50 150 of unknown an_endpoint e.g. 7",
        "1 contextual_layer.max_entities = 10 10 of 14 choice e.g. 900",
    ]
    states = {
        line.split()[0]: line.replace("total (distinct)", "total").split()[1]
        for line in lines
        if line[:1] > " "
    }
    assert states["contextual_layer"] == states["total"] == "capped"
    assert states["user_depth"] == "complete"
    assert count_by_setting(end.overview.capped) == {
        ("playlist_depth", "max_likers"): 2,
        ("playlist_depth", "max_playlists_per_liker"): 3,
        ("contextual_layer", "max_entities"): 1,
    }
    stats = run_statistics(end.overview, end.outcome, 1.0)
    assert stats["sgr/layer/playlist_depth/capped_by/max_likers"] == 2


@pytest.mark.parametrize(
    ("received", "expected", "shown"),
    [
        (985, 1_000, "98.5% (7 of 9 walks)"),
        (9_999, 10_000, "99.9% (7 of 9 walks)"),
        (5, 5, "100.0% (7 of 9 walks)"),
        (0, 0, "-"),
    ],
)
def test_a_percentage_names_its_basis_and_is_rounded_down(received: int, expected: int, shown: str) -> None:
    walked = Walks({"done": 8, "gone": 1}, 5, 7, expected, received)
    lines = walks_table({"user_depth": walked}, set())
    assert lines[1].endswith(f"  {shown}")
    assert len(lines) == (3 if expected else 2)


def test_retries_token_requests_checks_and_pauses_are_counted() -> None:
    end = finish("complete", 0, done=1)
    assert "5 requests sent" in summary(end, None)
    busy = replace(end, requests=RequestTotals(1200, 30, 1, 2, 61.0))
    (line,) = [line for line in summary(busy, None) if "sent" in line]
    sent, paused = "1,200 requests sent (30 retries, 1 token request, 2 checks)", "paused 1 min 01 s"
    assert line == f"{sent}, {paused} by rate limits or refusals"
    assert "No requests sent" in summary(replace(end, requests=RequestTotals(0, 0, 0, 0, 0.0)), None)


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
