"""The rate-limit pauses of a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hold:
    """A rate-limit pause; ``until`` is in seconds since the epoch."""

    until: float
    reason: str


class Holds:
    """The rate-limit pauses of a run. Times are in seconds since the epoch."""

    def __init__(self) -> None:
        self._past = 0.0
        self._began = 0.0
        self._last = Hold(0.0, "")

    def begin(self, now: float, until: float, reason: str) -> None:
        """Record a pause; it replaces one that is still running."""
        self._past = self.seconds(now)
        self._began = now
        self._last = Hold(until, reason)

    def current(self, now: float) -> Hold | None:
        return self._last if now < self._last.until else None

    def seconds(self, now: float) -> float:
        """Return the total length of all pauses up to *now*."""
        return self._past + max(0.0, min(now, self._last.until) - self._began)
