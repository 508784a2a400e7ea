"""``scrapy crawl``, with exit codes that schedulers can trust."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.commands import crawl
from scrapy.exceptions import UsageError
from scrapy.settings import default_settings
from scrapy.spiderloader import get_spider_loader
from scrapy.utils.log import configure_logging

from sgr_spiders.cli import json_log
from sgr_spiders.cli.default_database import choose_default_database
from sgr_spiders.cli.options import (
    add_shared_options,
    name_program,
    read_shared_options,
    refuse_unknown_options,
)
from sgr_spiders.cli.program import chosen_settings, find_program, remember_invocation
from sgr_spiders.config.settings import (
    FILE,
    NO_FEEDS_BECAUSE,
    check_mappings,
    check_settings,
    find_problem,
)
from sgr_spiders.model import result, statistics
from sgr_spiders.model.exceptions import ArgumentError, ConfigError, HarvestError
from sgr_spiders.model.outcome import INTERNAL_ERROR, INTERRUPTED
from sgr_spiders.text.encoding import tolerate
from sgr_spiders.text.invocation import as_typed, plain_command
from sgr_spiders.text.resume_command import crawl_command

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings, Settings

logger = logging.getLogger(__name__)

NEW_OBJECTS = 50_000
"""Objects allocated, less those freed, between two runs of the garbage collector. A page allocates some
thousands and frees them by reference counting, because records contain no cycles. With Python's default of
700 the collector runs several times per page."""

DOWNLOAD_HANDLER = "scrapy.core.downloader.handlers.http11"
VERSIONS = "scrapy.utils.log"
TECHNICAL = (
    "alembic.runtime",
    "scrapy.addons",
    "scrapy.core.engine",
    "scrapy.crawler",
    "scrapy.middleware",
)
"""Loggers that list components and settings at the start and statistics at the end. -s LOG_LEVEL=DEBUG shows
them; their warnings are always shown."""


class Command(crawl.Command):
    """``scrapy crawl`` whose exit code is the outcome of the harvest; Scrapy's own is almost always 0."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        tolerate(sys.stdout)
        self._parser = parser
        name_program(parser, self)
        group = parser.add_argument_group(title=self.name.capitalize())
        self.add_own_options(group)
        add_shared_options(group)
        super().add_options(parser)

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        """Add the options of this command."""

    @property
    def name(self) -> str:
        """The word that starts the command."""
        return type(self).__module__.rpartition(".")[2]

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        # When imported, it reads the source of all callers: about 20 here, 60 in the modules of the spiders.
        import_module(DOWNLOAD_HANDLER)
        self._log_file = find_log_file(opts)
        self.exit_if_wrong(lambda: refuse_unknown_options(args, self._parser, self.name))
        self.exit_if_wrong(lambda: read_shared_options(opts))
        self.exit_if_wrong(lambda: check_mappings(opts.set))
        self.exit_if_wrong(lambda: _refuse_feeds(opts))
        super().process_options(args, opts)
        assert self.settings is not None
        settings = self.settings
        choose_default_database(settings)
        remember_invocation(settings, opts.spargs.get("config"))
        self.exit_if_wrong(lambda: check_settings(settings, vars(default_settings)), settings)
        if len(args) != 1:
            raise UsageError(f"name one spider; `{plain_command('list')}` lists them")
        # Before the crawler process exists, which would leave an event loop open.
        if args[0] not in get_spider_loader(self.settings).list():
            raise UsageError(f"unknown spider {args[0]!r}; `{plain_command('list')}` lists them")
        log_as_json_if_asked(self.settings)
        # Here, because the crawler process that is created next logs the versions. A filter, because that
        # process resets the levels of all loggers.
        if self._is_terse():
            logging.getLogger(VERSIONS).addFilter(lambda record: record.levelno >= logging.WARNING)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.crawler_process is not None
        if self._is_terse():
            for name in TECHNICAL:
                logging.getLogger(name).setLevel(logging.WARNING)
        resume = crawl_command(args[0], opts.spargs, chosen_settings(opts.set))
        self.crawler_process.settings.set("HARVEST_COMMAND", resume, priority="cmdline")
        crawler = self._create_crawler(args[0])
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
        if self.settings is not None and (path := self.settings["HARVEST_RESULT_FILE"]):
            _write_result(Path(path), crawler, failures)

    def exit_if_wrong(self, check: Callable[[], None], settings: BaseSettings | None = None) -> None:
        """End the process if a setting or option is wrong; a ``UsageError`` would print the usage as well."""
        try:
            check()
        except (ArgumentError, ConfigError) as error:
            sys.stderr.write(f"{error}\n")
            if (log := _usable(self._log_file)) is not None:
                # Scrapyd discards the standard error of its jobs.
                with log.open("a", encoding="utf-8") as file:
                    file.write(f"Not started: {error}\n")
            path = settings["HARVEST_RESULT_FILE"] if settings is not None else None
            if (result_file := _usable(path)) is not None:
                result.write(result_file, None, error)
            sys.exit(error.exit_code)

    def _is_terse(self) -> bool:
        return self.settings is not None and self.settings["LOG_LEVEL"] != "DEBUG"


