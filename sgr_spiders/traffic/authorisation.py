"""Authorisation of requests to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sgr_spiders.model.exceptions import HarvestError, UnauthorisedError
from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.traffic.abandoned import Abandoned
from sgr_spiders.traffic.origin import Origin
from sgr_spiders.traffic.resend import again
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import RunControl
from sgr_spiders.traffic.token_endpoint import AUTHORISING
from sgr_spiders.traffic.token_keeper import SIGNED_WITH, TokenKeeper

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

REFUSED: Final = "sgr_refused"
"""The meta key that marks a request whose last answer was 401."""

_TAKEN: Final = frozenset({Kind.OK, Kind.FOUND, Kind.GONE, Kind.HIDDEN})


class AuthorisationMiddleware:
    """Has a token ready for every request to the API, and a new one when the API refuses it.

    The handler puts the token on; here a request only loses what it must not carry.
    """

    def __init__(self, crawler: Crawler, keeper: TokenKeeper) -> None:
        self.keeper = keeper
        self._api = Origin.required(crawler.settings["SOUNDCLOUD_API_URL"], "SOUNDCLOUD_API_URL")
        self._run = RunControl.of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> AuthorisationMiddleware:
        return cls(crawler, TokenKeeper(crawler))

    async def process_request(self, request: Request) -> None:
        self._run.check()
        if AUTHORISING in request.meta:
            return
        _drop_token(request)
        if self._api.covers(request.url):
            if self._api.scheme == "http":
                # A proxy would read the token; through https it only sees a tunnel.
                request.meta["proxy"] = None
            await self._or_stop(self.keeper.ready())

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        if not isinstance(response, ApiResponse):
            return response
        if response.answer.kind is not Kind.UNAUTHORISED:
            request.meta.pop(REFUSED, None)
            if response.answer.kind in _TAKEN:
                self.keeper.accepted(request.meta[SIGNED_WITH])
            return response
        self._run.check()
        if REFUSED in request.meta:
            error = UnauthorisedError(f"the API refuses a new token too: {response.answer.reason}")
            self._run.stop(error)
            raise Abandoned(str(error))
        await self._or_stop(self.keeper.replace(request.meta[SIGNED_WITH]))
        return again(request, **{REFUSED: True})

    async def _or_stop(self, step: Awaitable[None]) -> None:
        try:
            await step
        except HarvestError as error:
            self._run.stop(error)
            raise Abandoned(str(error)) from error


def _drop_token(request: Request) -> None:
    """Only the handler authorises, on its copy. Other schemes, such as a proxy's own, may stay."""
    values = request.headers.getlist("Authorization")
    if any(value.strip().lower().startswith(b"oauth") for value in values):
        del request.headers["Authorization"]
