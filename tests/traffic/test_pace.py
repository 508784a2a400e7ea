"""The pace, with a clock of its own."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.sandbox.limiter import Limiter, LimitPlan
from sgr_spiders.traffic.latency_delay import LatencyDelay
from sgr_spiders.traffic.learned_rate import DAY, PLATEAU, LearnedRate
from sgr_spiders.traffic.pace import Pace
from tests.traffic.simulation import Client, FixedWindow, new_pace, shares, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = 3600.0
STEADY = LimitPlan(2.0)

PLANS = {
    "2 s": LimitPlan(2.0),
    "10 s": LimitPlan(10.0),
    "half a second": LimitPlan(0.5),
    "slower": LimitPlan(2.0, steps=((HOUR, 4.0),)),
    "faster": LimitPlan(2.0, steps=((HOUR, 1.0),)),
    "drift": LimitPlan(2.0, drift=(4.0, 600.0)),
}


def pace_of(interval: float) -> Pace:
    """Return a pace that an earlier run has taught this interval."""
    pace = new_pace()
    pace.rate.resume(interval, age=0)
    return pace


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("burst", [1, 5])
def test_few_requests_are_refused_and_most_that_can_pass_do(name: str, burst: int) -> None:
    plan = PLANS[name]
    sent = simulate(new_pace(), Limiter(plan, burst), 2 * HOUR)
    result = shares(sent, plan, 60, 2 * HOUR)
    assert result.refused <= 0.055, result
    assert result.passed >= 0.82, result


@pytest.mark.parametrize("interval", [2.0, 10.0])
def test_the_first_minute_finds_the_rate(interval: float) -> None:
    sent = simulate(new_pace(), Limiter(LimitPlan(interval)), 60)
    assert sum(not one.passed for one in sent) <= 6
    assert sum(one.passed for one in sent) >= 0.4 * 60 / interval


def test_without_refusals_the_delay_alone_counts() -> None:
    sent = simulate(new_pace(0.3), Limiter(LimitPlan(0.1), 10), 60)
    assert len(sent) == pytest.approx(60 / 0.3, abs=1)
    assert all(later.at - sooner.at == pytest.approx(0.3) for sooner, later in pairwise(sent))


@pytest.mark.parametrize("interval", [0.1, 0.29, 2.0])
def test_no_request_is_sent_earlier_than_the_delay_allows(interval: float) -> None:
    sent = simulate(new_pace(0.3), Limiter(LimitPlan(interval)), 600)
    assert min(later.at - sooner.at for sooner, later in pairwise(sent)) >= 0.3 - 1e-9


def test_a_named_time_is_obeyed() -> None:
    sent = simulate(new_pace(), Limiter(STEADY), 600, named=lambda _limiter: 7.0)
    gaps = [later.at - sooner.at for sooner, later in pairwise(sent) if not sooner.passed]
    assert gaps
    assert min(gaps) >= 7.0


def test_a_refusal_lowers_the_rate_at_once_and_the_next_request_goes_alone() -> None:
    pace = pace_of(2.0)
    pace.note_sent(100.0)
    assert pace.note_refused(100.0, 100.1, None)
    assert pace.is_probing
    assert pace.interval == pytest.approx(2.0 / 0.88)
    assert pace.next_at == pytest.approx(100.1 + pace.interval)


def test_the_rate_is_back_after_the_plateau_and_exceeds_it_then() -> None:
    values = intervals_after_a_refusal(16.0, PLATEAU + 10)
    refused = values.pop(0)
    assert values == sorted(values, reverse=True)
    # The second refusal at a lower rate than the first would reach: the plateau is a little lower.
    assert refused <= values[PLATEAU - 1] <= refused / 0.9
    assert values[-1] < refused / 1.5


def test_a_plateau_takes_a_minute_at_least() -> None:
    refused, *values = intervals_after_a_refusal(0.1, 2000)
    assert sum(interval > refused for interval in values) * refused > 50
    assert values[-1] < refused / 1.5


def intervals_after_a_refusal(interval: float, number: int) -> list[float]:
    """Return the interval that was refused, and those during the next requests, which pass."""
    rate = LearnedRate()
    rate.resume(interval, age=0)
    rate.note_sent(0)
    for _ in range(20):
        rate.note_passed(on_time=True)
    values = [rate.interval]
    rate.note_refused(rate.interval)
    rate.settle(now=41.0, paused_at=40.0)
    for _ in range(number):
        rate.note_passed(on_time=True)
        values.append(rate.interval)
    return values


FALLS_AND_RISES = LimitPlan(0.02, steps=((100.0, 0.05), (200.0, 0.02)))
FAST: dict[str, tuple[Callable[[], Limiter | FixedWindow], LimitPlan, float, float]] = {
    "50 in a second": (lambda: Limiter(LimitPlan(0.02), 5), LimitPlan(0.02), 30, 0.92),
    "10 in a second": (lambda: Limiter(LimitPlan(0.1), 5), LimitPlan(0.1), 30, 0.92),
    "50, 20 and 50 in a second": (lambda: Limiter(FALLS_AND_RISES, 5), FALLS_AND_RISES, 30, 0.75),
    "600 in each minute": (lambda: FixedWindow(600, 60), LimitPlan(0.1), 120, 0.92),
}
"""Limits that are met without a delay: the server, its limit, the seconds after which it is known, and the
share of it to use from then on."""


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("is_named", [True, False], ids=["named", "unnamed"])
def test_a_fast_limit_is_learned_and_seldom_met(name: str, is_named: bool) -> None:  # noqa: FBT001
    server, plan, start, least = FAST[name]
    sent = simulate(
        new_pace(0.0),
        server(),
        300,
        named=lambda limiter: limiter.seconds_left() if is_named else None,
        client=Client(8, 0.02),
    )
    settled = shares(sent, plan, start, 300)
    assert settled.refused <= 0.01, settled
    assert settled.passed >= least, settled
    # With the refusals by which the limit is found.
    assert shares(sent, plan, 0, 300).refused <= 0.012


def test_a_request_a_little_too_early_after_a_short_pause_is_no_reason_for_a_long_one() -> None:
    pace = new_pace(0.0)
    pace.rate.resume(0.02, age=0)
    pace.note_sent(0.0)
    pace.note_refused(0.0, 0.01, None)
    pace.note_sent(pace.next_at)
    pace.note_refused(pace.open_at, pace.open_at + 0.01, None)
    assert pace.next_at < 0.3
    now = pace.next_at
    pace.note_sent(now)
    pace.note_refused(now, now, None)
    assert pace.next_at - now >= 10


def test_requests_that_come_late_do_not_raise_the_rate() -> None:
    pace = pace_of(2.0)
    for number in range(100):
        pace.note_sent(60.0 * number)
        pace.note_passed(60.0 * number, 60.0 * number + 0.1)
    assert pace.interval == pytest.approx(2.0)


def test_a_limit_that_the_delay_never_reaches_is_forgotten() -> None:
    pace = pace_of(2.0)
    simulate(pace, Limiter(LimitPlan(0.1), 10), 600)
    assert pace.rate.value is None
    assert pace.interval == 0.3


@pytest.mark.parametrize(("days", "interval"), [(0, 8.0), (1, 4.0), (3, 1.0), (7, None), (36_500, None)])
def test_each_day_of_age_doubles_the_rate(days: float, interval: float | None) -> None:
    pace = new_pace(0.3)
    pace.rate.resume(8.0, age=days * DAY)
    assert pace.rate.value == (None if interval is None else 1 / interval)


def test_a_fresh_rate_is_used_at_once() -> None:
    sent = simulate(pace_of(2.2), Limiter(STEADY), 60)
    assert sum(not one.passed for one in sent) <= 2
    assert len(sent) >= 24


def test_an_outdated_rate_is_corrected_within_a_minute() -> None:
    pace = new_pace()
    pace.rate.resume(2.2, age=2 * DAY)
    sent = simulate(pace, Limiter(STEADY), 120)
    assert sum(not one.passed for one in sent if one.at < 60) <= 6
    assert shares(sent, STEADY, 60, 120).passed >= 0.7


def test_a_long_named_pause_does_not_stop_the_crawl_afterwards() -> None:
    pace = new_pace()
    pace.note_sent(0.0)
    pace.note_refused(0.0, 0.1, 12 * HOUR)
    pace.note_sent(pace.next_at)
    pace.note_passed(pace.next_at, pace.next_at)
    assert pace.interval <= 21


def test_a_refusal_of_a_request_sent_before_the_pause_extends_it_only() -> None:
    pace = pace_of(2.0)
    pace.note_sent(0.0)
    assert pace.note_refused(0.0, 1.0, None)
    interval, end = pace.interval, pace.open_at
    assert not pace.note_refused(0.5, 1.1, None)
    assert not pace.note_refused(0.6, 1.2, 9.0)
    assert (pace.interval, pace.pauses_in_a_row) == (interval, 1)
    assert pace.open_at > end
    assert pace.open_at == pytest.approx(10.2)


def test_pauses_without_a_time_grow() -> None:
    pace, now, lengths = new_pace(), 0.0, []
    for _ in range(4):
        now = max(now, pace.next_at)
        pace.note_sent(now)
        pace.note_refused(now, now, None)
        lengths.append(pace.open_at - now)
    ranges = zip((2.5, 5, 10, 20), lengths, strict=True)
    assert all(shortest <= length <= 2 * shortest for shortest, length in ranges)


def test_the_latency_delay_is_that_of_autothrottle() -> None:
    delay = LatencyDelay(0.0, 2.0, 60.0)
    delay.note(4.0, may_fall=True)
    assert delay.seconds == 2.0
    delay.note(1.0, may_fall=False)
    assert delay.seconds == 2.0
    delay.note(1.0, may_fall=True)
    assert delay.seconds == 1.25
    delay.note(500.0, may_fall=True)
    assert delay.seconds == 60.0
    off = LatencyDelay(0.0, inf, 0.0)
    off.note(500.0, may_fall=True)
    assert off.seconds == 0.0
