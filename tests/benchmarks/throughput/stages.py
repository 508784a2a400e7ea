"""A Scrapy extension that measures the CPU time of a harvest by stage, without changing the product."""

from __future__ import annotations

import functools
import inspect
import json
import os
import pkgutil
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scrapy import signals

from tests.benchmarks.throughput.clock import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

    from scrapy.crawler import Crawler

REST: Final = "fetch"
"""Everything outside the stages: the network, Scrapy, and the traffic rules."""

STAGES: Final = {
    "decode": ["sgr_spiders.traffic.download_handler:ApiDownloadHandler._read"],
    "parse": ["sgr_spiders.crawl.spider:page_from_answer"],
    "raw": ["sgr_spiders.soundcloud.parse:pack"],
    "validate": ["pipelines.validate:ValidatePipeline.process_item"],
    "dedupe": [
        "pipelines.dedupe:DedupePipeline.process_item",
        "pipelines.dedupe:DedupePipeline.page_spilled",
    ],
    "spill": ["sgr_spiders.crawl.writer:Writer._write"],
    "plan": ["sgr_spiders.crawl.planner:Planner.page_spilled"],
    "lease": ["sgr_spiders.crawl.scheduler:LedgerScheduler._lease_some"],
}
"""Stages and their functions. A nested stage is excluded from the outer one: ``raw`` from ``parse``, and
``plan`` and ``lease`` from ``spill``."""


class _Thread(threading.local):
    """The stages a thread is in, and its CPU time when it last entered or resumed one."""

    def __init__(self) -> None:
        self.open = [REST]
        self.since = time.thread_time()


class Stages:
    """CPU seconds by stage, from the first response, in all threads."""

    def __init__(self) -> None:
        self._answers = 0
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._thread = _Thread()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        # Extensions are created first, so all other components see the functions replaced here.
        stages = cls()
        for stage, functions in STAGES.items():
            for function in functions:
                stages._wrap(stage, function)
        crawler.signals.connect(stages.answered, signal=signals.response_received)
        crawler.signals.connect(stages.write, signal=signals.spider_closed)
        return stages

    def answered(self) -> None:
        if not self._answers:
            self._seconds.clear()
            self._thread.since = time.thread_time()
        self._answers += 1

    def write(self) -> None:
        """Write the number of responses after the first, and the CPU seconds of each stage."""
        self._charge()
        Path(os.environ[OUTPUT]).write_text(
            json.dumps({"pages": self._answers - 1, "cpu_seconds": self._seconds})
        )

    def _charge(self) -> None:
        now = time.thread_time()
        self._seconds[self._thread.open[-1]] += now - self._thread.since
        self._thread.since = now

    def _wrap(self, stage: str, name: str) -> None:
        module, _, path = name.partition(":")
        owner, _, attribute = path.rpartition(".")
        function: Callable[..., Any] = pkgutil.resolve_name(name)
        taken = inspect.signature(function).parameters

        @functools.wraps(function)
        def measured(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the function gives
            self._charge()
            self._thread.open.append(stage)
            try:
                # A signal passes all its arguments to a wrapper, more than the function accepts.
                return function(*args, **{name: kwargs[name] for name in kwargs.keys() & taken})
            finally:
                self._charge()
                self._thread.open.pop()

        setattr(pkgutil.resolve_name(f"{module}:{owner}" if owner else module), attribute, measured)
