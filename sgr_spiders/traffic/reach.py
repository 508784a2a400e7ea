"""Detection of outages: whether the API can be reached at all."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Final

from scrapy.utils.misc import load_object

from sgr_spiders.model import statistics
from sgr_spiders.model.exceptions import UnreachableError
from sgr_spiders.model.signals import hold_started
from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.text.formatting import duration
from sgr_spiders.traffic.backoff import backoff
from sgr_spiders.traffic.causes import Cause, cause_in, cause_of
from sgr_spiders.traffic.diagnosis import diagnose
from sgr_spiders.traffic.extension import Extension
from sgr_spiders.traffic.gate import SENT, Gate
from sgr_spiders.traffic.run_control import RunControl
from sgr_spiders.traffic.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scrapy import Request
    from scrapy.crawler import Crawler

    from sgr_spiders.traffic.response import ApiResponse

    Send = Callable[[Request], Awaitable[ApiResponse]]

logger = logging.getLogger(__name__)

PROBE_TIMEOUT: Final = 15.0
"""Seconds until a probe times out: it requests what the API has answered before."""

SETTING: Final = "SOUNDCLOUD_API_URL"


class Reach(Extension):
    """Extension that tells an outage from a request that fails by itself.

    After ``OUTAGE_AFTER`` failures in a row it sends a probe: the first request that the API answered in
    this run or, if there is none, one for a record known to be good from an earlier run. If that fails as
    well, nothing answers: all requests wait, the probe is repeated at growing intervals, and after
    ``OUTAGE_PROBES`` the run ends as unreachable, with all walks pending. Before the first response of a
    run, one failure is enough, and ``OUTAGE_PROBES_AT_START`` end the run. A request that failed in an
    outage is sent again when the outage is over; this is not one of its retries.

    ``Reach.of(crawler)`` returns it.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._api: str = settings[SETTING].rstrip("/")
        self._after = settings.getint("OUTAGE_AFTER", 3)
        self._probes = settings.getint("OUTAGE_PROBES", 10)
        self._probes_at_start = settings.getint("OUTAGE_PROBES_AT_START", 4)
        self._wait = (settings.getfloat("BACKOFF_BASE", 1.0), settings.getfloat("BACKOFF_MAX", 60.0))
        self._faults = tuple(load_object(name) for name in settings.getlist("RETRY_EXCEPTIONS"))
        self._failures = 0
        self._answered_at = -inf
        self._known: Request | None = None
        self._outages = 0
        self._ended_at = -inf
        self._seconds = 0.0
        self._probing = asyncio.Lock()
        self._over = asyncio.Event()
        self._over.set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Reach:
        return cls(crawler)

    @property
    def has_answered(self) -> bool:
        """True if the API has answered in this run."""
        return self._answered_at > -inf

    @property
    def patience(self) -> int:
        """The number of probes before the run ends."""
        return self._probes if self.has_answered else self._probes_at_start

    async def send(self, request: Request, send: Send, probe: Send) -> ApiResponse:
        """Call *send* for *request*, again after an outage; *probe* sends past the queue.

        A failure that is not part of an outage is returned or raised as it is.
        """
        while True:
            try:
                response = await send(request)
            except self._faults as error:
                if not await self._is_outage(cause_of(error, request, SETTING), request, probe):
                    raise
            else:
                cause = cause_in(response, SETTING)
                if cause is None:
                    self._note_answer(request, response)
                if cause is None or not await self._is_outage(cause, request, probe):
                    return response

    async def wait_until_over(self, request: Request) -> None:
        """Let *request* wait for the end of an outage; raise ``Abandoned`` if the run ends with it."""
        if not self._over.is_set():
            await self._over.wait()
            self._run.check()
            await Gate.of(self._crawler).pass_by(request)
        self._run.check()

    @cached_property
    def _run(self) -> RunControl:
        # Extensions can find each other only after Scrapy has created all of them.
        return RunControl.of(self._crawler)

    def _note_answer(self, request: Request, response: ApiResponse) -> None:
        self._answered_at = time.monotonic()
        self._failures = 0
        if self._known is None and response.answer.kind is Kind.OK:
            self._known = request

    async def _is_outage(self, cause: Cause, request: Request, probe: Send) -> bool:
        """Return whether *request* failed because nothing answers, after the end of that outage."""
        self._run.check()
        if not self._after:
            return False
        self._failures += 1
        if cause.is_lasting and not self.has_answered:
            self._stop(await diagnose(cause, request))
        if self.has_answered and self._failures < self._after and self._over.is_set():
            return False
        async with self._probing:
            self._run.check()
            sent_at: float = request.meta[SENT]
            if self._ended_at > sent_at or self._answered_at > sent_at:
                return self._ended_at > sent_at
            return await self._survive(cause, request, probe)

    async def _survive(self, cause: Cause, request: Request, send: Send) -> bool:
        """Probe until the API answers, or end the run; return whether there was an outage."""
        probe = await self._probe_instead_of(request)
        found = await self._try(probe, send) if self.has_answered or probe.url != request.url else cause
        if found is None:
            return False
        self._over.clear()
        try:
            await self._wait_out(await diagnose(found, probe), probe, send)
        finally:
            self._ended_at = time.monotonic()
            self._over.set()
        return True

    async def _wait_out(self, cause: Cause, probe: Request, send: Send) -> None:
        began = time.monotonic()
        self._outages += 1
        self._crawler.stats.set_value(statistics.OUTAGES, self._outages)
        logger.warning(
            "Cannot reach the API at %s: %s; pausing all requests, trying up to %d times more",
            self._api, cause.describe(), self.patience,
        )  # fmt: skip
        try:
            for attempt in range(1, self.patience + 1):
                seconds = backoff(attempt, *self._wait)
                self._crawler.signals.send_catch_log(
                    hold_started, until=time.time() + seconds, reason=cause.text
                )
                await self._run.sleep(seconds)
                found = await self._try(probe, send)
                if found is None:
                    logger.info("The API answers again after %s", duration(time.monotonic() - began))
                    return
        finally:
            self._seconds += time.monotonic() - began
            self._crawler.stats.set_value(statistics.OUTAGE_SECONDS, round(self._seconds, 3))
        self._stop(cause, f" ({self.patience} more tries in {duration(time.monotonic() - began)})")

    async def _try(self, probe: Request, send: Send) -> Cause | None:
        """Send the probe; return the cause if it gets no response of the API."""
        probe = probe.copy()
        await Gate.of(self._crawler).pass_by(probe)
        self._crawler.stats.inc_value(statistics.PROBES)
        try:
            response = await send(probe)
        except self._faults as error:
            return cause_of(error, probe, SETTING)
        cause = cause_in(response, SETTING)
        if cause is None:
            self._note_answer(probe, response)
        return cause

    async def _probe_instead_of(self, request: Request) -> Request:
        """Return a request that is independent of *request*, if one is known."""
        probe = self._known
        if probe is None:
            url = await Witness.of(self._crawler).best_url()
            # A copy has the headers and the proxy that the middlewares have set.
            probe = request.replace(url=url or request.url)
        timeout = min(PROBE_TIMEOUT, probe.meta.get("download_timeout", PROBE_TIMEOUT))
        return probe.replace(meta={**probe.meta, "download_timeout": timeout})

    def _stop(self, cause: Cause, note: str = "") -> None:
        self._run.stop(UnreachableError(f"cannot reach the API at {self._api}: {cause.describe(note)}"))
        self._run.check()
