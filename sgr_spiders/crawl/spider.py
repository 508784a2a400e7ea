"""The base class of all spiders: arguments, configuration, requests and callbacks."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.request import getproxies

import scrapy
from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError, ResponseDataLossError
from scrapy.settings import default_settings

from sgr_spiders.config import arguments, harvest
from sgr_spiders.config.settings import check_proxy, check_settings
from sgr_spiders.layers import LAYERS, build
from sgr_spiders.layers.commentary_layer import CommentaryLayer
from sgr_spiders.model.exceptions import ArgumentError, ConfigError
from sgr_spiders.model.items import Page
from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.soundcloud.boundaries import read_boundaries
from sgr_spiders.soundcloud.credentials_file import named_credentials
from sgr_spiders.soundcloud.endpoints import first_cursor
from sgr_spiders.soundcloud.page_size import resize
from sgr_spiders.soundcloud.pages import ask_for_less, page_from_answer
from sgr_spiders.soundcloud.track_cache import TrackCache
from sgr_spiders.soundcloud.track_page import TRACK_PAGE, page_from_rendering
from sgr_spiders.text.escape import for_log, for_message
from sgr_spiders.text.masking import mask_setting
from sgr_spiders.traffic import scrapy_internals, splash
from sgr_spiders.traffic.causes import reason_of
from sgr_spiders.traffic.faults import MAX_RETRY_TIMES
from sgr_spiders.traffic.gate import SENT, SUSPECT
from sgr_spiders.traffic.lanes import LANE
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import Abandoned, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from sgr_spiders.model.items import Walk


logger = logging.getLogger(__name__)

FINAL = frozenset({Kind.REFUSED, Kind.GONE, Kind.HIDDEN})
"""Kinds of responses that are about the request; others are about the API's state or this client."""

TOO_MUCH = (DownloadFailedError, DownloadTimeoutError, ResponseDataLossError)
"""Exceptions of requests that may have asked for too much."""


class HarvestSpider(scrapy.Spider):
    """Spider that fetches the walks of its layers, one page per request."""

    layers: ClassVar[tuple[str, ...] | None] = None
    """The layers of this spider; ``None`` means those that the arguments or the configuration name."""

    def __init__(self, given: arguments.Arguments, settings: harvest.HarvestConfig, api_url: str) -> None:
        super().__init__()
        self.arguments = given
        self.asked: dict[str, str] = {}
        """The arguments as they were given."""
        self.config = settings
        self.api_url = api_url.rstrip("/")
        self.layer_names = self._choose_layers()
        self.rules = build(self.layer_names, settings)
        self.track_cache = TrackCache()
        self.decoder = self.track_cache.decode

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Check all arguments and settings before anything is opened or sent."""
        # `scrapy crawl` has checked the settings already; a crawler created in Python has not.
        check_settings(crawler.settings, vars(default_settings))
        check_proxy(crawler.settings, getproxies())
        given = arguments.parse(kwargs, layer_names=tuple(LAYERS))
        settings = harvest.load(given.config or crawler.settings.get("HARVEST_CONFIG"))
        named_credentials(crawler.settings)
        delay = settings.deep_harvest.request_delay
        for name in ("DOWNLOAD_DELAY", "AUTOTHROTTLE_START_DELAY"):
            crawler.settings.set(name, delay, priority="spider")
        spider = super().from_crawler(crawler, given, settings, crawler.settings["SOUNDCLOUD_API_URL"])
        spider.asked = {name: mask_setting(name, str(value)) for name, value in kwargs.items()}
        if spider.renders_pages:
            splash.switch_on(crawler.settings, delay)
        return spider

    @property
    def renders_pages(self) -> bool:
        """True if this crawl may request rendered pages of the site from Splash."""
        asked = self.config.deep_harvest.commentary_layer.html_fallback
        return asked and CommentaryLayer.name in self.layer_names

    async def start(self) -> AsyncIterator[Any]:
        """Yield no requests: the scheduler hands out those of the ledger."""
        for request in list[scrapy.Request]():
            yield request

    def request_for(self, walk: Walk) -> scrapy.Request:
        """Build the request for the next page of *walk*."""
        if walk.endpoint == TRACK_PAGE:
            return scrapy.Request(
                **splash.rendering_of(walk.target, self.settings),
                callback=self.parse_track_page,
                errback=self.track_page_failed,
                cb_kwargs={"walk": walk},
            )
        cursor = walk.cursor or first_cursor(walk.endpoint, walk.target)
        return scrapy.Request(
            self.api_url + resize(cursor, walk.size),
            callback=self.parse_page,
            errback=self.page_failed,
            cb_kwargs={"walk": walk},
            # More retries would not help as much as an even smaller page.
            meta={SUSPECT: walk.setbacks > 0} | ({MAX_RETRY_TIMES: 1} if (walk.size.limit or 1) > 1 else {}),
        )

    def parse_page(self, response: Response, walk: Walk) -> Iterator[Page]:
        """Yield the page that *response* contains."""
        assert isinstance(response, ApiResponse)
        page = page_from_answer(walk, response.answer, self.api_url)
        page.sent, page.answered, page.lane = response.meta[SENT], time.monotonic(), response.meta[LANE]
        page.is_refusal = response.answer.kind in FINAL and 400 <= response.status < 500
        if self.config.deep_harvest.like_times:
            now = datetime.now(UTC)
            page.boundaries = read_boundaries(walk, page.next_cursor, response.answer.date, now)
        if page.is_too_large:
            _log_too_large(page)
        yield page

    def parse_track_page(self, response: Response, walk: Walk) -> Iterator[Page]:
        """Yield the page that the rendered page of a track contains."""
        yield page_from_rendering(walk, response.status, response.body)

    def track_page_failed(self, failure: Failure) -> Iterator[Page]:
        """Record the walk as gone if robots.txt forbids the page, else as failed."""
        for page in self.page_failed(failure):
            if scrapy_internals.is_forbidden_by_robots(failure.value):
                page.status, page.reason = "gone", "forbidden by the site's robots.txt"
            yield page

    def page_failed(self, failure: Failure) -> Iterator[Page]:
        """Record the walk as failed, unless the request was abandoned because the crawl ends.

        If its response ended the crawl, the next one fetches this walk last.
        """
        walk = failure.request.cb_kwargs["walk"]  # type: ignore[attr-defined]
        if isinstance(failure.value, Refused):
            yield Page(walk, status="planned", reason=for_log(str(failure.value)))
            return
        if isinstance(failure.value, Abandoned):
            return
        assert failure.value is not None
        reason = reason_of(failure.value, failure.request)  # type: ignore[attr-defined]
        page = ask_for_less(walk, reason) if isinstance(failure.value, TOO_MUCH) else None
        if page is not None:
            _log_too_large(page)
        yield page or Page(walk, status="failed", reason=reason)

    def _choose_layers(self) -> tuple[str, ...]:
        asked = self.arguments.layers
        if self.layers is not None:
            if asked is not None and asked != self.layers:
                raise ArgumentError(
                    f"spider argument `layers`: {self.name} runs no layer but {self.layers[0]}"
                )
            return self.layers
        chosen = asked or self.config.enabled_layers
        if not chosen:
            raise ConfigError(
                "no layer is enabled; enable one in the configuration, or name one with -a layers="
            )
        return chosen


def _log_too_large(page: Page) -> None:
    walk = page.walk
    logger.info("Asking for less per page of %s %s: %s", walk.endpoint, for_message(walk.target), page.reason)
