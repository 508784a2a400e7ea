"""The run's hold on the database: opened before the first request, closed with the outcome written."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import CloseSpider, NotConfigured

from sgr_spiders import outcome
from sgr_spiders.exceptions import StorageError
from sgr_spiders.middlewares.run_control import RunControl
from sgr_spiders.planner import Plan, Planner
from sgr_spiders.result import HarvestResult
from sgr_spiders.soundcloud.endpoints import ENDPOINTS
from sgr_spiders.spiders.base import HarvestSpider
from sgr_spiders.storage import ledger, runs
from sgr_spiders.storage.store import Store
from sgr_spiders.storage.totals import count_totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Self

    from scrapy import Spider
    from scrapy.crawler import Crawler

    from sgr_spiders.storage.runs import SeedOutcome

logger = logging.getLogger(__name__)

EXIT_CODE_STAT = "sgr/exit_code"
"""The statistic from which the command takes what it exits with."""

GO_ON = "Nothing that was spilled is lost: the same command goes on from here"


class Harvest:
    """Opens the store and plans the run for scheduler and pipelines; judges and records how it ends.

    This is the one finishing extension: what must happen in an order after a crawl happens in
    ``spider_closed`` here.
    """

    def __init__(self, crawler: Crawler, spider: HarvestSpider) -> None:
        self._crawler = crawler
        self._internal_errors = 0
        self._started = False
        self.result: HarvestResult | None = None
        """How the run ended, once that is written."""
        self.store = Store.open(crawler.settings["HARVEST_DATABASE_URL"])
        self.planner = Planner(
            _plan(spider),
            spider.rules,
            # A seed's address leads to a track, but what a layer resolves are people.
            {name: endpoint.record for name, endpoint in ENDPOINTS.items()} | {"resolve": "user"},
        )
        crawler.signals.connect(self._internal_error, signal=signals.spider_error)
        crawler.signals.connect(self._internal_error, signal=signals.item_error)
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
            raise RuntimeError("the extension sgr_spiders.extensions.harvest.Harvest is switched off")
        return harvest

    def start(self) -> None:
        """Begin the run, and say how much is left to do."""
        try:
            with self.store.begin() as connection:
                self.planner.start(connection)
                walks = ledger.count_by_status(connection, self.planner.run)
        except StorageError as error:
            RunControl.of(self._crawler).error = error
            raise CloseSpider("storage") from error
        self._started = True
        waiting = walks.get("planned", 0)
        ended = sum(walks.values()) - waiting
        if not waiting:
            logger.info("Nothing to fetch: all %d walks have ended and are fresh", ended)
        elif ended:
            logger.info("Going on: %d walks have ended, %d wait", ended, waiting)

    def spider_closed(self, spider: Spider, reason: str) -> None:
        """Judge the run, write its outcome to the database, and tell the user."""
        try:
            if self._started:
                self._finish(reason)
        except StorageError as error:
            # What cannot be written can still be said. The database takes the run for a killed one.
            self._crawler.stats.set_value(EXIT_CODE_STAT, error.exit_code)
            logger.error("Outcome not recorded: %s. %s", error, GO_ON)  # noqa: TRY400 - one line says it all
        finally:
            self.store.close()

    def _finish(self, finish_reason: str) -> None:
        run = self.planner.run
        with self.store.begin() as connection:
            ledger.give_back(connection, run)
            walks = ledger.count_by_status(connection, run)
            result = outcome.judge(
                finish_reason=finish_reason,
                stopped_by=RunControl.of(self._crawler).error,
                internal_errors=self._internal_errors + len(self.planner.broken),
                walks=walks,
                lost_seeds=_lost_seeds(runs.seed_outcomes(connection, run)),
            )
            totals = count_totals(connection)
            stats = self._stats(result, walks, totals)
            written = json.dumps(stats, default=str, sort_keys=True)
            runs.end_run(connection, run, result.name, result.reason, result.exit_code, written)
        self.result = HarvestResult(run.run_id, result.name, result.exit_code, result.reason, stats)
        self._tell(result, walks, totals)

    def _stats(
        self, result: outcome.Outcome, walks: Mapping[str, int], totals: Mapping[str, int]
    ) -> dict[str, Any]:
        collector = self._crawler.stats
        collector.set_value("sgr/outcome", result.name)
        collector.set_value(EXIT_CODE_STAT, result.exit_code)
        for name, count in totals.items():
            collector.set_value(f"{name}_collected", count)
        for status, count in walks.items():
            collector.set_value(f"sgr/walks/{status}", count)
        stats: dict[str, Any] = collector.get_stats()
        return stats

    def _tell(self, result: outcome.Outcome, walks: Mapping[str, int], totals: Mapping[str, int]) -> None:
        collected = ", ".join(f"{count:,} {name}" for name, count in totals.items())
        ended = ", ".join(f"{count:,} {status}" for status, count in sorted(walks.items()))
        logger.info("In the database: %s", collected)
        logger.info("Walks of this harvest: %s", ended or "none")
        logger.info("The data lies in %s", self.store.describe())
        if result.reason is None:
            logger.info("Harvest complete")
        else:
            logger.warning("Harvest %s: %s. %s", result.name, result.reason, GO_ON)

    def _internal_error(self) -> None:
        self._internal_errors += 1


def _plan(spider: HarvestSpider) -> Plan:
    return Plan(
        spider=spider.name,
        seeds=spider.arguments.seeds,
        settings={name: spider.config.fingerprint(name) for name in spider.layer_names},
        freshness_days=spider.config.deep_harvest.freshness_days,
        refresh=spider.arguments.refresh,
    )


def _lost_seeds(seeds: Sequence[SeedOutcome]) -> list[str]:
    return [f"seed {seed.given} is gone ({seed.reason})" for seed in seeds if seed.status == "gone"]
