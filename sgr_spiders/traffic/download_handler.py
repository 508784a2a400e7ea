"""The download handler: the last point before the wire and the first after it."""

from __future__ import annotations

import time
from functools import cached_property, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import DownloadCancelledError

from sgr_spiders.model import statistics
from sgr_spiders.soundcloud.answers import Answer, Kind, classify
from sgr_spiders.traffic.authorisation import AuthorisationMiddleware
from sgr_spiders.traffic.fields import fields_of
from sgr_spiders.traffic.gate import Gate
from sgr_spiders.traffic.inflate import BrokenBodyError, TooLargeError, inflate
from sgr_spiders.traffic.origin import Origin
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import RunControl
from sgr_spiders.traffic.token_endpoint import AUTHORISING

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from sgr_spiders.traffic.token_keeper import TokenKeeper

_SETTLED = frozenset({Kind.OK, Kind.FOUND, Kind.GONE, Kind.HIDDEN})
_CLEAR_WITHOUT_BODY = frozenset({Kind.LIMITED, Kind.UNAUTHORISED, Kind.BLOCKED})


class ApiDownloadHandler(HTTP11DownloadHandler):
    """Passes requests for the API through the gate, signs them, and turns answers into ``ApiResponse``.

    Signing happens on a copy that goes to the wire alone, so no request that Scrapy logs, stores,
    repeats or hands to an errback ever carries a token, and what waited long is signed with the
    token of now. Requests to other places pass as they are.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        # Twisted would repeat a request whose kept connection breaks, behind the gate's back.
        self._pool.retryAutomatically = False
        self._api = Origin.required(crawler.settings["SOUNDCLOUD_API_URL"], "SOUNDCLOUD_API_URL")
        self._run = RunControl.of(crawler)
        self._gate = Gate.of(crawler)
        # A spider that remembers what came before knows how to decode less.
        self._decoder: Callable[[bytes], object] | None = getattr(crawler.spider, "decoder", None)

    async def download_request(self, request: Request) -> Response:
        self._run.check()
        if AUTHORISING in request.meta or not self._api.covers(request.url):
            return await super().download_request(request)
        await self._keeper.settled()
        return await self._gate.send(request, partial(self._fetch, request))

    @cached_property
    def _keeper(self) -> TokenKeeper:
        # Handlers are made before the middlewares; from the first request on they are there.
        middleware = self.crawler.get_downloader_middleware(AuthorisationMiddleware)
        if middleware is None:
            raise RuntimeError("setting `DOWNLOADER_MIDDLEWARES`: AuthorisationMiddleware is missing")
        return middleware.keeper

    async def _fetch(self, request: Request) -> ApiResponse:
        signed = self._keeper.sign(request)
        try:
            response = await super().download_request(signed)
        except DownloadCancelledError:
            # Only a body above the limit is cancelled; status and headers are lost on the way here.
            read = ApiResponse(request.url, answer=self._too_large())
        else:
            request.meta["download_latency"] = signed.meta.get("download_latency")
            read = self._read(response)
        self._note(request, read)
        return read

    def _read(self, response: Response) -> ApiResponse:
        fields = fields_of(response)
        encodings = [part.strip().lower() for part in fields.pop("content-encoding", "").split(",")]
        body = b""
        try:
            body = inflate(response.body, [part for part in encodings if part], self._default_maxsize)
            answer = classify(response.status, fields, body, now=time.time(), decoder=self._decoder)
        except BrokenBodyError as error:
            answer = classify(response.status, fields, b"", now=time.time())
            if answer.kind not in _CLEAR_WITHOUT_BODY:
                answer = Answer(Kind.RETRY, reason=f"HTTP {response.status}: {error}")
        except TooLargeError:
            answer = self._too_large()
        if answer.kind is Kind.FOUND and not urlsplit(response.url).path.endswith("/resolve"):
            answer = Answer(Kind.REFUSED, reason="unexpected redirect")
        read = response.replace(cls=ApiResponse, body=body, encoding="utf-8", answer=answer)
        read.headers.pop("Content-Encoding", None)
        return read

    def _too_large(self) -> Answer:
        return Answer(Kind.REFUSED, reason=f"larger than {self._default_maxsize} bytes")

    def _note(self, request: Request, response: ApiResponse) -> None:
        kind = response.answer.kind
        self.crawler.stats.inc_value(statistics.answers(kind.value))
        # A refusal or an empty 200 is quick and says nothing about how much the API can bear; only a
        # server's own fault may slow AutoThrottle down, by the time it took.
        request.meta["autothrottle_dont_adjust_delay"] = kind not in _SETTLED and response.status < 500
