"""Retries after transient errors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from scrapy.utils.misc import load_object

from sgr_spiders.model import statistics
from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.traffic.backoff import backoff
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import Refused, RunControl
from sgr_spiders.traffic.token_endpoint import AUTHORISING

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

MAX_RETRY_TIMES: Final = "max_retry_times"
"""Meta key, as in Scrapy, of the retries of a request that another one replaces if it fails."""


class FaultMiddleware:
    """Downloader middleware that resends a request after a transient error, later each time.

    While it backs off, a request occupies no transfer slot of the downloader. After the last retry, the
    callback gets the response, or the errback the exception, unchanged.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._stats = crawler.stats
        self._run = RunControl.of(crawler)
        self._times = settings.getint("RETRY_TIMES", 5)
        self._wait = (settings.getfloat("BACKOFF_BASE", 1.0), settings.getfloat("BACKOFF_MAX", 60.0))
        self._exceptions = tuple(load_object(name) for name in settings.getlist("RETRY_EXCEPTIONS"))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FaultMiddleware:
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        if not isinstance(response, ApiResponse):
            return response
        kind, reason = response.answer.kind, response.answer.reason
        if kind is Kind.LIMITED:
            if self._run.closing:
                raise Refused(reason)
            # The gate delays it until the rate-limit pause ends.
            return resend(request)
        if kind is Kind.RETRY:
            return await self._retry(request, reason) or response
        return response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        if AUTHORISING in request.meta or not isinstance(exception, self._exceptions):
            return None
        return await self._retry(request, type(exception).__name__)

    async def _retry(self, request: Request, reason: str) -> Request | None:
        self._run.check()
        times = request.meta.get("retry_times", 0) + 1
        if times > request.meta.get(MAX_RETRY_TIMES, self._times):
            if MAX_RETRY_TIMES not in request.meta:
                self._stats.inc_value(statistics.RETRIES_GIVEN_UP)
                logger.warning("Giving up on %s after %d tries: %s", request, times, reason)
            return None
        await self._pause(request, reason, backoff(times, *self._wait))
        return resend(request, retry_times=times)

    async def _pause(self, request: Request, reason: str, seconds: float) -> None:
        self._stats.inc_value(statistics.RETRIES)
        logger.info("Retrying %s in %.1f s: %s", request, seconds, reason)
        await self._run.sleep(seconds)


def resend(request: Request, **meta: object) -> Request:
    """Return a copy of *request* for another try, with *meta* added to its own."""
    # Otherwise a duplicate filter would drop it.
    repeated: Request = request.replace(dont_filter=True)
    repeated.meta.update(meta)
    return repeated
