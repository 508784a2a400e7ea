"""A Scrapy extension that notes when a crawl's first and last page came, and what they cost."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scrapy import signals

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

OUTPUT: Final = "BENCHMARK_OUTPUT"
"""The environment variable that names the file to write."""


class Clock:
    """Measures from the first answer to the last answer or item, so that start and end do not count."""

    def __init__(self) -> None:
        self._answers = 0
        self._first = (0.0, 0.0)
        self._last = (0.0, 0.0)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        clock = cls()
        crawler.signals.connect(clock.answered, signal=signals.response_received)
        crawler.signals.connect(clock.worked, signal=signals.item_scraped)
        crawler.signals.connect(clock.write, signal=signals.spider_closed)
        return clock

    def answered(self) -> None:
        self.worked()
        if not self._answers:
            self._first = self._last
        self._answers += 1

    def worked(self) -> None:
        self._last = (time.perf_counter(), time.process_time())

    def write(self) -> None:
        """Write answers, seconds and CPU seconds; the answer that started the clock is not counted."""
        seconds, cpu_seconds = (last - first for last, first in zip(self._last, self._first, strict=True))
        figures = {"pages": self._answers - 1, "seconds": seconds, "cpu_seconds": cpu_seconds}
        Path(os.environ[OUTPUT]).write_text(json.dumps(figures))
