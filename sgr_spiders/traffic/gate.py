"""The gate before the API: holds, and the pace after them."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from sgr_spiders.model import statistics
from sgr_spiders.model.exceptions import BlockedError
from sgr_spiders.model.signals import hold_started
from sgr_spiders.soundcloud.answers import Answer, Kind
from sgr_spiders.traffic.backoff import backoff
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scrapy import Request
    from scrapy.crawler import Crawler

    from sgr_spiders.traffic.response import ApiResponse

logger = logging.getLogger(__name__)

_FAULTS = frozenset({Kind.LIMITED, Kind.RETRY, Kind.DISALLOWED, Kind.BLOCKED})


class Gate:
    """Lets requests through to the API, and none at all while a hold lasts or once the run closes.

    It stands at the last point before the wire and learns of a 429 before the downloader looks for
    the next request, so nothing slips out in between. After a hold one request goes ahead; the
    others follow when it was answered well. An extension: ``Gate.of(crawler)`` finds it.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._base = settings.getfloat("RATE_LIMIT_BASE", 5.0)
        self._maximum = settings.getfloat("RATE_LIMIT_MAX", 900.0)
        self._max_holds = settings.getint("RATE_LIMIT_MAX_HOLDS", 8)
        # Without a delay the downloader lets more out at once than it should: it counts a transfer only
        # when its task starts.
        self._places = asyncio.Semaphore(settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"))
        self._turn = asyncio.Lock()
        self._passed = 0.0
        self._began = 0.0
        self._until = 0.0
        self._holds_in_a_row = 0
        self._held = 0.0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Gate:
        return cls(crawler)

    @classmethod
    def of(cls, crawler: Crawler) -> Gate:
        gate = crawler.get_extension(cls)
        if gate is None:
            raise RuntimeError("setting `EXTENSIONS`: Gate is missing")
        return gate

    @cached_property
    def _run(self) -> RunControl:
        # Extensions find each other only once all are made.
        return RunControl.of(self._crawler)

    async def send(self, request: Request, fetch: Callable[[], Awaitable[ApiResponse]]) -> ApiResponse:
        """Fetch as soon as the gate is open and it is this request's turn."""
        async with self._places:
            async with self._turn:
                await self.opened()
                await self._run.sleep(self._passed + self._delay(request) - time.monotonic())
                await self.opened()
                self._passed = time.monotonic()
                if self._holds_in_a_row:
                    return await self._ask(fetch)
            return await self._ask(fetch)

    async def opened(self) -> None:
        """Wait until no hold is on; raise ``Abandoned`` if the run closes first."""
        while (left := self._until - time.monotonic()) > 0:
            await self._run.sleep(left)
        self._run.check()

    async def _ask(self, fetch: Callable[[], Awaitable[ApiResponse]]) -> ApiResponse:
        sent = time.monotonic()
        response = await fetch()
        self._learn(response.answer, sent)
        return response

    def _learn(self, answer: Answer, sent: float) -> None:
        if answer.kind is Kind.LIMITED:
            self._limited(answer, sent)
        elif answer.kind is Kind.BLOCKED:
            self._run.stop(BlockedError(f"the API blocks this client: {answer.reason}"))
        elif answer.kind not in _FAULTS and sent >= self._began:
            self._holds_in_a_row = 0

    def _limited(self, answer: Answer, sent: float) -> None:
        if sent < self._began:
            # It was on its way when the hold began: the same limit, which may name a later end.
            self._extend(answer.hold or 0.0, answer.reason)
            return
        self._holds_in_a_row += 1
        if self._holds_in_a_row > self._max_holds:
            holds = f"{self._max_holds} holds in a row without one good answer"
            self._run.stop(BlockedError(f"rate limit: {holds}, last {answer.reason}"))
            return
        seconds = answer.hold or backoff(self._holds_in_a_row, self._base, self._maximum)
        self._begin(seconds, answer.reason)

    def _begin(self, seconds: float, reason: str) -> None:
        self._began = time.monotonic()
        self._until = self._began + seconds
        until = time.time() + seconds
        self._crawler.stats.inc_value(statistics.HOLDS)
        self._count(seconds)
        moment = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        logger.warning("Rate limit: nothing is sent until %s (%.1f s): %s", moment, seconds, reason)
        self._crawler.signals.send_catch_log(hold_started, until=until, reason=reason)

    def _extend(self, seconds: float, reason: str) -> None:
        until = time.monotonic() + seconds
        if until > self._until:
            self._count(until - self._until)
            self._until = until
            self._crawler.signals.send_catch_log(hold_started, until=time.time() + seconds, reason=reason)

    def _count(self, seconds: float) -> None:
        self._held += seconds
        self._crawler.stats.set_value(statistics.HOLD_SECONDS, round(self._held, 3))

    def _delay(self, request: Request) -> float:
        """The delay of the downloader's slot, so that those a hold kept waiting do not leave at once."""
        slot = self._crawler.engine.downloader.slots.get(request.meta.get("download_slot", ""))
        return slot.delay if slot is not None else 0.0
