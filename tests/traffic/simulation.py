"""A crawl in simulated time: a pace against a rate limit, with more requests than can pass."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sgr_spiders.sandbox.limiter import Limiter, LimitPlan
from sgr_spiders.traffic.latency_delay import LatencyDelay
from sgr_spiders.traffic.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Client:
    """The number of requests in flight, and the mean seconds to a response."""

    concurrency: int
    latency: float


SLOW = Client(2, 0.1)


@dataclass(frozen=True)
class Sent:
    """A request: when it was sent, and whether it passed."""

    at: float
    passed: bool


@dataclass(frozen=True)
class Shares:
    """The share of the requests that were refused, and of what the limit would pass that passed."""

    refused: float
    passed: float


class FixedWindow:
    """A limit of *count* requests in each window of so many seconds, whenever they come."""

    def __init__(self, count: int, seconds: float) -> None:
        self.plan = LimitPlan(seconds / count)
        self._count = count
        self._seconds = seconds
        self._window = -1
        self._passed = 0
        self._seen = 0.0

    def passes(self, now: float) -> bool:
        """Take a place in the current window; return whether there was one."""
        self._seen = now
        if int(now // self._seconds) != self._window:
            self._window, self._passed = int(now // self._seconds), 0
        self._passed += 1
        return self._passed <= self._count

    def seconds_left(self) -> float:
        """Return the seconds from the last request until the next window."""
        return self._seconds - self._seen % self._seconds


def new_pace(delay: float = 0.3) -> Pace:
    return Pace(delay, LatencyDelay(0.0, 1.0, 0.0), (5.0, 900.0))


def simulate(
    pace: Pace,
    limiter: Limiter | FixedWindow,
    seconds: float,
    *,
    seed: int = 1,
    named: Callable[[Any], float | None] = lambda _limiter: None,
    client: Client = SLOW,
) -> list[Sent]:
    """Send requests whenever *pace* allows it; return them.

    *named* returns the seconds that a refusal asks to wait. The latency varies by a half, as *seed* says.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    random.seed(seed)
    sent: list[Sent] = []
    answers: list[tuple[float, float, bool, float | None]] = []
    now, is_alone = 0.0, False
    while now < seconds:
        start = max(now, pace.next_at)
        is_full = len(answers) >= client.concurrency or (is_alone and bool(answers))
        if answers and (is_full or answers[0][0] <= start):
            now, sent_at, passed, wait = heapq.heappop(answers)
            if passed:
                pace.note_passed(sent_at, now)
            else:
                pace.note_refused(sent_at, now, wait)
            continue
        now, is_alone = start, pace.is_probing
        pace.note_sent(now)
        arrival = now + client.latency * chance.uniform(0.25, 0.75)
        passed = limiter.passes(arrival)
        sent.append(Sent(now, passed))
        wait = None if passed else named(limiter)
        heapq.heappush(answers, (arrival + client.latency * chance.uniform(0.25, 0.75), now, passed, wait))
    return sent


def shares(sent: Iterable[Sent], plan: LimitPlan, start: float, end: float) -> Shares:
    """Return the shares of the requests between *start* and *end*."""
    chosen = [one for one in sent if start <= one.at < end]
    passed = sum(one.passed for one in chosen)
    return Shares(1 - passed / len(chosen), passed / passable(plan, start, end))


def passable(plan: LimitPlan, start: float, end: float, step: float = 0.1) -> float:
    """Return the number of requests that the limit passes between *start* and *end*."""
    count = round((end - start) / step)
    return sum(step / plan.interval_at(start + (number + 0.5) * step) for number in range(count))
