"""The current request rate, and the time per page."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

WINDOW = 60.0
"""Seconds to average over: long enough for steady figures, short enough to follow a changed delay."""

WINDOW_PAGES = 20
"""Minimum number of pages to average over, however slow the crawl is."""

STEP = 0.25
"""Minimum seconds between samples, so that a long pause does not fill the memory."""


class _Sample(NamedTuple):
    time: float
    requests: int
    pages: int


class RequestRate:
    """The request rate, measured from samples. Its clock stops during rate-limit pauses."""

    def __init__(self, time: float) -> None:
        self._samples = deque([_Sample(time, 0, 0)])

    def sample(self, time: float, requests: int, pages: int) -> None:
        """Record the number of requests sent and pages spilled up to *time* (seconds)."""
        if len(self._samples) > 1 and time - self._samples[-2].time < STEP:
            self._samples.pop()
        self._samples.append(_Sample(time, requests, pages))
        while self._is_outdated(self._samples[1]):
            self._samples.popleft()

    @property
    def requests_per_minute(self) -> float | None:
        """Requests per minute; ``None`` until time has passed."""
        first, last = self._samples[0], self._samples[-1]
        seconds = last.time - first.time
        return 60 * (last.requests - first.requests) / seconds if seconds > 0 else None

    @property
    def seconds_per_page(self) -> float | None:
        """Seconds per page, including retries and delays; ``None`` before the first page."""
        first, last = self._samples[0], self._samples[-1]
        pages = last.pages - first.pages
        return (last.time - first.time) / pages if pages else None

    def _is_outdated(self, sample: _Sample) -> bool:
        last = self._samples[-1]
        return last.time - sample.time >= WINDOW and last.pages - sample.pages >= WINDOW_PAGES
