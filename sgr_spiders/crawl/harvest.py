"""The run's hold on the database: opened before the first request, closed with the outcome written."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import CloseSpider, NotConfigured

from sgr_spiders import __version__
from sgr_spiders.crawl.finishing import BY_HAND, Finished, relate_when_closed
from sgr_spiders.crawl.planner import Plan, Planner
from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.crawl.turns import Turns
from sgr_spiders.model import outcome, statistics
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.model.result import HarvestResult
from sgr_spiders.model.signals import run_closing
from sgr_spiders.reports.seed_list import HOW_TO_ADD, minute, named
from sgr_spiders.reports.summary import (
    LOSES_NOTHING,
    Ended,
    Traffic,
    figures,
    interrupted,
    related_figures,
    summary,
)
from sgr_spiders.soundcloud.endpoints import ENDPOINTS
from sgr_spiders.soundcloud.track_page import TRACK_PAGE
from sgr_spiders.storage import indexes
from sgr_spiders.storage.figures.inventory import describe_file
from sgr_spiders.storage.figures.overview import look_at_run
from sgr_spiders.storage.ledger import frontier, runs, seeds
from sgr_spiders.storage.store import Store
from sgr_spiders.text.formatting import counted
from sgr_spiders.traffic.abandoned import Abandoned
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from scrapy import Spider
    from scrapy.crawler import Crawler

    from sgr_spiders.storage.ledger.runs import SeedOutcome
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)

ABANDONED = f"downloader/exception_type_count/{Abandoned.__module__}.{Abandoned.__qualname__}"


class Harvest:
    """Opens the store and plans the run for scheduler and pipelines; judges and records how it ends.

    This is the one finishing extension: what must happen in an order after a crawl happens in
    ``spider_closed`` here.
    """

    def __init__(self, crawler: Crawler, spider: HarvestSpider) -> None:
        self._crawler = crawler
        self._config = spider.config
        self._internal_errors = 0
        self._started: float | None = None
        self._command: str | None = crawler.settings["HARVEST_COMMAND"] or None
        self._asked = json.dumps(spider.asked, sort_keys=True)
        self.result: HarvestResult | None = None
        """How the run ended, once that is written."""
        self.store = Store.open(crawler.settings["HARVEST_DATABASE_URL"])
        self.planner = Planner(
            _plan(spider),
            spider.rules,
            # A seed's address leads to a track, but what a layer resolves are people.
            {name: endpoint.record for name, endpoint in ENDPOINTS.items()}
            | {"resolve": "user", TRACK_PAGE: "comment"},
        )
        self.turns = Turns(self.planner) if spider.arguments.due else None
        """Where the seeds come from in a scheduled run."""
        crawler.signals.connect(self.note_internal_error, signal=signals.spider_error)
        crawler.signals.connect(self.note_internal_error, signal=signals.item_error)
        crawler.signals.connect(self.run_closing, signal=run_closing)
        crawler.signals.connect(self.spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not isinstance(crawler.spider, HarvestSpider):
            raise NotConfigured("only harvests need a database")
        return cls(crawler, crawler.spider)

    @classmethod
    def of(cls, crawler: Crawler) -> Self:
        """Give the extension of *crawler*."""
        harvest = crawler.get_extension(cls)
        if harvest is None:
            raise RuntimeError("the extension sgr_spiders.crawl.harvest.Harvest is switched off")
        return harvest

    def start(self) -> None:
        """Begin the run, and say how much is left to do."""
        try:
            with self.store.write() as connection:
                indexes.put_off(connection)
                self.planner.start(connection)
                run = self.planner.run
                runs.note_asked(connection, run, self._asked, self._config.fingerprint_of_all, __version__)
                if self._command is not None:
                    known = json.dumps({statistics.COMMAND: self._command})
                    runs.note_statistics(connection, self.planner.run, known)
                if self.turns is not None:
                    self._take_turns(connection, self.turns)
                else:
                    self._say_start(counted(len(self.planner.plan.seeds), "seed"))
                    _say_waiting(frontier.count_by_status(connection, run))
        except StorageError as error:
            RunControl.of(self._crawler).error = error
            raise CloseSpider("storage") from error
        self._started = time.monotonic()

    def _take_turns(self, connection: Connection, turns: Turns) -> None:
        due = seeds.count_waiting(connection, self.planner.run)
        self._say_start(counted(due, "due seed"))
        if not due:
            known = seeds.all_seeds(connection)
            if known:
                when = minute(known[0].next_harvest_at)
                logger.info("No seed is due; the first will be %s at %s (UTC)", named(known[0]), when)
            else:
                logger.info("No seeds yet: %s", HOW_TO_ADD)
        turns.advance(connection)

    def _say_start(self, around: str) -> None:
        layers = counted(len(self.planner.layers), "layer")
        logger.info(
            "Run %d: %s around %s, into %s",
            self.planner.run.run_id,
            layers,
            around,
            self.store.describe(),
        )

    def run_closing(self) -> None:
        """Tell who has interrupted the run what happens now."""
        if self._started is not None and not self._crawler.crawling:
            logger.warning("Interrupted: %s", interrupted(self._command))

    async def spider_closed(self, spider: Spider, reason: str) -> None:
        """Judge the run, relate, write its outcome to the database, and tell the user."""
        ended = None
        try:
            if self._started is not None:
                # Whatever goes wrong from here on is never taken for a success.
                self._crawler.stats.set_value(statistics.EXIT_CODE, outcome.INTERNAL_ERROR)
                ended = self._finish(reason, time.monotonic() - self._started)
                self._index(ended.outcome)
                ended = await self._relate(ended)
        except StorageError as error:
            # What cannot be written can still be said. The database takes the run for a killed one.
            self._crawler.stats.set_value(statistics.EXIT_CODE, error.exit_code)
            logger.error("Outcome not recorded: %s. %s", error, LOSES_NOTHING)  # noqa: TRY400 - one line says it all
        finally:
            self.store.close()
        # Where no seed was due that is said, and there is nothing to sum up.
        if ended is not None and (self.turns is None or self.turns.taken):
            self._tell(ended)

    def _finish(self, finish_reason: str, seconds: float) -> Ended:
        run = self.planner.run
        with self.store.write() as connection:
            frontier.give_back(connection, run)
        # Counting what was found takes long where that is much: others may write meanwhile.
        with self.store.read() as connection:
            overview = look_at_run(connection, run)
            lost_seeds = _lost_seeds(runs.seed_outcomes(connection, run))
        result = outcome.judge(
            finish_reason=finish_reason,
            stopped_by=RunControl.of(self._crawler).error,
            internal_errors=self._internal_errors + len(self.planner.broken),
            walks=overview.together.walks.by_status,
            lost_seeds=lost_seeds,
        )
        for name, value in figures(overview, result, seconds).items():
            self._crawler.stats.set_value(name, value)
        if self._command is not None:
            self._crawler.stats.set_value(statistics.COMMAND, self._command)
        with self.store.write() as connection:
            if self.turns is not None:
                self.turns.cut(connection, result.name)
            runs.note_requests(connection, run, self._traffic().sent)
            # The outcome comes when it has related: killed meanwhile, it has not ended, but this is known.
            runs.note_statistics(connection, run, self._statistics())
        return Ended(
            result,
            overview,
            self._traffic(),
            seconds,
            database=self.store.describe(),
            command=self._command,
            look=self._crawler.settings["HARVEST_STATUS_COMMAND"],
        )

    def _index(self, judged: outcome.Outcome) -> None:
        """Build the indexes for readers, unless the harvest is to go on at once."""
        if judged.exit_code not in {outcome.COMPLETE, outcome.PARTIAL}:
            return
        try:
            with self.store.write() as connection:
                missing = indexes.missing(connection)
                if missing:
                    logger.info("Building the indexes that only readers need")
                for index in missing:
                    index.create(connection)
        except StorageError as error:
            logger.warning("Indexes not built: %s. The next run that ends builds them", error)

    async def _relate(self, ended: Ended) -> Ended:
        run = self.planner.run
        with self.store.read() as connection:
            around = [seed.track_id for seed in runs.seed_outcomes(connection, run) if seed.track_id]
            waits = False
            if self.turns is not None:
                waits = not self._is_last_slice(connection, self.turns)
                # Not those of this slice alone.
                around = seeds.tracks_of_all(connection)
        finished = Finished(ended.outcome)
        if not waits:
            finished = await relate_when_closed(
                self._crawler, self.store, self._config, around, ended.outcome
            )
        result = finished.outcome
        for name, value in {
            **related_figures(finished.related),
            statistics.OUTCOME: result.name,
            statistics.EXIT_CODE: result.exit_code,
        }.items():
            self._crawler.stats.set_value(name, value)
        with self.store.write() as connection:
            self._record(connection, result)
        return replace(ended, outcome=result, related=finished.related)

    def _is_last_slice(self, connection: Connection, turns: Turns) -> bool:
        """Tell whether a scheduled run has nothing left to harvest, after it had something."""
        left = seeds.count_unfinished(connection, self.planner.run)
        if left and self._config.relationships.on_close:
            logger.info("Relating waits for the run that finishes %s: %s", counted(left, "due seed"), BY_HAND)
        return turns.taken > 0 and not left

    def _record(self, connection: Connection, result: outcome.Outcome) -> None:
        run = self.planner.run
        runs.end_run(connection, run, result.name, result.reason, result.exit_code, self._statistics())
        stats = self._crawler.stats.get_stats()
        self.result = HarvestResult(run.run_id, result.name, result.exit_code, result.reason, stats)

    def _statistics(self) -> str:
        return json.dumps(self._crawler.stats.get_stats(), default=str, sort_keys=True)

    def _tell(self, ended: Ended) -> None:
        level = logging.INFO if ended.outcome.exit_code == outcome.COMPLETE else logging.WARNING
        # Closing the database has shortened the file. One record, so that nothing comes between the lines.
        lines = summary(ended, describe_file(self.store.path).bytes)
        logger.log(level, "%s", "\n".join(lines))

    def _traffic(self) -> Traffic:
        get = self._crawler.stats.get_value
        tokens = get(statistics.TOKEN_EXCHANGES, 0) + get(statistics.TOKEN_REFRESHES, 0)
        return Traffic(
            # Scrapy counts those, too, that were let go unsent when the run closed.
            sent=get("downloader/request_count", 0) - get(ABANDONED, 0),
            retries=get(statistics.RETRIES, 0),
            tokens=tokens,
            hold_seconds=get(statistics.HOLD_SECONDS, 0.0),
        )

    def note_internal_error(self) -> None:
        """Count an exception that nobody expected: the run is no success then."""
        self._internal_errors += 1


def _plan(spider: HarvestSpider) -> Plan:
    return Plan(
        spider=spider.name,
        seeds=spider.arguments.seeds,
        settings={name: spider.config.fingerprint(name) for name in spider.layer_names},
        freshness_days=spider.config.deep_harvest.freshness_days,
        refresh=spider.arguments.refresh,
    )


def _say_waiting(walks: Mapping[str, int]) -> None:
    waiting = walks.get("planned", 0)
    ended = sum(walks.values()) - waiting
    if not waiting:
        logger.info("Nothing to fetch: all %d walks have ended and are fresh", ended)
    elif ended:
        logger.info("Going on: %d walks have ended, %d wait", ended, waiting)


def _lost_seeds(seeds: Sequence[SeedOutcome]) -> list[str]:
    return [f"seed {seed.given} is gone ({seed.reason})" for seed in seeds if seed.status == "gone"]
