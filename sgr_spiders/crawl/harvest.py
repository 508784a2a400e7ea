"""The extension that opens, judges and finishes a run on Scrapy's signals."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import CloseSpider, NotConfigured

from sgr_spiders.crawl.doubts import Doubts
from sgr_spiders.crawl.finishing import (
    build_indexes,
    run_post_crawl_steps,
    seeds_of_tables,
    tracks_to_relate,
)
from sgr_spiders.crawl.forgetting import Forgetting
from sgr_spiders.crawl.judging import Stop, judge_run, traffic_of
from sgr_spiders.crawl.leaving import Leaving
from sgr_spiders.crawl.live_relating import LiveRelating
from sgr_spiders.crawl.opening import Invocation, Route, open_run, planner_for
from sgr_spiders.crawl.rate_memory import RateMemory
from sgr_spiders.crawl.source import claim_source
from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.crawl.turns import Turns
from sgr_spiders.crawl.workers import Heartbeat
from sgr_spiders.crawl.writer import Writer
from sgr_spiders.model import outcome, statistics
from sgr_spiders.model.exceptions import DatabaseGoneError, SourceError, StorageError
from sgr_spiders.model.result import HarvestResult
from sgr_spiders.model.signals import run_closing, sandbox_found
from sgr_spiders.reports.summary import (
    NOTHING_LOST,
    FinishedRun,
    describe_interruption,
    relationship_statistics,
    run_statistics,
    summary,
)
from sgr_spiders.soundcloud.raw import packing_with
from sgr_spiders.storage import dictionaries
from sgr_spiders.storage.figures import changes
from sgr_spiders.storage.figures.inventory import describe_file
from sgr_spiders.storage.figures.overview import count_first_seen, count_totals
from sgr_spiders.storage.ledger import runs, source, workers
from sgr_spiders.storage.store import Store
from sgr_spiders.text.encoding import tolerate
from sgr_spiders.traffic.extension import Extension
from sgr_spiders.traffic.gate import Gate
from sgr_spiders.traffic.origin import Origin
from sgr_spiders.traffic.run_control import RunControl
from sgr_spiders.traffic.sandbox_world import WorldGuard, ask_for_world
from sgr_spiders.traffic.scrapy_internals import reactor_held, root_log_handler

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

    from sgr_spiders.crawl.finishing import Finished
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)


class Harvest(Extension):
    """Extension that contains the database and planner of one run, and opens and ends it.

    No other extension finishes a run, so ``spider_closed`` fixes the order of all steps after a crawl.
    All of them read and write the database through the ``writer``.
    """

    def __init__(self, crawler: Crawler, spider: HarvestSpider) -> None:
        self._crawler = crawler
        self._config = spider.config
        self._internal_errors = 0
        self._started: float | None = None
        self._command: str | None = crawler.settings["HARVEST_COMMAND"] or None
        self._invocation = Invocation.of(spider, self._command)
        self._forgetting = Forgetting()
        self._api_url = spider.api_url
        self._accept_source = spider.arguments.accept_source
        self._noting: asyncio.Task[None] | None = None
        self.result: HarvestResult | None = None
        """The result of the run; ``None`` until its outcome is saved."""
        self.store = Store.open(crawler.settings["HARVEST_DATABASE_URL"])
        self.writer = Writer(self.store)
        self._packing = ExitStack()
        self._heartbeat = Heartbeat(self.store, crawler.settings.getfloat("HARVEST_LEASE_SECONDS"))
        self._rates = RateMemory(crawler, self.writer)
        self.planner = planner_for(spider)
        self._leaving = Leaving(
            self.planner,
            self._heartbeat,
            lambda connection: Doubts.of(crawler).take_back(connection),
        )
        self.turns = Turns(self.planner) if spider.arguments.due else None
        """The source of the seeds in a scheduled run."""
        self._relating = LiveRelating(
            self.store,
            self.writer,
            self._config,
            lambda connection: seeds_of_tables(connection, self.planner, self.turns),
            self.note_internal_error,
        )
        crawler.signals.connect(self.note_internal_error, signal=signals.spider_error)
        crawler.signals.connect(self.note_internal_error, signal=signals.item_error)
        crawler.signals.connect(self.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(self.run_closing, signal=run_closing)
        crawler.signals.connect(self.sandbox_found, signal=sandbox_found)
        crawler.signals.connect(self.spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not isinstance(crawler.spider, HarvestSpider):
            raise NotConfigured("only harvests need a database")
        return cls(crawler, crawler.spider)

    async def start(self) -> None:
        """Begin the run before the scheduler hands out its first request."""
        # Scrapy has opened its log by now; LOG_ENCODING may lack characters of a title.
        handler = root_log_handler()
        if isinstance(handler, logging.StreamHandler):
            tolerate(handler.stream, "backslashreplace")
        try:
            known = await self.writer.run(source.read)
            # Its port may have changed, or its world.
            world = await ask_for_world(self._api_url) if known is not None and known.is_sandbox else None
            await self.writer.run(lambda connection: self._open(connection, world))
            self._packing.enter_context(packing_with(await self.writer.read(dictionaries.load)))
        except (SourceError, StorageError) as error:
            RunControl.of(self._crawler).error = error
            self._stats.set_value(statistics.EXIT_CODE, error.exit_code)
            logger.error("Stopping: %s", error)  # noqa: TRY400 - the message suffices
        else:
            self._started = time.monotonic()
            self._heartbeat.start(self.planner.run)
            self._rates.share(self.store)
            Doubts.of(self._crawler).begin(self.planner, self.writer, self.note_internal_error)
            if not self.planner.has_joined:
                self._relating.start()

    def spider_opened(self) -> None:
        """Close the spider if its run could not begin: here Scrapy closes it in the usual order."""
        if self._started is None:
            raise CloseSpider("storage")

    def sandbox_found(self, world: str) -> None:
        """Save the world before any page of it, because transactions run in the order of the calls."""
        logger.info("The API is a sandbox (%s): all of its data is invented", world)
        self._noting = asyncio.get_running_loop().create_task(self._note_world(world))

    async def _note_world(self, world: str) -> None:
        # A page that follows gets the same error, which stops the run.
        with suppress(StorageError):
            await self.writer.run(lambda connection: source.note_world(connection, self.planner.run, world))

    def run_closing(self) -> None:
        """Log what an interruption does, and how to resume."""
        self._relating.cancel()
        if self._started is not None and not self._crawler.crawling:
            logger.warning("Interrupted: %s", describe_interruption(self._command))

    async def spider_closed(self, reason: str) -> None:
        """End the run.

        A first Ctrl-C during these steps ends them as soon as that is safe. If it came before them, a second
        one ends the process at once.
        """
        stopped = threading.Event()

        def stop() -> None:
            stopped.set()
            logger.warning("Interrupted: ending the last steps of the run")

        with reactor_held(stop) if self._crawler.crawling else nullcontext():
            await self._end(reason, stopped)

    def note_internal_error(self) -> None:
        """Count an unexpected exception, which makes the outcome an internal error."""
        self._internal_errors += 1

    @property
    def _stats(self) -> StatsCollector:
        return self._crawler.stats

    def _open(self, connection: Connection, world: str | None) -> None:
        # Two workers may start at the same time.
        workers.lock_planning(connection)
        api_origin = str(Origin.required(self._api_url, "SOUNDCLOUD_API_URL"))
        database = self.store.describe()
        claimed = claim_source(connection, database, api_origin, world, accept=self._accept_source)
        # A sandbox may be adopted unless another API has answered at this origin before.
        may_adopt = not claimed.is_sandbox and not source.has_answered(connection, api_origin)
        WorldGuard.of(self._crawler).expect(claimed.world, claimed.describe(), may_adopt=may_adopt)
        route = Route(claimed.describe(), database)
        self._forgetting.leave_out_seeds(connection, self.planner)
        self._invocation = self._forgetting.clean_invocation(self._invocation)
        open_run(connection, self.planner, self.turns, self._invocation, route)
        source.note_run(connection, self.planner.run, api_origin, is_sandbox=claimed.is_sandbox)
        self._rates.load(connection)

    async def _end(self, reason: str, stopped: threading.Event) -> None:
        ended = None
        await self._relating.stop()
        try:
            if self._started is not None:
                self.writer.retry_writes()
                seconds = time.monotonic() - self._started
                stop = Stop(reason, RunControl.of(self._crawler).error, self._internal_errors)
                Gate.of(self._crawler).end_pauses()
                stop, standing = await self._leaving.leave(self.writer, stop, stopped.is_set)
                if standing.is_last:
                    ended = await self._judge(stop, seconds)
                    await self._build_indexes(ended.outcome)
                    ended = await self._finish(ended, stopped)
                else:
                    ended = await self._leave(stop, standing.ended, seconds)
        except StorageError as error:
            # The log still gets the reason. The database treats the run as killed.
            self._stats.set_value(statistics.EXIT_CODE, error.exit_code)
            self._log_unsaved(error)
        except Exception:
            # Scrapy logs it, and would call the crawl finished.
            self._stats.set_value(statistics.EXIT_CODE, outcome.INTERNAL_ERROR)
            raise
        finally:
            await asyncio.to_thread(self._heartbeat.stop)
            self._rates.stop_sharing()
            await self.writer.close()
            self._packing.close()
        # Without a due seed there is nothing to summarise; the log has said so.
        if ended is not None and (self.turns is None or self.turns.taken):
            self._log_summary(ended)

    def _log_unsaved(self, error: StorageError) -> None:
        if not isinstance(error, DatabaseGoneError):
            logger.error("Could not save the run outcome: %s. %s", error, NOTHING_LOST)
        elif not isinstance(RunControl.of(self._crawler).error, DatabaseGoneError):
            logger.error("Stopping: %s", error)

    async def _leave(self, stop: Stop, ended: outcome.Outcome | None, seconds: float) -> FinishedRun:
        """Judge what the worker leaves to others, one of which ends the run, or has *ended* it."""
        judged, overview = await self.writer.read(
            lambda connection: judge_run(connection, self.planner, stop, self._forgetting.seeds)
        )
        if ended is not None and stop.is_finished and not (stop.internal_errors or self.planner.broken):
            judged = ended
        traffic = traffic_of(self._stats)
        for name, value in run_statistics(overview, judged, seconds).items():
            self._stats.set_value(name, value)
        self._stats.set_value(statistics.OUTCOME, judged.name)
        self._stats.set_value(statistics.EXIT_CODE, judged.exit_code)
        await self.writer.run(lambda connection: self._note_traffic(connection, traffic.sent))
        run, stats = self.planner.run, self._stats.get_stats()
        self.result = HarvestResult(run.run_id, judged.name, judged.exit_code, judged.reason, stats)
        return FinishedRun(judged, overview, traffic, seconds, self.store.describe(), self._command)

    async def _judge(self, stop: Stop, seconds: float) -> FinishedRun:
        """Judge the run, and save its statistics; it has no outcome until the post-crawl steps have ended."""
        # Counting a large harvest takes long; a snapshot lets others write meanwhile.
        judged, overview = await self.writer.read(
            lambda connection: judge_run(connection, self.planner, stop, self._forgetting.seeds)
        )
        changed = await self.writer.read(self._count_changes)
        if await self._forget(judged):
            # The rest of the overview is about what the run did.
            overview = replace(overview, totals=await self.writer.read(count_totals))
        for name, value in run_statistics(overview, judged, seconds).items():
            self._stats.set_value(name, value)
        for name, count in (await self.writer.read(self._count_first_seen)).items():
            self._stats.set_value(statistics.first_seen(name), count)
        if self._invocation.command is not None:
            self._stats.set_value(statistics.COMMAND, self._invocation.command)
        traffic, known = traffic_of(self._stats), self._statistics()
        await self.writer.run(lambda connection: self._note(connection, judged, traffic.sent, known))
        described = self.store.describe()
        return FinishedRun(judged, overview, traffic, seconds, described, self._command, changed=changed)

    def _count_first_seen(self, connection: Connection) -> dict[str, int]:
        return count_first_seen(connection, self.planner.run.started_at)

    def _count_changes(self, connection: Connection) -> changes.Counts:
        since = self.planner.run.started_at
        return changes.count_changes(connection, since) if changes.has_refetched(connection, since) else {}

    def _note(self, connection: Connection, judged: outcome.Outcome, sent: int, known: str) -> None:
        if self.turns is not None:
            self.turns.cut(connection, judged.name)
        self._note_traffic(connection, sent)
        runs.note_statistics(connection, self.planner.run, known)

    def _note_traffic(self, connection: Connection, sent: int) -> None:
        self._rates.save(connection)
        runs.note_requests(connection, self.planner.run, sent)

    async def _forget(self, judged: outcome.Outcome) -> bool:
        """Forget what the run must not keep; return whether there is anything."""
        has_forgotten = await self.writer.run(self._forgetting.forget_addresses)
        # After an interruption, the harvest is to be resumed first.
        if self._config.retention.on_gone == "forget" and judged.name in outcome.FINISHING:
            has_forgotten |= await self.writer.run(self._forgetting.forget_gone)
        self._invocation = self._forgetting.clean_invocation(self._invocation)
        return has_forgotten

    async def _build_indexes(self, judged: outcome.Outcome) -> None:
        """Build the indexes for readers, unless the harvest is to be resumed."""
        if judged.name not in outcome.FINISHING:
            return
        try:
            await self.writer.run(build_indexes)
        except StorageError as error:
            self.writer.retry_writes()
            logger.warning(
                "Could not build indexes: %s; track lookups stay slow until the next finished run", error
            )

    async def _finish(self, ended: FinishedRun, stopped: threading.Event) -> FinishedRun:
        """Run the post-crawl steps, and save the final outcome."""
        around = await self.writer.read(
            lambda connection: tracks_to_relate(connection, self.planner, self.turns, self._config)
        )
        finished = await run_post_crawl_steps(
            self.store,
            self._config,
            around,
            ended.outcome,
            lambda: stopped.is_set() or not self._crawler.crawling,
        )
        await self._save(finished)
        return replace(ended, outcome=finished.outcome, related=finished.related, missing=finished.missing)

    async def _save(self, finished: Finished) -> None:
        run, result = self.planner.run, finished.outcome
        for name, value in relationship_statistics(finished.related).items():
            self._stats.set_value(name, value)
        self._stats.set_value(statistics.OUTCOME, result.name)
        self._stats.set_value(statistics.EXIT_CODE, result.exit_code)
        known, reason = self._statistics(), self._forgetting.clean_text(result.reason)
        await self.writer.run(
            lambda connection: runs.end_run(connection, run, result.name, reason, result.exit_code, known)
        )
        stats = self._stats.get_stats()
        self.result = HarvestResult(run.run_id, result.name, result.exit_code, result.reason, stats)

    def _statistics(self) -> str:
        return json.dumps(self._stats.get_stats(), default=str, sort_keys=True)

    def _log_summary(self, ended: FinishedRun) -> None:
        level = logging.INFO if ended.outcome.exit_code == outcome.COMPLETE else logging.WARNING
        # Closing the database has shortened the file. A single record keeps the lines together.
        lines = summary(ended, describe_file(self.store.path).bytes)
        logger.log(level, "%s", "\n".join(lines))
