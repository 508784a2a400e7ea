"""The project's settings, with a harvest that relates when it has ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sgr_spiders.extensions.finish import relate_when_closed
from sgr_spiders.extensions.harvest import EXIT_CODE_STAT, Harvest
from sgr_spiders.outcome import Outcome
from sgr_spiders.settings import *  # noqa: F403
from sgr_spiders.settings import EXTENSIONS as THOSE_OF_THE_PROJECT
from sgr_spiders.storage import runs

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from sgr_spiders.spiders.base import HarvestSpider


class FinishingHarvest(Harvest):
    """Ends as the project's, then relates, then ends again with what came of it."""

    def __init__(self, crawler: Crawler, spider: HarvestSpider) -> None:
        super().__init__(crawler, spider)
        self._spider = spider

    async def spider_closed(self, spider: Spider, reason: str) -> None:  # type: ignore[override]
        self._finish(reason)
        stats = self._crawler.stats
        judged = Outcome(stats.get_value("sgr/outcome"), stats.get_value(EXIT_CODE_STAT))
        with self.store.begin() as connection:
            seeds = [
                seed.track_id for seed in runs.seed_outcomes(connection, self.planner.run) if seed.track_id
            ]
        finished = await relate_when_closed(self._crawler, self.store, self._spider.config, seeds, judged)
        for name, value in finished.stats.items():
            stats.set_value(name, value)
        result = finished.outcome
        stats.set_value(EXIT_CODE_STAT, result.exit_code)
        with self.store.begin() as connection:
            text = json.dumps(stats.get_stats(), default=str)
            runs.end_run(connection, self.planner.run, result.name, result.reason, result.exit_code, text)
        self.store.close()


EXTENSIONS: dict[str, int | None] = {  # type: ignore[no-redef]
    **THOSE_OF_THE_PROJECT,
    "sgr_spiders.extensions.harvest.Harvest": None,
    "tests.relationships.finishing_settings.FinishingHarvest": 0,
}
