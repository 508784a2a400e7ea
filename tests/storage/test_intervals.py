"""The times of likes that one page of a list tells."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sgr_spiders.model.items import Boundaries
from sgr_spiders.storage.ledger.intervals import (
    Changes,
    Interval,
    Place,
    compare_order,
    latest_time,
    of_page,
    since_upload,
)

NOW = "2026-11-27T12:00:00.500000Z"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_interval_of_a_page_lies_between_its_boundaries() -> None:
    newest, oldest = at("2024-02-01T10:00:00.123456"), at("2024-01-01T10:00:00.999999")
    assert of_page(Boundaries(newest, oldest), NOW) == Interval(
        "2024-01-01T10:00:00.999000Z", "2024-02-01T10:00:00.124000Z"
    )
    assert of_page(Boundaries(None, oldest), NOW) == Interval("2024-01-01T10:00:00.999000Z", NOW)
    assert of_page(Boundaries(newest, None), NOW) == Interval(None, "2024-02-01T10:00:00.124000Z")
    assert of_page(Boundaries(), NOW) == Interval(None, NOW)


def test_a_local_clock_that_is_behind_does_not_count() -> None:
    assert latest_time(Boundaries(), NOW) == NOW
    assert latest_time(Boundaries(answered=at("2026-11-27T12:00:00")), NOW) == NOW
    ahead = Boundaries(answered=at("2026-11-27T14:00:00"))
    assert latest_time(ahead, NOW) == "2026-11-27T14:00:01.000000Z"


MAY = Interval("2024-05-01T00:00:00.000000Z", "2024-06-01T00:00:00.000000Z")


@pytest.mark.parametrize(
    ("created_at", "expected"),
    [
        (None, MAY),
        ("2020-01-01T00:00:00Z", MAY),
        ("2024-05-20T00:00:00Z", Interval("2024-05-20T00:00:00.000000Z", MAY.not_after)),
        ("2024-06-20T00:00:00Z", Interval(MAY.not_before, NOW)),
        ("2030-01-01T00:00:00Z", MAY),
    ],
)
def test_a_like_does_not_precede_the_upload(created_at: str | None, expected: Interval) -> None:
    assert since_upload(MAY, created_at, NOW) == expected


def test_an_upload_is_the_start_of_an_interval_without_one() -> None:
    open_start = Interval(None, MAY.not_after)
    assert since_upload(open_start, "2019-01-01T00:00:00Z", NOW) == Interval(
        "2019-01-01T00:00:00.000000Z", MAY.not_after
    )


def test_a_start_beyond_the_end_is_ignored() -> None:
    assert MAY.not_before_time("2024-07-01T00:00:00.000000Z") == MAY


A, B, C, D, NEW, BEYOND, GONE = 10, 11, 12, 13, 20, 30, 40
PLACES = {
    A: Place(4, 0, is_removed=False),
    B: Place(4, 1, is_removed=False),
    C: Place(4, 2, is_removed=False),
    D: Place(4, 3, is_removed=False),
    BEYOND: Place(2, 1, is_removed=False),
    GONE: Place(2, 0, is_removed=True),
}
"""The last look, of generation 4, did not reach ``BEYOND``; an earlier one found that ``GONE`` is removed."""


@pytest.mark.parametrize(
    ("order", "arrived", "moved", "first"),
    [
        ([A, B, C, D], [], [], A),
        ([A, D, BEYOND], [], [], A),
        ([BEYOND, 31], [], [], BEYOND),
        ([NEW, A, B], [NEW], [], A),
        ([NEW, 21, B, C], [NEW, 21], [], B),
        ([A, NEW, B], [], [], A),
        ([NEW], [], [], None),
        ([], [], [], None),
        ([C, A, B, D], [], [C], A),
        ([D, C, A, B], [], [D, C], A),
        ([A, C, B, D], [], [A, C], B),
        ([NEW, C, A], [], [C], A),
        ([BEYOND, A, B], [], [BEYOND], A),
        ([GONE, A, B], [], [GONE], A),
        ([NEW, GONE], [], [GONE], None),
        ([NEW, A, GONE], [NEW], [GONE], A),
    ],
)
def test_the_order_shows_what_is_new(
    order: list[int], arrived: list[int], moved: list[int], first: int | None
) -> None:
    known = {record: PLACES[record] for record in order if record in PLACES}
    assert compare_order(order, known, is_first_page=True) == Changes(arrived, moved, first)
    assert compare_order(order, known, is_first_page=False) == Changes([], moved, None)
