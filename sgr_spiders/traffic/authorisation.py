"""Authorisation of requests to the API."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from sgr_spiders.model.exceptions import HarvestError, UnauthorisedError
from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.traffic.faults import resend
from sgr_spiders.traffic.gate import API_SLOT, Gate
from sgr_spiders.traffic.lanes import Lanes
from sgr_spiders.traffic.origin import Origin
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import Refused, RunControl
from sgr_spiders.traffic.token_endpoint import AUTHORISING
from sgr_spiders.traffic.token_keeper import SIGNED_WITH, TokenKeeper
from sgr_spiders.traffic.witness import WITNESS, Witness

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from sgr_spiders.traffic.lanes import Lane

logger = logging.getLogger(__name__)

REFUSED: Final = "sgr_refused"
"""Meta key of the names of the lanes whose token the API has refused for a request, most recently."""

_ACCEPTED: Final = frozenset({Kind.OK, Kind.FOUND, Kind.GONE, Kind.HIDDEN})


class AuthorisationMiddleware:
    """Downloader middleware that gets a new token after a 401, and removes a token that a request has.

    The gate gets the first token of a lane, and the download handler adds it.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._api = Origin.required(crawler.settings["SOUNDCLOUD_API_URL"], "SOUNDCLOUD_API_URL")
        self._run = RunControl.of(crawler)
        self._gate = Gate.of(crawler)
        self._lanes = Lanes.of(crawler)
        self._witness = Witness.of(crawler)
        self._has_given_up = False
        for lane in self._lanes.all:
            lane.keeper = TokenKeeper(crawler, lane)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> AuthorisationMiddleware:
        return cls(crawler)

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

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        if not isinstance(response, ApiResponse):
            return response
        lane = self._lanes.of_request(request)
        if response.answer.kind is not Kind.UNAUTHORISED:
            request.meta.pop(REFUSED, None)
            if response.answer.kind in _ACCEPTED:
                lane.keeper.note_accepted(request.meta[SIGNED_WITH])
            return response
        self._run.check()
        is_final = lane.name in request.meta.get(REFUSED, ()) or lane.keeper.is_given
        if WITNESS in request.meta:
            if is_final:
                return response
        elif (is_final or self._has_given_up) and await self._witness.vouches(lane):
            return self._give_up(lane, request, response)
        return await self._retry(lane, request, response)

    async def _retry(self, lane: Lane, request: Request, response: ApiResponse) -> Request | Response:
        """Return the request for another try: with a new token, or on another lane if there is none."""
        refused = request.meta.get(REFUSED, ())
        try:
            if lane.name in refused:
                raise UnauthorisedError(f"the API refuses a new token too: {response.answer.reason}")
            await lane.keeper.replace(request.meta[SIGNED_WITH])
        except HarvestError as error:
            self._gate.note_failed(lane, error)
            if self._run.closing:
                raise Refused(str(error)) from error
            return response if WITNESS in request.meta else resend(request)
        finally:
            self._gate.wake()
        return resend(request, **{REFUSED: (*refused, lane.name)})

    def _give_up(self, lane: Lane, request: Request, response: ApiResponse) -> Request | Response:
        """Return the response, because the token is good, unless the token has changed since."""
        if not lane.keeper.is_current(request.meta[SIGNED_WITH]):
            return resend(request)
        self._has_given_up = True
        logger.warning("Giving up on %s: %s; other requests succeed", request, response.answer.reason)
        return response


def _drop_token(request: Request) -> None:
    """Remove an API token, which only the download handler adds, to its copy; keep other schemes."""
    values = request.headers.getlist("Authorization")
    if any(value.strip().lower().startswith(b"oauth") for value in values):
        del request.headers["Authorization"]
