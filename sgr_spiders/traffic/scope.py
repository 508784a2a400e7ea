"""Scope: the URLs that a crawl may request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from scrapy.exceptions import IgnoreRequest

from sgr_spiders.model import statistics
from sgr_spiders.traffic.origin import Origin
from sgr_spiders.traffic.token_endpoint import AUTHORISING

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

AUDIO: Final = frozenset({"stream", "streams", "download", "preview"})
"""Path segments that lead to audio."""

_SECRET_PATH = re.compile(r"/[^/]+/[^/]+(/[^/]+)?/s-[A-Za-z0-9]{5,}/?")


class OutOfScopeError(IgnoreRequest):
    """A request to another origin, for audio, or through a secret link."""


class ScopeGuard:
    """Downloader middleware that lets only API requests for public data other than audio pass.

    ``SCOPE_ORIGINS`` names further origins. The same rules and their own robots.txt apply to them.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._stats = crawler.stats
        self._api = Origin.required(crawler.settings["SOUNDCLOUD_API_URL"], "SOUNDCLOUD_API_URL")
        others = crawler.settings.getlist("SCOPE_ORIGINS")
        self._origins = {self._api, *(Origin.required(url, "SCOPE_ORIGINS") for url in others)}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ScopeGuard:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        if AUTHORISING in request.meta:
            return
        problem = self._problem(request.url)
        if problem:
            self._stats.inc_value(statistics.OUT_OF_SCOPE)
            raise OutOfScopeError(problem)
        if self._api.covers(request.url):
            # The API host's robots.txt disallows all crawlers. The API terms, not that file, govern access
            # with client credentials. The robots.txt of all other hosts is obeyed.
            request.meta["dont_obey_robotstxt"] = True

    def _problem(self, url: str) -> str:
        if Origin.of(url) not in self._origins:
            return "out of scope: not on the API"
        parts = urlsplit(url)
        if not AUDIO.isdisjoint(unquote(parts.path).lower().split("/")):
            return "out of scope: audio"
        return "out of scope: a secret link" if _is_secret(parts.query) else ""


def _is_secret(query: str) -> bool:
    """Return whether *query* contains a secret token, or a link to resolve that contains one."""
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name.lower() == "secret_token":
            return True
        if name == "url" and ("secret_token" in value or _SECRET_PATH.fullmatch(urlsplit(value).path)):
            return True
    return False
