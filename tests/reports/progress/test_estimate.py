"""The estimate follows its formula, and states when it is a lower bound."""

from __future__ import annotations

import pytest

from sgr_spiders.reports.progress.estimate import PAGE_SIZES, Estimate, estimate, pages_left
from sgr_spiders.reports.progress.request_rate import RequestRate
from sgr_spiders.reports.progress.snapshot import RequestState, Tally
from sgr_spiders.storage.figures.progress_counts import WalkGroup

LAYER = frozenset({"user_depth"})


def group(
    status: str,
    walks: int,
    *,
    endpoint: str = "user_likes",
    shown: bool = False,
    layers: frozenset[str] = LAYER,
    **counts: int,
) -> WalkGroup:
    return WalkGroup(endpoint, status, layers, layers if shown else frozenset(), walks, **counts)


def test_stated_records_are_converted_to_pages_and_other_walks_use_the_mean() -> None:
    groups = [
        group("done", 3, pages=7),
        group("capped", 1, pages=3),
        group("planned", 10, foreseen=4, foreseen_pages=9),
        group("planned", 2, endpoint="user_tracks"),
    ]
    # 9 foreseen pages, 6 walks of 10 / 4 pages each, and 2 walks of an endpoint without finished walks.
    assert pages_left(groups) == 9 + 6 * 2.5 + 2


def test_it_is_the_time_per_page_plus_the_rest_of_the_pause() -> None:
    groups = [group("running", 6, foreseen=6, foreseen_pages=6)]
    assert estimate(groups, (), 1.5, 60) == Estimate(69, may_grow=False)
    assert estimate(groups, (), None, 60) is None


@pytest.mark.parametrize(
    ("groups", "settling", "may_grow"),
    [
        ([group("planned", 1)], (), False),
        ([group("planned", 1, shown=True)], (), True),
        ([group("done", 1, shown=True), group("planned", 1)], (), False),
        ([group("planned", 1)], ("user_depth",), True),
        ([group("planned", 1)], ("label_layer",), False),
        ([group("planned", 1, layers=frozenset())], (), True),
        ([], ("user_depth",), False),
    ],
)
def test_it_covers_the_known_walks_only_while_layers_may_ask_for_more(
    groups: list[WalkGroup], settling: tuple[str, ...], *, may_grow: bool
) -> None:
    assert estimate(groups, settling, 1.0, 0) == Estimate(pages_left(groups), may_grow=may_grow)


def test_each_layer_is_open_or_closed_independently() -> None:
    tally = Tally(("user_depth", "label_layer", "artist_depth"), {"label_layer"}, 0)
    shared = frozenset({"user_depth", "label_layer"})
    tally.groups = [group("planned", 2, layers=shared), group("done", 3)]
    snapshot = tally.snapshot(1, RequestState(), closing=False)
    assert [(walks.finished, walks.known, walks.open) for walks in snapshot.layers.values()] == [
        (3, 5, False),
        (0, 2, True),
        (0, 0, False),
    ]
    assert (snapshot.walks.finished, snapshot.walks.known, snapshot.walks.open) == (3, 5, True)


def test_an_extended_pause_counts_once_and_leaves_the_rate_unchanged() -> None:
    tally = Tally(("user_depth",), (), 0)
    tally.groups = [group("planned", 10)]
    for _ in range(5):
        tally.add_page(["track"] * 3)
    before = tally.snapshot(10, RequestState(6), closing=False)
    assert before.estimate == Estimate(20, may_grow=False)
    tally.holds.begin(10, until=40, reason="first")
    tally.holds.begin(20, until=70, reason="longer")
    during = tally.snapshot(30, RequestState(6), closing=False)
    assert during.hold is not None
    assert (during.hold.until, during.hold.reason) == (70, "longer")
    assert during.estimate == Estimate(20 + 40, may_grow=False)
    after = tally.snapshot(70, RequestState(6), closing=False)
    assert after.hold is None
    assert after.estimate == before.estimate
    assert after.requests_per_minute == before.requests_per_minute == 36
    assert after.records == {"track": 15, "user": 0, "playlist": 0, "comment": 0}


def test_the_rate_follows_the_last_minute() -> None:
    rate = RequestRate(0)
    for second in range(1, 1001):
        rate.sample(second, second, second)
    assert rate.seconds_per_page == 1
    for second in range(1001, 1241):
        rate.sample(second, 1000 + (second - 1000) // 4, 1000 + (second - 1000) // 4)
    assert rate.seconds_per_page == pytest.approx(4, rel=0.05)
    # A slow crawl is measured over more than a minute, because its pages are irregular.
    for number in range(22):
        rate.sample(2000 + 100 * number + 40 * (number % 2), 2000 + number, 2000 + number)
    assert rate.seconds_per_page == pytest.approx(100)


def test_a_long_pause_does_not_fill_the_memory() -> None:
    rate = RequestRate(0)
    for _ in range(10_000):
        rate.sample(5.0, 1, 1)
    assert len(rate._samples) < 5


def test_page_sizes_are_those_that_are_asked_for() -> None:
    assert PAGE_SIZES["user_likes"] == 200
    assert PAGE_SIZES["user_playlists"] == 20
    assert PAGE_SIZES["playlist_tracks"] == 50
    assert PAGE_SIZES["track"] == PAGE_SIZES["resolve"] == 1
