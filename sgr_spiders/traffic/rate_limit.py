"""Rate limits of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.traffic.resend import again
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response


class RateLimitMiddleware:
    """Sends a request again that met a 429. The gate makes it wait until the hold is over."""

    def __init__(self, crawler: Crawler) -> None:
        self._run = RunControl.of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RateLimitMiddleware:
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        if not isinstance(response, ApiResponse) or response.answer.kind is not Kind.LIMITED:
            return response
        self._run.check()
        return again(request)
