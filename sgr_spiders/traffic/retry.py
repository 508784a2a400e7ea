"""Retries of what may pass."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy.utils.misc import load_object

from sgr_spiders.model import statistics
from sgr_spiders.model.exceptions import BlockedError
from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.traffic.abandoned import Abandoned
from sgr_spiders.traffic.backoff import backoff
from sgr_spiders.traffic.resend import again
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import RunControl
from sgr_spiders.traffic.token_endpoint import AUTHORISING

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)


class RetryMiddleware:
    """Sends a request again after a passing fault, later each time, up to a limit.

    It waits where a request holds no transfer place of the downloader. What fails to the end goes
    on to the callback or the errback as it is.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._stats = crawler.stats
        self._run = RunControl.of(crawler)
        self._times = settings.getint("RETRY_TIMES", 5)
        self._wait = (settings.getfloat("BACKOFF_BASE", 1.0), settings.getfloat("BACKOFF_MAX", 60.0))
        self._slow_times = settings.getint("DISALLOWED_RETRY_TIMES", 3)
        slow_base = settings.getfloat("DISALLOWED_BACKOFF_BASE", 60.0)
        self._slow_wait = (slow_base, 10 * slow_base)
        self._exceptions = tuple(load_object(name) for name in settings.getlist("RETRY_EXCEPTIONS"))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RetryMiddleware:
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        if not isinstance(response, ApiResponse):
            return response
        if response.answer.kind is Kind.RETRY:
            return await self._later(request, response.answer.reason) or response
        if response.answer.kind is Kind.DISALLOWED:
            return await self._much_later(request, response.answer.reason)
        return response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        if AUTHORISING in request.meta or not isinstance(exception, self._exceptions):
            return None
        return await self._later(request, type(exception).__name__)

    async def _later(self, request: Request, reason: str) -> Request | None:
        self._run.check()
        times = request.meta.get("retry_times", 0) + 1
        if times > self._times:
            self._stats.inc_value(statistics.RETRIES_GIVEN_UP)
            logger.warning("Gave up %s after %d tries: %s", request, times, reason)
            return None
        await self._pause(request, reason, backoff(times, *self._wait))
        return again(request, retry_times=times)

    async def _much_later(self, request: Request, reason: str) -> Request:
        self._run.check()
        times = request.meta.get("disallowed_times", 0) + 1
        if times > self._slow_times:
            error = BlockedError(f"the API disallows access after {times} slow tries: {reason}")
            self._run.stop(error)
            raise Abandoned(str(error))
        await self._pause(request, reason, backoff(times, *self._slow_wait))
        return again(request, disallowed_times=times)

    async def _pause(self, request: Request, reason: str, seconds: float) -> None:
        self._stats.inc_value(statistics.RETRIES)
        logger.info("Trying %s again in %.1f s: %s", request, seconds, reason)
        await self._run.sleep(seconds)
