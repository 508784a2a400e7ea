"""``scrapy crawl``, with exit codes that schedulers can trust."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from typing import TYPE_CHECKING, Any

from scrapy.commands import crawl
from scrapy.exceptions import UsageError

from sgr_spiders.exceptions import HarvestError
from sgr_spiders.extensions.harvest import EXIT_CODE_STAT
from sgr_spiders.outcome import INTERNAL_ERROR, INTERRUPTED

if TYPE_CHECKING:
    import argparse

    from scrapy.crawler import Crawler


NEW_OBJECTS = 50_000
"""Containers made, less those freed, between two runs of the garbage collector. A page makes some thousand
and frees them by itself: records hold no cycles. Python's 700 had the collector run several times a page."""

TECHNICAL = ("alembic.runtime", "scrapy.addons", "scrapy.crawler", "scrapy.middleware")
"""Loggers that list components and settings at every start; -s LOG_LEVEL=DEBUG lets them speak."""


class Command(crawl.Command):
    """Scrapy's command exits with 0 after almost anything; this one with the outcome of the harvest."""

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1:
            raise UsageError("name one spider, see `scrapy list`")
        assert self.crawler_process is not None
        if self.settings is not None and self.settings["LOG_LEVEL"] != "DEBUG":
            for name in TECHNICAL:
                logging.getLogger(name).setLevel(logging.WARNING)
        try:
            crawler = self._create_crawler(args[0])
        except KeyError:
            raise UsageError(f"unknown spider {args[0]!r}, see `scrapy list`") from None
        crawling: Any = self.crawler_process.crawl(crawler, **opts.spargs)
        failures: list[BaseException] = []
        if isinstance(crawling, asyncio.Future):
            crawling.add_done_callback(lambda task: _note(task, failures))
        else:
            crawling.addErrback(lambda failure: failures.append(failure.value))
        gc.freeze()
        gc.set_threshold(NEW_OBJECTS)
        self.crawler_process.start()
        self.exitcode = _exit_code(crawler, failures)


def _note(task: asyncio.Future[None], failures: list[BaseException]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        failures.append(error)


def _exit_code(crawler: Crawler, failures: list[BaseException]) -> int:
    for error in failures:
        if isinstance(error, HarvestError):
            sys.stderr.write(f"{error}\n")
            return error.exit_code
        sys.excepthook(type(error), error, error.__traceback__)
        return INTERNAL_ERROR
    stats = crawler._stats  # noqa: SLF001 - the public name raises where the crawl did not get that far
    exit_code = stats.get_value(EXIT_CODE_STAT) if stats is not None else None
    # Without an outcome the crawl was ended before it could write one: by a second Ctrl-C.
    return INTERRUPTED if exit_code is None else exit_code
