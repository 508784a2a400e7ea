"""Run several crawls in one process, each described by an entry on standard input.

An entry contains ``name``, ``settings`` and ``urls``. Standard output ends with one line of JSON that
contains, for each crawl, what its spider got, its statistics and the error that ended it.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import TYPE_CHECKING, Any

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess

from sgr_spiders.model.exceptions import HarvestError
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

SETTINGS: dict[str, Any] = {
    "TWISTED_DNS_RESOLVER": "scrapy.resolver.CachingHostnameResolver",
    "DNSCACHE_ENABLED": False,
    "DOWNLOAD_VERIFY_CERTIFICATES": True,
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
    "ADDONS": {"sgr_spiders.traffic.addon.TrafficAddon": 0},
    "WRAPPED_DOWNLOAD_HANDLER": "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler",
    "RETRY_ENABLED": False,
    "REDIRECT_ENABLED": False,
    "METAREFRESH_ENABLED": False,
    "COOKIES_ENABLED": False,
    "HTTPERROR_ALLOW_ALL": True,
    "REMOTE_CONTROL_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "DOWNLOAD_DELAY": 0,
    "CONCURRENT_REQUESTS": 100,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
    "DOWNLOAD_TIMEOUT": 20,
    "BACKOFF_BASE": 0.05,
    "BACKOFF_MAX": 0.2,
    "LOG_LEVEL": "DEBUG",
}


class Plain(Spider):
    """Spider that requests the given URLs and records the outcome of each."""

    name = "plain"
    handle_httpstatus_all = True

    def __init__(self, *args: Any, urls: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.urls = urls
        self.got: dict[str, list[str]] = {}

    async def start(self) -> AsyncIterator[Request]:
        for url in self.urls:
            leak = {"Authorization": "OAuth leaked-by-the-spider"}
            yield Request(url, callback=self.parse_page, errback=self.page_failed, headers=leak)

    async def parse_page(self, response: Response) -> None:
        if isinstance(response, ApiResponse):
            got = [response.answer.kind.value, response.answer.reason]
        else:
            got = ["foreign", str(response.status)]
        request = response.request
        assert request is not None
        self.got[request.url] = [*got, repr(dict(request.meta)), repr(dict(request.headers))]

    async def page_failed(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]
        texts = [type(failure.value).__name__, str(failure.value), failure.getTraceback()]
        self.got[request.url] = [*texts, repr(dict(request.headers))]


def main() -> None:
    warnings.simplefilter("error")
    entries: list[dict[str, Any]] = json.load(sys.stdin)
    process = AsyncCrawlerProcess(SETTINGS)
    crawls: dict[str, tuple[Crawler, asyncio.Task[None]]] = {}
    for entry in entries:
        spider = type(entry["name"], (Plain,), {"custom_settings": entry["settings"]})
        crawler = process.create_crawler(spider)
        crawls[entry["name"]] = (crawler, process.crawl(crawler, urls=entry["urls"]))
    process.start()
    print(json.dumps({name: _describe(*crawl) for name, crawl in crawls.items()}, default=str))  # noqa: T201


def _describe(crawler: Crawler, task: asyncio.Task[None]) -> dict[str, Any]:
    raised = task.exception()
    if raised is not None:
        assert isinstance(raised, HarvestError), raised
        return {"got": {}, "stats": {}, "error": [type(raised).__name__, str(raised), raised.exit_code]}
    error = RunControl.of(crawler).error
    spider = crawler.spider
    assert isinstance(spider, Plain)
    return {
        "got": spider.got,
        "stats": crawler.stats.get_stats(),
        "error": [type(error).__name__, str(error), error.exit_code] if error else None,
    }


if __name__ == "__main__":
    main()
