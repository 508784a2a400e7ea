"""The gate before the API: each request passes when the pace allows it."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Final

from sgr_spiders.model import statistics
from sgr_spiders.model.exceptions import BlockedError
from sgr_spiders.model.signals import hold_started, rate_learned
from sgr_spiders.soundcloud.answers import Answer, Kind
from sgr_spiders.traffic.extension import Extension
from sgr_spiders.traffic.latency_delay import LatencyDelay
from sgr_spiders.traffic.pace import Pace
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scrapy import Request
    from scrapy.crawler import Crawler

    from sgr_spiders.traffic.response import ApiResponse

logger = logging.getLogger(__name__)

API_SLOT = "sgr-api"
"""The download slot of requests to the API. It has no delay, because the pace decides when they are sent."""

NOTICEABLE = 1.25
"""The ratio of two request rates from which on the difference is logged and stored."""

REACTION: Final = 20
"""Rounds of the event loop in which the middlewares have seen a response."""

SENT: Final = "sgr_sent"
"""Meta key of the time (``time.monotonic``) at which a request was last sent."""

SUSPECT: Final = "sgr_suspect"
"""Meta key of a request at whose walk an earlier run stopped: a block may be about that walk only."""

_FAULTS = frozenset({Kind.LIMITED, Kind.RETRY, Kind.DISALLOWED, Kind.BLOCKED})
_UNDELAYED = frozenset({Kind.OK, Kind.FOUND, Kind.GONE, Kind.HIDDEN})


class Gate(Extension):
    """Extension that sends the requests to the API one after the other, when the ``pace`` allows it.

    It is the last step before the network and reads a 429 before the downloader takes the next request, so
    none is sent in between. After a pause one request is sent alone; the others follow its good response.
    ``Gate.of(crawler)`` returns the gate.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self.pace = Pace(
            settings.getfloat("DOWNLOAD_DELAY"),
            LatencyDelay.from_settings(settings),
            (settings.getfloat("RATE_LIMIT_BASE", 5.0), settings.getfloat("RATE_LIMIT_MAX", 900.0)),
        )
        self.in_flight = 0
        """Requests that were sent and have no response yet."""
        self._max_holds = settings.getint("RATE_LIMIT_MAX_HOLDS", 8)
        # Without a delay the downloader starts more transfers than CONCURRENT_REQUESTS_PER_DOMAIN: it
        # counts a transfer only when its task starts.
        self._places = asyncio.Semaphore(settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"))
        self._turn = asyncio.Lock()
        self._known_rate: float | None = None
        self._held = 0.0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Gate:
        return cls(crawler)

    @cached_property
    def _run(self) -> RunControl:
        # Extensions can find each other only after Scrapy has created all of them.
        return RunControl.of(self._crawler)

    def resume_rate(self, interval: float, age: float) -> None:
        """Start with the *interval* between requests that an earlier run learned *age* seconds ago."""
        self.pace.rate.resume(interval, age)
        self._known_rate = self.pace.rate.value

    async def send(self, request: Request, fetch: Callable[[], Awaitable[ApiResponse]]) -> ApiResponse:
        """Call *fetch* for *request* when its turn comes and the pace allows it."""
        async with self._places:
            async with self._turn:
                await self._let_middlewares_react()
                await self._wait_until(lambda: self.pace.next_at)
                self.pace.note_sent(time.monotonic())
                if self.pace.is_probing:
                    return await self._ask(request, fetch)
            return await self._ask(request, fetch)

    async def pass_by(self) -> None:
        """Wait until the pace allows a request that is sent past the queue."""
        await self._wait_until(lambda: self.pace.next_at)
        self.pace.note_sent(time.monotonic())

    async def _let_middlewares_react(self) -> None:
        """After a refusal, give the middlewares time to begin the next pause because of the last response."""
        if self.pace.is_probing:
            for _ in range(REACTION):
                await asyncio.sleep(0)

    async def wait_until_open(self) -> None:
        """Wait for the end of a pause; raise ``Abandoned`` if the run closes first."""
        await self._wait_until(lambda: self.pace.open_at)

    def hold(self, seconds: float, reason: str) -> None:
        """Pause all requests for *seconds*, because the API refuses this client."""
        before = self.pace.open_at
        self.pace.hold(time.monotonic(), seconds)
        moment, seconds = self._begin(before, reason)
        logger.warning("Refused: pausing all requests until %s (%.1f s): %s", moment, seconds, reason)

    def end_pause(self) -> None:
        """Count only the part of a pause that has passed, because the run ends."""
        left = self.pace.open_at - time.monotonic()
        if left > 0:
            self._count_held(-left)

    async def _wait_until(self, moment: Callable[[], float]) -> None:
        # A pause may begin or become longer meanwhile.
        while (left := moment() - time.monotonic()) > 0:
            await self._run.sleep(left)
        self._run.check()

    async def _ask(self, request: Request, fetch: Callable[[], Awaitable[ApiResponse]]) -> ApiResponse:
        sent_at = request.meta[SENT] = time.monotonic()
        self.in_flight += 1
        try:
            response = await fetch()
        finally:
            self.in_flight -= 1
        self._learn(response.answer, sent_at, is_suspect=request.meta.get(SUSPECT, False))
        self._learn_latency(request, response)
        return response

    def _learn(self, answer: Answer, sent_at: float, *, is_suspect: bool) -> None:
        if answer.kind is Kind.LIMITED:
            self._slow_down(answer, sent_at)
        elif answer.kind is Kind.BLOCKED:
            if is_suspect:
                return
            self._run.stop(BlockedError(f"the API blocks this client: {answer.reason}"))
        elif answer.kind not in _FAULTS:
            self.pace.note_passed(sent_at, time.monotonic())
            self._report_rate()
            if answer.hold is not None:
                self._pause(answer.hold, "no requests are left until then")

    def _learn_latency(self, request: Request, response: ApiResponse) -> None:
        latency = request.meta.get("download_latency")
        # A refusal or an empty 200 is fast and does not indicate the API's load. Of all errors, only a
        # server error may make requests slower, by the time it took.
        if latency is not None and (response.answer.kind in _UNDELAYED or response.status >= 500):
            self.pace.latency.note(latency, may_fall=response.status == 200)

    def _slow_down(self, answer: Answer, sent_at: float) -> None:
        before, now = self.pace.open_at, time.monotonic()
        begins = self.pace.note_refused(sent_at, now, answer.hold)
        if self.pace.pauses_in_a_row > self._max_holds:
            pauses = f"{self._max_holds} rate-limit pauses in a row without a good response"
            self._run.stop(BlockedError(f"{pauses}, last {answer.reason}"))
        elif begins:
            self._announce(before, answer.reason)
        else:
            self._extend(before, answer.reason)

    def _pause(self, seconds: float, reason: str) -> None:
        before = self.pace.open_at
        self.pace.pause(time.monotonic(), seconds)
        self._announce(before, reason)

    def _announce(self, before: float, reason: str) -> None:
        """Log and count a rate-limit pause that has begun."""
        moment, seconds = self._begin(before, reason)
        logger.warning("Rate limit: pausing all requests until %s (%.1f s): %s", moment, seconds, reason)

    def _begin(self, before: float, reason: str) -> tuple[str, float]:
        """Count a pause that has begun, and return its end as text, and its length."""
        self._crawler.stats.inc_value(statistics.HOLDS)
        self._extend(before, reason)
        seconds = self.pace.open_at - time.monotonic()
        moment = datetime.fromtimestamp(time.time() + seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return moment, seconds

    def _extend(self, before: float, reason: str) -> None:
        """Count and signal the pause beyond *before*, its previous end."""
        now = time.monotonic()
        longer = self.pace.open_at - max(before, now)
        if longer > 0:
            self._count_held(longer)
            until = time.time() + self.pace.open_at - now
            self._crawler.signals.send_catch_log(hold_started, until=until, reason=reason)

    def _count_held(self, seconds: float) -> None:
        self._held += seconds
        self._crawler.stats.set_value(statistics.HOLD_SECONDS, round(self._held, 3))

    def _report_rate(self) -> None:
        """Log and signal the learned rate if it differs noticeably from the one reported last."""
        rate, known = self.pace.rate.value or inf, self._known_rate or inf
        if rate == known or 1 / NOTICEABLE < rate / known < NOTICEABLE:
            return
        self._known_rate = self.pace.rate.value
        word = "Lowered" if rate < known else "Raised"
        logger.info(
            "%s the request rate to one every %.2f s, learned from rate limits", word, self.pace.interval
        )
        self._crawler.signals.send_catch_log(rate_learned)
