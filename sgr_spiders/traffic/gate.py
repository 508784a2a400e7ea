"""The gate before the API: rate-limit pauses, and the request rate after them."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from sgr_spiders.model import statistics
from sgr_spiders.model.exceptions import BlockedError
from sgr_spiders.model.signals import hold_started
from sgr_spiders.soundcloud.answers import Answer, Kind
from sgr_spiders.traffic import scrapy_internals
from sgr_spiders.traffic.backoff import backoff
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scrapy import Request
    from scrapy.crawler import Crawler

    from sgr_spiders.traffic.response import ApiResponse

logger = logging.getLogger(__name__)

SENT: Final = "sgr_sent"
"""Meta key of the time (``time.monotonic``) at which a request was last sent."""

SUSPECT: Final = "sgr_suspect"
"""Meta key of a request at whose walk an earlier run stopped: a block may be about that walk only."""

_FAULTS = frozenset({Kind.LIMITED, Kind.RETRY, Kind.DISALLOWED, Kind.BLOCKED})


class Gate:
    """Extension that stops requests to the API during a rate-limit pause and once the run closes.

    It is the last step before the network and reads a 429 before the downloader takes the next request, so
    none is sent in between. After a pause one request is sent alone; the others follow its good response.
    ``Gate.of(crawler)`` returns the gate.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._base = settings.getfloat("RATE_LIMIT_BASE", 5.0)
        self._maximum = settings.getfloat("RATE_LIMIT_MAX", 900.0)
        self._max_holds = settings.getint("RATE_LIMIT_MAX_HOLDS", 8)
        # Without a delay the downloader starts more transfers than CONCURRENT_REQUESTS_PER_DOMAIN: it
        # counts a transfer only when its task starts.
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
        """Return the gate of *crawler*."""
        gate = crawler.get_extension(cls)
        if gate is None:
            raise RuntimeError("setting `EXTENSIONS`: Gate is missing")
        return gate

    @cached_property
    def _run(self) -> RunControl:
        # Extensions can find each other only after Scrapy has created all of them.
        return RunControl.of(self._crawler)

    async def send(self, request: Request, fetch: Callable[[], Awaitable[ApiResponse]]) -> ApiResponse:
        """Call *fetch* for *request* when the gate is open and its turn comes."""
        async with self._places:
            async with self._turn:
                await self.wait_until_open()
                await self._run.sleep(self._passed + self._delay(request) - time.monotonic())
                await self.wait_until_open()
                self._passed = time.monotonic()
                if self._holds_in_a_row:
                    return await self._ask(request, fetch)
            return await self._ask(request, fetch)

    async def wait_until_open(self) -> None:
        """Wait for the end of a rate-limit pause; raise ``Abandoned`` if the run closes first."""
        while (left := self._until - time.monotonic()) > 0:
            await self._run.sleep(left)
        self._run.check()

    def hold(self, seconds: float, reason: str) -> None:
        """Pause all requests for *seconds*, because the API refuses this client."""
        self._holds_in_a_row += 1
        moment = self._begin(seconds, reason)
        logger.warning("Refused: pausing all requests until %s (%.1f s): %s", moment, seconds, reason)

    async def _ask(self, request: Request, fetch: Callable[[], Awaitable[ApiResponse]]) -> ApiResponse:
        sent = request.meta[SENT] = time.monotonic()
        response = await fetch()
        self._learn(response.answer, sent, is_suspect=request.meta.get(SUSPECT, False))
        return response

    def _learn(self, answer: Answer, sent: float, *, is_suspect: bool) -> None:
        if answer.kind is Kind.LIMITED:
            self._pause(answer, sent)
        elif answer.kind is Kind.BLOCKED:
            if is_suspect:
                return
            self._run.stop(BlockedError(f"the API blocks this client: {answer.reason}"))
        elif answer.kind not in _FAULTS and sent >= self._began:
            self._holds_in_a_row = 0

    def _pause(self, answer: Answer, sent: float) -> None:
        if sent < self._began:
            # Sent before the pause began: the same limit, possibly with a later end.
            self._extend(answer.hold or 0.0, answer.reason)
            return
        self._holds_in_a_row += 1
        if self._holds_in_a_row > self._max_holds:
            pauses = f"{self._max_holds} rate-limit pauses in a row without a good response"
            self._run.stop(BlockedError(f"{pauses}, last {answer.reason}"))
            return
        seconds = answer.hold or backoff(self._holds_in_a_row, self._base, self._maximum)
        moment = self._begin(seconds, answer.reason)
        logger.warning(
            "Rate limit: pausing all requests until %s (%.1f s): %s", moment, seconds, answer.reason
        )

    def _begin(self, seconds: float, reason: str) -> str:
        """Begin a pause; return its end as text."""
        self._began = time.monotonic()
        self._until = self._began + seconds
        until = time.time() + seconds
        self._crawler.stats.inc_value(statistics.HOLDS)
        self._count(seconds)
        self._crawler.signals.send_catch_log(hold_started, until=until, reason=reason)
        return datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

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
        # The downloader has applied it already, but requests that wait here would be sent all at once.
        return scrapy_internals.slot_delay(self._crawler, request.meta.get("download_slot", ""))
