"""How fast requests go out and pages come in, at present."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

WINDOW = 60.0
"""Seconds that count as the present: long enough that the figures stay calm, short enough that they follow
a delay that has changed."""

WINDOW_PAGES = 20
"""Pages that the present holds at least, so that a slow pace is not measured on two or three."""

STEP = 0.25
"""Seconds from one sample to the next at least, so that a long hold does not fill the memory."""


class _Sample(NamedTuple):
    time: float
    requests: int
    pages: int


class Pace:
    """Measures the pace from counts noted now and then. Its clock stands still while a hold lasts."""

    def __init__(self, time: float) -> None:
        self._samples = deque([_Sample(time, 0, 0)])

    def note(self, time: float, requests: int, pages: int) -> None:
        """Note how many requests were sent and pages spilled by *time* (seconds)."""
        if len(self._samples) > 1 and time - self._samples[-2].time < STEP:
            self._samples.pop()
        self._samples.append(_Sample(time, requests, pages))
        while self._is_past(self._samples[1]):
            self._samples.popleft()

    @property
    def requests_per_minute(self) -> float | None:
        """Requests a minute; ``None`` if there was no time yet."""
        first, last = self._samples[0], self._samples[-1]
        seconds = last.time - first.time
        return 60 * (last.requests - first.requests) / seconds if seconds > 0 else None

    @property
    def seconds_per_page(self) -> float | None:
        """The time a page takes, with all its retries and delays; ``None`` if there was no page yet."""
        first, last = self._samples[0], self._samples[-1]
        pages = last.pages - first.pages
        return (last.time - first.time) / pages if pages else None

    def _is_past(self, sample: _Sample) -> bool:
        last = self._samples[-1]
        return last.time - sample.time >= WINDOW and last.pages - sample.pages >= WINDOW_PAGES
