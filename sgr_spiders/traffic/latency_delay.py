"""The delay between requests that the response times suggest."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings


class LatencyDelay:
    """The delay with which a given number of requests is in flight on average.

    This is the rule of Scrapy's AutoThrottle, with its settings: the delay moves half-way towards the latest
    response time divided by that number, and rises to it at once.
    """

    def __init__(self, start: float, concurrency: float, maximum: float) -> None:
        """Start with a delay of *start* seconds.

        Args:
            start: the first delay, in seconds.
            concurrency: the number of requests in flight; ``inf`` for no delay.
            maximum: the longest delay, in seconds.
        """
        self.seconds = start
        self._concurrency = concurrency
        self._maximum = maximum

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> LatencyDelay:
        if not settings.getbool("AUTOTHROTTLE_ENABLED"):
            return cls(0.0, inf, 0.0)
        return cls(
            settings.getfloat("AUTOTHROTTLE_START_DELAY"),
            settings.getfloat("AUTOTHROTTLE_TARGET_CONCURRENCY"),
            settings.getfloat("AUTOTHROTTLE_MAX_DELAY"),
        )

    def note(self, latency: float, *, may_fall: bool) -> None:
        """Adapt the delay to a response time; *may_fall* is false for responses that are fast by nature."""
        target = latency / self._concurrency
        seconds = min(max(target, (self.seconds + target) / 2), self._maximum)
        if may_fall or seconds > self.seconds:
            self.seconds = seconds
