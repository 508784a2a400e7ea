"""scrapy-splash 0.11 on current Scrapy. Only crawls that render pages import this module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.traffic.scrapy_internals import restore_canonicalize_url

restore_canonicalize_url()

from scrapy_splash import SplashMiddleware  # noqa: E402 - its import needs the line above

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response


class RenderMiddleware(SplashMiddleware):  # type: ignore[misc]  # it has no types
    """Downloader middleware that turns a request with ``splash`` in its meta into a request to Splash.

    The request passes all middlewares twice: for the page, then for Splash. Scrapy deprecates methods with
    a ``spider`` argument, so the spider comes from the crawler.
    """

    def process_request(self, request: Request) -> Request | None:
        rewritten: Request | None = super().process_request(request, self.crawler.spider)
        return rewritten

    def process_response(self, request: Request, response: Response) -> Request | Response:
        answer: Request | Response = super().process_response(request, response, self.crawler.spider)
        return answer
