"""Authorisation of requests to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sgr_spiders.model.exceptions import HarvestError, UnauthorisedError
from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.traffic.faults import resend
from sgr_spiders.traffic.origin import Origin
from sgr_spiders.traffic.response import ApiResponse
from sgr_spiders.traffic.run_control import Abandoned, RunControl
from sgr_spiders.traffic.token_endpoint import AUTHORISING
from sgr_spiders.traffic.token_keeper import SIGNED_WITH, TokenKeeper

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

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
        if REFUSED in request.meta:
            error = UnauthorisedError(f"the API refuses a new token too: {response.answer.reason}")
            self._run.stop(error)
            raise Abandoned(str(error))
        await self._stop_on_error(self.keeper.replace(request.meta[SIGNED_WITH]))
        return resend(request, **{REFUSED: True})

    async def _stop_on_error(self, step: Awaitable[None]) -> None:
        try:
            await step
        except HarvestError as error:
            self._run.stop(error)
            raise Abandoned(str(error)) from error


def _drop_token(request: Request) -> None:
    """Remove an API token, which only the download handler adds, to its copy; keep other schemes."""
    values = request.headers.getlist("Authorization")
    if any(value.strip().lower().startswith(b"oauth") for value in values):
        del request.headers["Authorization"]
