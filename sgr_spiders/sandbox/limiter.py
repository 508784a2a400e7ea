"""A rate limit: a token bucket whose interval may change in steps or drift."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LimitPlan:
    """The seconds per token, as a function of the seconds since the first request.

    ``steps`` are pairs of a time and the interval from then on. ``drift`` is an interval and a time: within
    that time the interval moves evenly to that one, and within the same time back, again and again.
    """

    interval: float
    steps: tuple[tuple[float, float], ...] = ()
    drift: tuple[float, float] | None = None

    @classmethod
    def from_text(cls, interval: str, steps: str, drift: str) -> LimitPlan:
        """Read ``60/10,120/2`` (from second 60 on, one per 10 s) and ``4/600`` (to 4 s within 600 s).

        Raises:
            ValueError: Something is not a number, or not positive.
        """
        pairs = [_pair(text) for text in steps.split(",") if text]
        ends = [_pair(drift)] if drift else []
        positive = [float(interval), *(one for _, one in pairs), *(number for end in ends for number in end)]
        if min(positive) <= 0:
            raise ValueError("an interval must be positive")
        return cls(float(interval), tuple(sorted(pairs)), ends[0] if ends else None)

    def interval_at(self, time: float) -> float:
        """Return the seconds per token at *time*."""
        interval = next((new for start, new in reversed(self.steps) if time >= start), self.interval)
        if self.drift is None:
            return interval
        target, seconds = self.drift
        share = abs((time / seconds + 1) % 2 - 1)
        return interval + (target - interval) * share


def _pair(text: str) -> tuple[float, float]:
    first, _, second = text.partition("/")
    return float(first), float(second)


class Limiter:
    """A token bucket. Times are in seconds of any clock."""

    def __init__(self, plan: LimitPlan, burst: float = 1.0) -> None:
        self._plan = plan
        self._burst = burst
        self._tokens = burst
        self._began: float | None = None
        self._seen = 0.0

    def passes(self, now: float) -> bool:
        """Take a token; return whether there was one."""
        if self._began is None:
            self._began = self._seen = now
        middle = (self._seen + now) / 2 - self._began
        earned = (now - self._seen) / self._plan.interval_at(middle)
        self._seen = now
        # Without the tiny amount, rounding would refuse a request that comes exactly in time.
        self._tokens = min(self._burst, self._tokens + earned + 1e-9)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def seconds_left(self) -> float:
        """Return the seconds from the last request until there is a token."""
        began = self._seen if self._began is None else self._began
        return max(0.0, (1 - self._tokens) * self._plan.interval_at(self._seen - began))