def find_log_file(opts: argparse.Namespace) -> str | None:
    """Return the log file that the command line names."""
    given = [value for name, _, value in (text.partition("=") for text in opts.set) if name == "LOG_FILE"]
    named: str | None = opts.logfile or (given[-1] if given else None)
    return named


def _usable(path: str | None) -> Path | None:
    """Return the path of a file that can be written."""
    return Path(path) if path and find_problem(FILE, path) is None else None


def _refuse_feeds(opts: argparse.Namespace) -> None:
    for option, given in (("-o", opts.output), ("-O", opts.overwrite_output)):
        if given:
            raise ArgumentError(f"option `{option}`: {NO_FEEDS_BECAUSE}: `{find_program()} export`")


def log_as_json_if_asked(settings: BaseSettings) -> None:
    """Install a log handler for JSON if the settings ask for it; Scrapy's own handler has no such format."""
    if settings.getbool("LOG_JSON"):
        json_log.install(
            settings["LOG_LEVEL"], settings["LOG_FILE"], append=settings.getbool("LOG_FILE_APPEND")
        )
        settings.set("LOG_INSTALL_ROOT_HANDLER", False, priority="cmdline")  # noqa: FBT003 - Scrapy's signature


def configure_log(settings: Settings) -> None:
    """Log as a crawl does, for a command without a crawler process."""
    log_as_json_if_asked(settings)
    configure_logging(settings)
    if settings["LOG_LEVEL"] != "DEBUG":
        for name in TECHNICAL:
            logging.getLogger(name).setLevel(logging.WARNING)


def _note(task: asyncio.Future[None], failures: list[BaseException]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        failures.append(error)


def _exit_code(crawler: Crawler, failures: list[BaseException]) -> int:
    for error in failures:
        if isinstance(error, HarvestError):
            sys.stderr.write(f"{error}\n")
            if crawler.settings["LOG_FILE"]:
                # Scrapyd discards the standard error of its jobs.
                logger.error("Not started: %s", error)
            return error.exit_code
        sys.excepthook(type(error), error, error.__traceback__)
        return INTERNAL_ERROR
    try:
        exit_code: int | None = crawler.stats.get_value(statistics.EXIT_CODE)
    except RuntimeError:
        # The crawl ended before it had statistics.
        exit_code = None
    if exit_code is not None:
        return exit_code

    from sgr_spiders.reports.summary import NOTHING_LOST

    # Without an exit code, a second Ctrl-C ended the crawl before it could save its outcome.
    logger.warning(
        "Ended at once, without a summary. %s: %s",
        NOTHING_LOST,
        as_typed(crawler.settings["HARVEST_COMMAND"]),
    )
    return INTERRUPTED


def _write_result(path: Path, crawler: Crawler, failures: list[BaseException]) -> None:
    from sgr_spiders.crawl.harvest import Harvest
    from sgr_spiders.traffic.run_control import RunControl

    error = next(iter(failures), None)
    try:
        harvest, control = Harvest.of(crawler), RunControl.of(crawler)
    except RuntimeError:
        # The crawl failed before its extensions existed.
        result.write(path, None, error)
    else:
        result.write(path, harvest.result, control.error or error)
