"""Requests to the token endpoint."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from scrapy import Request
from scrapy.exceptions import DownloadCancelledError
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.misc import load_object

from sgr_spiders.model.exceptions import UnauthorisedError, UnreachableError
from sgr_spiders.soundcloud.tokens import QUOTA, TokenFaultError, TokenLimitedError, parse_token_answer
from sgr_spiders.traffic.backoff import backoff
from sgr_spiders.traffic.causes import Cause, cause_of
from sgr_spiders.traffic.diagnosis import diagnose
from sgr_spiders.traffic.gate import Gate
from sgr_spiders.traffic.reach import Reach
from sgr_spiders.traffic.response import header_fields
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from sgr_spiders.soundcloud.tokens import Token, TokenRequest
    from sgr_spiders.traffic.lanes import Lane

logger = logging.getLogger(__name__)

AUTHORISING: Final = "sgr_authorising"
"""Meta key of a request to the token endpoint, which no middleware of this project changes."""

AUTHORISING_SLOT: Final = "sgr-authorising"
"""Its download slot: a token request must not queue behind the requests that wait for the token."""

MAX_SIZE: Final = 1 << 20
"""The size limit of a token response in bytes; it has a few hundred."""

SETTING: Final = "SOUNDCLOUD_TOKEN_URL"


class TokenEndpoint:
    """Client of the token endpoint for one lane.

    It makes ``TOKEN_TRIES`` tries at transient errors and rate limits. If the endpoint cannot be reached
    during a run, it gets as many tries as the API itself.
    """

    def __init__(self, crawler: Crawler, lane: Lane) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._lane = lane
        self._gate = Gate.of(crawler)
        self._reach = Reach.of(crawler)
        self._run = RunControl.of(crawler)
        self._tries = settings.getint("TOKEN_TRIES", 5)
        self._fault_wait = (settings.getfloat("BACKOFF_BASE", 1.0), settings.getfloat("BACKOFF_MAX", 60.0))
        self._limit_wait = (
            settings.getfloat("RATE_LIMIT_BASE", 5.0),
            settings.getfloat("RATE_LIMIT_MAX", 900.0),
        )
        faults = [load_object(name) for name in settings.getlist("RETRY_EXCEPTIONS")]
        self._faults = (*faults, DownloadCancelledError)

    async def ask(self, token_request: TokenRequest) -> Token:
        """Send *token_request* and return the token.

        Raises:
            RefusedGrantError: The endpoint refuses the grant.
            HarvestError: The endpoint blocks this client, refuses it, or fails in every try.
        """
        attempt = 0
        while True:
            attempt += 1
            # A token is useless during a rate-limit pause of the API.
            await self._gate.wait_until_open(self._lane)
            request = _as_request(token_request)
            try:
                return await self._send(request)
            except TokenLimitedError as error:
                wait = error.hold or backoff(attempt, *self._limit_wait)
                await self._wait_or_refuse(attempt, str(error), wait)
            except TokenFaultError as error:
                cause = Cause(str(error), (SETTING,), is_lasting=error.is_lasting)
                await self._wait_or_stop(attempt, cause, request)
            except self._faults as error:
                await self._wait_or_stop(attempt, cause_of(error, request, SETTING), request)

    async def _send(self, request: Request) -> Token:
        response = await self._crawler.engine.download_async(request)
        return parse_token_answer(response.status, header_fields(response), response.body, now=time.time())

    async def _wait_or_refuse(self, attempt: int, problem: str, seconds: float) -> None:
        if attempt >= self._tries:
            note = f"{problem} (documented quota: {QUOTA})"
            raise UnauthorisedError(f"token endpoint: no token after {attempt} tries: {note}")
        await self._pause(problem, seconds)

    async def _wait_or_stop(self, attempt: int, cause: Cause, request: Request) -> None:
        """Wait for the next try, or raise ``UnreachableError`` if there is none."""
        has_answered = self._reach.has_answered
        tries = max(self._tries, self._reach.patience) if has_answered else self._tries
        if attempt in {1, tries}:
            # It opens a connection of its own, so not for every try.
            cause = await diagnose(cause, request)
        if (cause.is_lasting and not has_answered) or attempt >= tries:
            note = f" ({attempt} tries)" if attempt > 1 else ""
            raise UnreachableError(f"no token from {request.url}: {cause.describe(note)}")
        await self._pause(cause.text, backoff(attempt, *self._fault_wait))

    async def _pause(self, problem: str, seconds: float) -> None:
        logger.warning("Token endpoint: %s; retrying in %.1f s", problem, seconds)
        await self._run.sleep(seconds)


def _as_request(token_request: TokenRequest) -> Request:
    meta: dict[str, object] = {
        AUTHORISING: True,
        "download_slot": AUTHORISING_SLOT,
        "download_maxsize": MAX_SIZE,
        "autothrottle_dont_adjust_delay": True,
        "dont_obey_robotstxt": True,
        "dont_redirect": True,
        "dont_retry": True,
        "dont_cache": True,
    }
    if token_request.url.startswith("http:"):
        # A proxy could read the credentials; with https it sees only a tunnel.
        meta["proxy"] = None
    headers = {**token_request.headers, "Accept-Encoding": "identity"}
    return Request(
        token_request.url,
        method="POST",
        headers=headers,
        body=token_request.body,
        meta=meta,
        callback=NO_CALLBACK,
    )
