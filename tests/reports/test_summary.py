"""A summary says how a run ended, what is partial, and what to do next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sgr_spiders.model.outcome import Outcome
from sgr_spiders.reports.summary import Ended, Traffic, capped_by, figures, goes_on, lost_rows, summary
from sgr_spiders.storage.figures.layer_counts import LayerCounts
from sgr_spiders.storage.figures.overview import CappedWalks, LostWalks, RunOverview, Share, Walks, Work

COMMAND = "scrapy crawl deep_harvest -a track_id=7"
FOUND = LayerCounts(2_000_000_000, 100_000_000, 1_000_000, 30_000_000_000, 123_456_789)


def share(**by_status: int) -> Share:
    return Share(FOUND, Walks(by_status, 2_000_000_000, 1_000, 985), Work(1_234_567, 400_000.0))


def ended(name: str, code: int, reason: str | None = None, **by_status: int) -> Ended:
    layers = {"contextual_layer": share(done=3), "user_depth": share(**by_status)}
    totals = dict.fromkeys(("tracks", "users", "playlists", "engagements", "comments"), 9_999_999_999)
    view = RunOverview(layers, share(**by_status), totals, [], [])
    outcome = Outcome(name, code, reason)  # type: ignore[arg-type]
    return Ended(outcome, view, Traffic(5, 0, 0, 0.0), 3.2, "data/x.db", COMMAND, "scrapy status")


def test_no_line_is_wider_than_a_terminal_but_the_command() -> None:
    lost = [LostWalks("failed", "user_playlists", "reason " * 40, 7, "a search text " * 9)]
    cut = [CappedWalks("playlist_depth", "liker", "user_playlists", 1_000_000_000, None, 123_456, "x" * 80)]
    end = ended("partial", 3, "1 walks failed", done=1, failed=7)
    end = replace(
        end, overview=replace(end.overview, lost=lost, cut=cut), command=COMMAND + " -s X=" + "y" * 200
    )
    lines = summary(end, 10**12)
    assert max(len(line) for line in lines if "scrapy crawl" not in line) <= 100
    assert lines[-1] == f"  {COMMAND} -s X={'y' * 200}"


def test_partial_is_called_partial() -> None:
    lines = summary(ended("partial", 3, "1 walks failed", done=4, failed=1), None)
    assert lines[0] == "Harvest partial after 3.2 s: 1 walks failed"
    rows = {line.split()[0]: line.split()[1] for line in lines if line and line.split()[1:2] != []}
    assert rows["contextual_layer"] == "complete"
    assert rows["user_depth"] == rows["together"] == "partial"


def test_layers_come_in_their_order() -> None:
    lines = summary(ended("complete", 0, done=4), None)
    first = [line.split()[0] for line in lines if line]
    assert first.index("user_depth") < first.index("contextual_layer") < first.index("together")


@pytest.mark.parametrize(
    ("outcome", "failed", "has_more"),
    [
        ("complete", 0, False),
        ("partial", 0, False),  # a seed is gone: the same command would find nothing else
        ("partial", 2, True),
        ("unfinished", 0, True),
        ("interrupted", 0, True),
        ("blocked", 0, True),
        ("failed", 0, True),
        (None, 0, True),
    ],
)
def test_what_to_do_next(outcome: str | None, failed: int, *, has_more: bool) -> None:
    assert goes_on(outcome, failed) is has_more
    if outcome is not None:
        last = summary(ended(outcome, 1, "why", done=1, failed=failed), None)[-1]
        assert last == (f"  {COMMAND}" if has_more else "Next: scrapy status")


def test_without_a_command_it_says_the_same_command() -> None:
    end = replace(ended("interrupted", 130, "stopped by a signal", planned=1), command=None)
    assert "the same command goes on from here" in summary(end, None)[-1]


def test_failures_that_differ_by_an_address_are_one_group() -> None:
    reasons = [
        f"TimeoutError: Getting https://api.soundcloud.com/users/{n}/likes took longer" for n in (1, 2)
    ]
    lost = [LostWalks("failed", "user_likes", reason, 2, "17") for reason in reasons]
    (row,) = lost_rows(lost, "failed")
    assert row[:3] == ["4", "user_likes", "e.g. 17"]
    assert lost_rows(lost, "gone") == []


def test_many_groups_are_counted() -> None:
    lost = [LostWalks("failed", "user_likes", f"reason {n}", 1, "17") for n in range(30)]
    assert lost_rows(lost, "failed")[-1] == ["...", "22 more"]


@pytest.mark.parametrize(
    ("layer", "step", "reason", "text"),
    [
        ("user_depth", "likers", None, "user_depth.max_users_per_track = 1,000"),
        (
            "label_layer",
            "hits",
            None,
            "label_layer: 1,000 by no setting, the API gives no more hits of a search",
        ),
        ("user_depth", "likers", "10 empty pages in a row", "user_depth: 10 empty pages in a row"),
        ("of_yesterday", "likers", None, "of_yesterday: 1,000 by no setting"),
    ],
)
def test_what_capped_a_walk(layer: str, step: str, reason: str | None, text: str) -> None:
    assert capped_by(CappedWalks(layer, step, "endpoint", 1000, reason, 1, "7")) == text


def test_requests_are_told_apart() -> None:
    end = ended("complete", 0, done=1)
    assert "5 requests sent" in summary(end, None)
    busy = replace(end, traffic=Traffic(1200, 30, 1, 61.0))
    line = (
        "1,200 requests sent, 30 of them again after a fault, 1 for a token, "
        "held back 1 min 01 s by rate limits"
    )
    assert line in summary(busy, None)
    assert "No request was sent" in summary(replace(end, traffic=Traffic(0, 0, 0, 0.0)), None)


def test_the_statistics_are_those_of_the_table() -> None:
    end = ended("complete", 0, done=4, capped=1)
    stats = figures(end.overview, end.outcome, 3.25)
    assert stats["tracks_collected"] == 9_999_999_999
    assert stats["sgr/layer/user_depth/tracks"] == FOUND.tracks
    assert stats["sgr/layer/user_depth/capped"] == 1
    assert stats["sgr/layer/contextual_layer/requests"] == 1_234_567
    assert stats["sgr/seconds"] == 3.25


def test_times_are_told_to_the_millisecond() -> None:
    end = ended("complete", 0, done=4)
    quick = replace(end.overview.layers["user_depth"], work=Work(1, 0.0126))
    view = replace(end.overview, layers={"user_depth": quick})
    stats = figures(view, end.outcome, 0.0124)
    assert stats["sgr/seconds"] == 0.012
    assert stats["sgr/layer/user_depth/seconds"] == 0.013
