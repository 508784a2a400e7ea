"""Refusals by the gateway or the edge: about this client, or about one request only."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sgr_spiders.model import statistics
from sgr_spiders.model.exceptions import BlockedError
from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.traffic.backoff import backoff
from sgr_spiders.traffic.faults import resend
from sgr_spiders.traffic.gate import SENT, Gate
from sgr_spiders.traffic.lanes import Lanes
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import Refused, RunControl
from sgr_spiders.traffic.witness import WITNESS, Witness

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from sgr_spiders.traffic.lanes import Lane

logger = logging.getLogger(__name__)

_GOOD: Final = frozenset({Kind.OK, Kind.FOUND})

WHAT_TO_CHECK: Final = "check the app's key, plan and quota, then rerun"


@dataclass(slots=True)
class _Refusals:
    """The refusals of one lane: the judging of one at a time, and its holds since the last good response."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    holds_in_a_row: int = 0
    held_at: float = 0.0


class RefusalMiddleware:
    """Downloader middleware that finds out whom a refusal is about.

    While a record known to be good is refused too, it holds all requests of the lane; after
    ``DISALLOWED_RETRY_TIMES`` holds in a row the lane is out of use. If that record is answered well, it
    resends the refused request later, and gives it up after as many tries; once one was given up, later ones
    are not resent.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        base = settings.getfloat("DISALLOWED_BACKOFF_BASE", 15.0)
        self._crawler = crawler
        self._times = settings.getint("DISALLOWED_RETRY_TIMES", 3)
        self._wait = (base, 10 * base)
        self._run = RunControl.of(crawler)
        self._gate = Gate.of(crawler)
        self._lanes = Lanes.of(crawler)
        self._witness = Witness.of(crawler)
        self._refusals = {lane: _Refusals() for lane in self._lanes.all}
        self._has_given_up = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RefusalMiddleware:
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        if not isinstance(response, ApiResponse):
            return response
        kind, reason = response.answer.kind, response.answer.reason
        lane = self._lanes.of_request(request)
        refusals = self._refusals[lane]
        if kind in _GOOD:
            refusals.holds_in_a_row = 0
        elif kind is Kind.BLOCKED:
            return await self._judge_block(lane, response)
        elif kind is Kind.DISALLOWED and WITNESS not in request.meta:
            async with refusals.turn:
                is_about_client = await self._is_about_client(lane, request, reason)
            self._run.check()
            return resend(request) if is_about_client else await self._retry_slowly(request, response)
        return response

    async def _judge_block(self, lane: Lane, response: ApiResponse) -> Response:
        """Return the response if the block is about this request only, else stop the run.

        The gate has stopped it already, unless an earlier run stopped at the same walk.
        """
        if not self._run.closing and await self._witness.vouches(lane):
            return response
        self._run.stop(BlockedError(f"the API blocks this client: {response.answer.reason}"))
        raise Refused(response.answer.reason)

    async def _is_about_client(self, lane: Lane, request: Request, reason: str) -> bool:
        """Hold the requests of *lane* while the API refuses its key; return whether it did.

        Without a record known to be good, or with another lane, the refused request is to be resent after
        one hold has begun.
        """
        if not lane.is_usable or request.meta[SENT] < self._refusals[lane].held_at:
            return True
        held = False
        while (vouches := await self._witness.vouches(lane)) is not True:
            self._hold(lane, reason)
            held = True
            if len(self._lanes.usable) > 1 or not lane.is_usable:
                break
            await self._gate.wait_until_open(lane)
            if vouches is None:
                break
        return held

    def _hold(self, lane: Lane, reason: str) -> None:
        """Hold the requests of *lane*, or take it out of use after too many holds."""
        self._run.check()
        refusals = self._refusals[lane]
        if refusals.holds_in_a_row >= self._times:
            times = f"{self._times + 1} times in a row"
            error = BlockedError(f"the API's gateway refuses this client, {times}: {reason}; {WHAT_TO_CHECK}")
            self._lanes.lose(lane, error)
            if self._run.closing:
                raise Refused(reason)
            self._gate.wake()
            return
        refusals.holds_in_a_row += 1
        refusals.held_at = time.monotonic()
        self._gate.hold(lane, backoff(refusals.holds_in_a_row, *self._wait), reason)

    async def _retry_slowly(self, request: Request, response: ApiResponse) -> Request | Response:
        reason = response.answer.reason
        times = request.meta.get("disallowed_times", 0) + 1
        if times > self._times or self._has_given_up:
            self._has_given_up = True
            self._crawler.stats.inc_value(statistics.RETRIES_GIVEN_UP)
            logger.warning(
                "Giving up on %s after %d tries: %s; other requests succeed", request, times, reason
            )
            return response
        seconds = backoff(times, *self._wait)
        self._crawler.stats.inc_value(statistics.RETRIES)
        logger.info("Retrying %s in %.1f s: %s", request, seconds, reason)
        await self._run.sleep(seconds)
        return resend(request, disallowed_times=times)
