"""The checks of ``scrapy doctor --online``: a token for each lane, one request with it, and the clock."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import scrapy
from scrapy.http.request import NO_CALLBACK

from sgr_spiders.crawl.probes import run_to_end
from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.soundcloud.credentials_file import named_credentials
from sgr_spiders.soundcloud.endpoints import first_cursor
from sgr_spiders.traffic.lanes import ONLY_LANE, Lanes
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import RunControl
from sgr_spiders.traffic.sandbox_world import WORLD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.crawler import AsyncCrawlerProcess

QUESTION = first_cursor("search_users", "a")
"""The request that is sent on each lane."""

NOT_ASKED = "was not asked"


@dataclass(slots=True)
class Online:
    """The responses of the API.

    Attributes:
        problems: The reason against each lane; ``None`` if its request was answered.
        clock_error: The seconds by which the local clock is ahead of the API's; ``None`` if unknown.
        world: The world of the sandbox, if it is one.
    """

    problems: dict[str, str | None] = field(default_factory=dict)
    clock_error: float | None = None
    world: str | None = None


class QuestionSpider(scrapy.Spider):
    """Spider that sends one request on each lane, with the traffic components of a crawl."""

    name = "doctor"
    online: Online
    close_reason: str | None = None

    async def start(self) -> AsyncIterator[Any]:
        """Send the requests; yield nothing."""
        for lane in Lanes.of(self.crawler).all:
            self.online.problems[lane.name] = await self._ask(lane.name)
            if lane.error is not None:
                self.online.problems[lane.name] = str(lane.error)
        for request in list[scrapy.Request]():
            yield request

    def closed(self, reason: str) -> None:
        """Keep the reason why Scrapy closed the spider."""
        self.close_reason = reason

    async def _ask(self, lane: str) -> str | None:
        url = self.settings["SOUNDCLOUD_API_URL"].rstrip("/") + QUESTION
        request = scrapy.Request(url, meta={ONLY_LANE: lane}, callback=NO_CALLBACK, dont_filter=True)
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the API has not answered
            stopped_by = RunControl.of(self.crawler).error
            return str(error if stopped_by is None else stopped_by)
        assert isinstance(response, ApiResponse)
        self._note(response)
        return None if response.answer.kind is Kind.OK else response.answer.reason

    def _note(self, response: ApiResponse) -> None:
        date, world = response.headers.get("Date"), response.headers.get(WORLD)
        if date is not None:
            # A wrong date is the API's matter.
            with contextlib.suppress(ValueError, OverflowError):
                there = parsedate_to_datetime(date.decode("latin-1")).timestamp()
                self.online.clock_error = time.time() - there
        if world is not None:
            self.online.world = world.decode("latin-1")


def ask_online(process: AsyncCrawlerProcess) -> Online:
    """Ask the API on each lane.

    Raises:
        KeyboardInterrupt: It was stopped by a signal.
    """
    online = Online(dict.fromkeys(named_credentials(process.settings), NOT_ASKED))
    crawler = process.create_crawler(QuestionSpider)
    run_to_end(process, crawler, online=online)
    if isinstance(crawler.spider, QuestionSpider) and crawler.spider.close_reason == "shutdown":
        raise KeyboardInterrupt
    return online
