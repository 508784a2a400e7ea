"""Authorisation of requests to the API."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from sgr_spiders.model.exceptions import HarvestError, UnauthorisedError
from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.traffic.faults import resend
from sgr_spiders.traffic.gate import API_SLOT
from sgr_spiders.traffic.origin import Origin
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import Abandoned, Refused, RunControl
from sgr_spiders.traffic.token_endpoint import AUTHORISING
from sgr_spiders.traffic.token_keeper import SIGNED_WITH, TokenKeeper
from sgr_spiders.traffic.witness import WITNESS, Witness

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

REFUSED: Final = "sgr_refused"
"""Meta key of a request whose last response was 401."""

_ACCEPTED: Final = frozenset({Kind.OK, Kind.FOUND, Kind.GONE, Kind.HIDDEN})


class AuthorisationMiddleware:
    """Downloader middleware that ensures a token for each API request, and a new one after a 401.

    The download handler adds the token. This middleware removes a token that a request already has.
    """

    def __init__(self, crawler: Crawler, keeper: TokenKeeper) -> None:
        self.keeper = keeper
        self._api = Origin.required(crawler.settings["SOUNDCLOUD_API_URL"], "SOUNDCLOUD_API_URL")
        self._run = RunControl.of(crawler)
        self._witness = Witness.of(crawler)
        self._has_given_up = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> AuthorisationMiddleware:
        return cls(crawler, TokenKeeper(crawler))

    async def process_request(self, request: Request) -> None:
        self._run.check()
        if AUTHORISING in request.meta:
            return
        _drop_token(request)
        if self._api.covers(request.url):
            request.meta["download_slot"] = API_SLOT
            if self._api.scheme == "http":
                # A proxy could read the token; with https it sees only a tunnel.
                request.meta["proxy"] = None
            await self._stop_on_error(self.keeper.ensure_token())

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        if not isinstance(response, ApiResponse):
            return response
        if response.answer.kind is not Kind.UNAUTHORISED:
            request.meta.pop(REFUSED, None)
            if response.answer.kind in _ACCEPTED:
                self.keeper.note_accepted(request.meta[SIGNED_WITH])
            return response
        self._run.check()
        is_final = REFUSED in request.meta or self.keeper.is_given
        if WITNESS in request.meta:
            if is_final:
                return response
        elif (is_final or self._has_given_up) and await self._witness.vouches():
            return self._give_up(request, response)
        if REFUSED in request.meta:
            error = UnauthorisedError(f"the API refuses a new token too: {response.answer.reason}")
            self._run.stop(error)
            raise Refused(str(error))
        await self._stop_on_error(self.keeper.replace(request.meta[SIGNED_WITH]), Refused)
        return resend(request, **{REFUSED: True})

    def _give_up(self, request: Request, response: ApiResponse) -> Request | Response:
        """Return the response, because the token is good, unless the token has changed since."""
        if not self.keeper.is_current(request.meta[SIGNED_WITH]):
            return resend(request)
        self._has_given_up = True
        logger.warning("Giving up on %s: %s; other requests succeed", request, response.answer.reason)
        return response

    async def _stop_on_error(self, step: Awaitable[None], ended: type[Abandoned] = Abandoned) -> None:
        try:
            await step
        except HarvestError as error:
            self._run.stop(error)
            raise ended(str(error)) from error


def _drop_token(request: Request) -> None:
    """Remove an API token, which only the download handler adds, to its copy; keep other schemes."""
    values = request.headers.getlist("Authorization")
    if any(value.strip().lower().startswith(b"oauth") for value in values):
        del request.headers["Authorization"]
