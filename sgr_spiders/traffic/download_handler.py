"""The download handler: the last step before the network and the first after it."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.exceptions import DownloadCancelledError
from scrapy.utils.misc import build_from_crawler, load_object

from sgr_spiders.model import statistics
from sgr_spiders.soundcloud.answers import Answer, Kind, classify
from sgr_spiders.traffic.gate import Gate
from sgr_spiders.traffic.inflate import BrokenBodyError, TooLargeError, inflate
from sgr_spiders.traffic.lanes import Lanes
from sgr_spiders.traffic.origin import Origin
from sgr_spiders.traffic.reach import Reach
from sgr_spiders.traffic.response import ApiResponse, header_fields
from sgr_spiders.traffic.run_control import RunControl
from sgr_spiders.traffic.sandbox_world import WorldGuard
from sgr_spiders.traffic.scrapy_internals import disable_resends
from sgr_spiders.traffic.token_endpoint import AUTHORISING

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy import Request
    from scrapy.core.downloader.handlers import DownloadHandlerProtocol
    from scrapy.crawler import Crawler
    from scrapy.http import Response

_CLEAR_WITHOUT_BODY = frozenset({Kind.LIMITED, Kind.UNAUTHORISED, Kind.BLOCKED})


class ApiDownloadHandler(BaseDownloadHandler):
    """Download handler that passes API requests through the gate, signs them and reads the responses.

    The handler that ``WRAPPED_DOWNLOAD_HANDLER`` names does the transfer. It gets a signed copy, so no
    request that Scrapy logs, stores, repeats or passes to an errback contains a token, and a request that
    has waited is signed with the current token. Requests to other origins pass unchanged.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings = crawler.settings
        wrapped = load_object(settings["WRAPPED_DOWNLOAD_HANDLER"])
        self._wrapped: DownloadHandlerProtocol = build_from_crawler(wrapped, crawler)
        disable_resends(self._wrapped)
        self._max_size = settings.getint("DOWNLOAD_MAXSIZE")
        self._api = Origin.required(settings["SOUNDCLOUD_API_URL"], "SOUNDCLOUD_API_URL")
        self._run = RunControl.of(crawler)
        self._gate = Gate.of(crawler)
        self._lanes = Lanes.of(crawler)
        self._reach = Reach.of(crawler)
        self._world = WorldGuard.of(crawler)
        # A spider that remembers earlier documents can decode less.
        self._decoder: Callable[[bytes], object] | None = getattr(crawler.spider, "decoder", None)

    async def download_request(self, request: Request) -> Response:
        self._run.check()
        if AUTHORISING in request.meta:
            answer = await self._transfer(request)
            self._world.check(answer)
            return answer
        if not self._api.covers(request.url):
            return await self._transfer(request)
        return await self._reach.send(request, self._send, probe=self._fetch)

    async def close(self) -> None:
        await self._wrapped.close()

    async def _send(self, request: Request) -> ApiResponse:
        return await self._gate.send(request, partial(self._fetch_when_reachable, request))

    async def _fetch_when_reachable(self, request: Request) -> ApiResponse:
        # Here, so that requests in the gate's queue stay there during an outage.
        await self._reach.wait_until_over(request)
        return await self._fetch(request)

    async def _fetch(self, request: Request) -> ApiResponse:
        signed = self._lanes.of_request(request).keeper.sign(request)
        limit = request.meta.get("download_maxsize", self._max_size)
        try:
            response = await self._transfer(signed)
        except DownloadCancelledError:
            # Scrapy cancels only a body above the limit; the exception has no status or headers.
            read = ApiResponse(request.url, answer=_too_large(limit))
        else:
            self._world.check(response)
            request.meta["download_latency"] = signed.meta.get("download_latency")
            read = self._read(response, limit)
        self._note(request, read)
        return read

    async def _transfer(self, request: Request) -> Response:
        """Send *request*. Nothing else sends one, so its count includes retries, tokens and checks."""
        self.crawler.stats.inc_value(statistics.REQUESTS)
        return await self._wrapped.download_request(request)

    def _read(self, response: Response, limit: int) -> ApiResponse:
        fields = header_fields(response)
        encodings = [part.strip().lower() for part in fields.pop("content-encoding", "").split(",")]
        body = b""
        try:
            body = inflate(response.body, [part for part in encodings if part], limit)
            answer = classify(response.status, fields, body, now=time.time(), decoder=self._decoder)
        except BrokenBodyError as error:
            answer = classify(response.status, fields, b"", now=time.time())
            if answer.kind not in _CLEAR_WITHOUT_BODY:
                reason = f"HTTP {response.status}: {error}"
                answer = Answer(Kind.RETRY, reason=reason, is_heavy=True)
        except TooLargeError:
            answer = _too_large(limit)
        if answer.kind is Kind.FOUND and not urlsplit(response.url).path.endswith("/resolve"):
            answer = Answer(Kind.REFUSED, reason="unexpected redirect")
        read = response.replace(cls=ApiResponse, body=body, encoding="utf-8", answer=answer)
        read.headers.pop("Content-Encoding", None)
        return read

    def _note(self, request: Request, response: ApiResponse) -> None:
        kind = response.answer.kind
        self.crawler.stats.inc_value(statistics.answers(kind.value))
        # The pace applies the rule of AutoThrottle, together with everything else that delays requests.
        request.meta["autothrottle_dont_adjust_delay"] = True


def _too_large(limit: int) -> Answer:
    return Answer(Kind.REFUSED, reason=f"larger than {limit} bytes", is_heavy=True)
