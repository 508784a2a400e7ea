"""One run of ``scrapy plan``: it reads the database, fetches the sample, and stores the estimate."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sgr_spiders.config import arguments, harvest
from sgr_spiders.config.arguments import GivenSeed
from sgr_spiders.crawl.planner import scope_of
from sgr_spiders.crawl.planning.estimate import estimate_harvest
from sgr_spiders.crawl.planning.spider import SampleSpider
from sgr_spiders.crawl.probes import run_to_end
from sgr_spiders.layers import LAYERS
from sgr_spiders.model.exceptions import SourceError, StorageError
from sgr_spiders.soundcloud.credentials_file import named_credentials
from sgr_spiders.storage import lanes, plans
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import source
from sgr_spiders.storage.ledger.seeds import all_seeds, due_now
from sgr_spiders.storage.store import Store
from sgr_spiders.traffic.origin import Origin
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.crawler import AsyncCrawlerProcess
    from scrapy.settings import BaseSettings

    from sgr_spiders.config.arguments import Arguments
    from sgr_spiders.reports.estimate import Estimate
    from sgr_spiders.storage.ledger.source import Source
    from sgr_spiders.storage.store import Connection

logger = logging.getLogger(__name__)

SANDBOX_BYTES = 450
"""The bytes that an item takes in harvests of the sandbox, of 10,000 to 60,000 items: 330 to 610."""


@dataclass(slots=True)
class Known:
    """The knowledge of the database before the sample."""

    source: Source | None = None
    rates: dict[str, lanes.StoredRate] = field(default_factory=dict)
    due: list[GivenSeed] = field(default_factory=list)


def plan_harvest(process: AsyncCrawlerProcess, given: Mapping[str, str], budget: int) -> Estimate:
    """Sample the harvest with these spider arguments, and return its estimate, which is stored as well.

    Raises:
        HarvestError: What would stop the harvest, too.
    """
    settings = process.settings
    asked = arguments.parse(given, layer_names=tuple(LAYERS))
    # Before the database is created or upgraded.
    config = harvest.load(asked.config or settings["HARVEST_CONFIG"])
    named_credentials(settings)
    store = Store(settings["HARVEST_DATABASE_URL"])
    with closing(Store.open_unlocked(store.url)) as opened, opened.read() as connection:
        known = _read_known(connection, settings)
    _refuse_other_source(known, settings, asked, store.describe())
    spider = _sample(process, given, known.due if asked.due else asked.seeds, known, budget)
    with store.read() as connection:
        freshness_days = 0 if asked.refresh else config.deep_harvest.freshness_days
        measured = plans.bytes_per_record(connection, store.path)
        estimate = estimate_harvest(
            spider,
            plans.StoredWalks(connection, freshness_days),
            database=store.describe(),
            bytes_per_record=(measured, "this database") if measured else (SANDBOX_BYTES, "the sandbox"),
        )
    _save(store.url, spider, estimate)
    return estimate


def _read_known(connection: Connection, settings: BaseSettings) -> Known:
    origin = _origin(settings)
    known = Known(source.read(connection) if source.is_filled(connection) else None)
    for name, credentials in named_credentials(settings).items():
        rate = lanes.read_rate(connection, lanes.Key(origin, credentials.fingerprint))
        if rate is not None and rate.age >= 0:
            known.rates[name] = rate
    for seed in due_now(all_seeds(connection), timestamp()):
        url = seed.given if seed.track_id is None else None
        known.due.append(GivenSeed(seed.given, track_id=seed.track_id, url=url))
    return known


def _refuse_other_source(known: Known, settings: BaseSettings, asked: Arguments, database: str) -> None:
    """Raise ``SourceError`` if a crawl would; only responses tell one sandbox from another."""
    there = known.source
    if there is None or there.is_sandbox or asked.accept_source or there.covers(_origin(settings), None):
        return
    raise SourceError(
        f"database {database} holds data of {there.describe()}, not of {_origin(settings)}; set "
        "HARVEST_DATABASE_URL to another file or, if the API has only moved, add -a accept_source=1"
    )


def _origin(settings: BaseSettings) -> str:
    return str(Origin.required(settings["SOUNDCLOUD_API_URL"], "SOUNDCLOUD_API_URL"))


def _sample(
    process: AsyncCrawlerProcess,
    given: Mapping[str, str],
    seeds: list[GivenSeed] | tuple[GivenSeed, ...],
    known: Known,
    budget: int,
) -> SampleSpider:
    crawler = process.create_crawler(SampleSpider)
    run_to_end(
        process,
        crawler,
        sampled_seeds=seeds,
        budget=budget,
        rates=known.rates,
        source=known.source,
        **given,
    )
    if (error := RunControl.of(crawler).error) is not None:
        raise error
    spider = crawler.spider
    assert isinstance(spider, SampleSpider)
    if not spider.is_complete:
        raise KeyboardInterrupt
    return spider


def _save(url: str, spider: SampleSpider, estimate: Estimate) -> None:
    """Store the estimate; a harvest can begin without it."""
    amount = estimate.together
    plan = plans.Plan(
        created_at=timestamp(),
        scope=scope_of(spider.arguments.seeds, spider.layer_names, spider.arguments.max_seeds),
        refresh=spider.arguments.refresh,
        requests=amount.requests,
        least_requests=amount.least,
        most_requests=amount.most,
        records=amount.records,
        seconds=amount.seconds,
        bytes=amount.bytes,
    )
    try:
        with closing(Store.open_unlocked(url)) as store, store.write() as connection:
            plans.save(connection, plan)
    except StorageError as error:
        logger.warning("Could not store the estimate: %s", error)
