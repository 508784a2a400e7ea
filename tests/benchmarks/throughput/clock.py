"""A Scrapy extension that measures the time and CPU time between a crawl's first and last page."""

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
    """A clock from the first response to the last response or item, excluding startup and shutdown."""

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
        """Write responses, seconds and CPU seconds, without the response that started the clock."""
        seconds, cpu_seconds = (last - first for last, first in zip(self._last, self._first, strict=True))
        figures = {"pages": self._answers - 1, "seconds": seconds, "cpu_seconds": cpu_seconds}
        Path(os.environ[OUTPUT]).write_text(json.dumps(figures))
