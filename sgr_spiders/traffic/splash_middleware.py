"""scrapy-splash 0.11 on a Scrapy that it does not know yet. Imported only where pages are rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.utils import url
from w3lib.url import canonicalize_url

# Scrapy 2.16 dropped this second name of w3lib's function, and scrapy-splash still imports it from here.
vars(url).setdefault("canonicalize_url", canonicalize_url)

from scrapy_splash import SplashMiddleware  # noqa: E402 - only now can it be imported

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response


class RenderMiddleware(SplashMiddleware):  # type: ignore[misc]  # it has no types
    """Turns a request with ``splash`` in its meta into one to Splash.

    The request goes through all middlewares twice: as one for the page, then as one to Splash. Methods
    with a ``spider`` are deprecated in Scrapy; the spider comes from the crawler instead.
    """

    def process_request(self, request: Request) -> Request | None:
        rewritten: Request | None = super().process_request(request, self.crawler.spider)
        return rewritten

    def process_response(self, request: Request, response: Response) -> Request | Response:
        answer: Request | Response = super().process_response(request, response, self.crawler.spider)
        return answer
