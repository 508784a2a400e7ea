"""Crawls that send a few requests and store nothing: their settings, and how they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Future

    from scrapy.crawler import AsyncCrawlerProcess, Crawler

OWN_SETTINGS: dict[str, Any] = {
    # Nothing is scheduled or stored, and the traffic components are those of the add-on.
    "SCHEDULER": "scrapy.core.scheduler.Scheduler",
    "ITEM_PIPELINES": {},
    "EXTENSIONS": {},
}


def run_to_end(process: AsyncCrawlerProcess, crawler: Crawler, **arguments: Any) -> None:
    """Run *crawler* with these spider arguments as the only one of *process*; raise what made it fail."""
    failures: list[BaseException] = []

    def note(task: Future[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            failures.append(error)

    crawling: Any = process.crawl(crawler, **arguments)
    crawling.add_done_callback(note)
    process.start()
    for failure in failures:
        raise failure
