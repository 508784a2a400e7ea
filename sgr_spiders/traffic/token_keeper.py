"""The access token of a lane."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from filelock import Timeout

from sgr_spiders.model import statistics
from sgr_spiders.model.exceptions import HarvestError, StorageError, TokenEndedError, UnauthorisedError
from sgr_spiders.soundcloud.tokens import (
    CHECK_APP,
    UNSUPPORTED,
    RefusedGrantError,
    Token,
    TokenCache,
    exchange_request,
    exchange_request_in_body,
    refresh_request,
)
from sgr_spiders.text.formatting import duration
from sgr_spiders.traffic.inflate import ACCEPTED
from sgr_spiders.traffic.run_control import RunControl
from sgr_spiders.traffic.token_endpoint import TokenEndpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy import Request
    from scrapy.crawler import Crawler

    from sgr_spiders.traffic.lanes import Lane

logger = logging.getLogger(__name__)

SIGNED_WITH: Final = "sgr_signed_with"
"""Meta key of the serial number (from 1) of the token that a request was last sent with."""

LOCK_POLL: Final = 0.1
"""Seconds between two tries for the lock on the token cache while another process holds it."""

MAX_NEVER_ACCEPTED: Final = 1
"""The number of consecutive tokens that the API may refuse before the run stops. Each request is sent at
most twice, but many requests could exhaust the quota of tokens."""


class TokenKeeper:
    """The current token of *lane* and its renewal, one at a time within a process and between processes."""

    def __init__(self, crawler: Crawler, lane: Lane) -> None:
        self._stats = crawler.stats
        self._run = RunControl.of(crawler)
        self._lane = lane
        self._credentials = lane.credentials
        self._url: str = crawler.settings["SOUNDCLOUD_TOKEN_URL"]
        self._cache = TokenCache(self._url, self._credentials.client_id)
        self._endpoint = TokenEndpoint(crawler, lane)
        self._turn = asyncio.Lock()
        self._token: Token | None = None
        self._serial = 0
        self._never_accepted = 0
        self._accepted_since: float | None = None
        self._has_locks = True
        if self._credentials.access_token:
            now = time.time()
            self._take(Token(self._credentials.access_token, None, float("inf"), now))

    async def ensure_token(self) -> None:
        """Get a token, unless the current one does not expire soon."""
        async with self._turn:
            if not self.is_fresh:
                await self._renew(refused=None)

    async def replace(self, serial: int) -> None:
        """Get a new token because the API refuses token number *serial*, unless it was replaced already."""
        if self._credentials.access_token:
            raise self._ended()
        async with self._turn:
            if serial != self._serial:
                return
            self._never_accepted += 1
            if self._never_accepted > MAX_NEVER_ACCEPTED:
                raise UnauthorisedError("the API refuses a new token too (HTTP 401)")
            await self._renew(refused=self._token)

    def note_accepted(self, serial: int) -> None:
        """Record that the API accepted token number *serial*."""
        if serial == self._serial:
            self._never_accepted = 0
            self._accepted_since = self._accepted_since or time.monotonic()

    @property
    def is_given(self) -> bool:
        """True if the token is a given access token, which cannot be renewed."""
        return bool(self._credentials.access_token)

    @property
    def is_fresh(self) -> bool:
        """True if there is a token that does not expire soon."""
        return self._token is not None and self._token.is_fresh(time.time())

    @property
    def is_renewing(self) -> bool:
        """True during a renewal, when the API would refuse a request with the old token."""
        return self._turn.locked()

    @property
    def was_accepted(self) -> bool:
        """True once the API has accepted a token in this run."""
        return self._accepted_since is not None

    def is_current(self, serial: int) -> bool:
        """Return whether token number *serial* is still in use."""
        return serial == self._serial

    def sign(self, request: Request) -> Request:
        """Return a copy of *request* with the token, for the network only."""
        if self._token is None:
            raise UnauthorisedError("a request reached the network before there was a token")
        request.meta[SIGNED_WITH] = self._serial
        headers = request.headers.copy()
        headers["Authorization"] = f"OAuth {self._token.access}"
        headers["Accept-Encoding"] = ACCEPTED
        signed: Request = request.replace(headers=headers)
        return signed

    def _ended(self) -> HarvestError:
        """Return the error for a given access token that the API refuses."""
        name = self._lane.token_name
        if self._accepted_since is None:
            return UnauthorisedError(
                f"the API refuses {name} (HTTP 401); set a new token, or client credentials"
            )
        lasted = duration(time.monotonic() - self._accepted_since)
        return TokenEndedError(
            f"{name} has ended: the API accepted it for {lasted} of this run "
            "and now refuses it (HTTP 401); set a new token and rerun"
        )

    async def _renew(self, *, refused: Token | None) -> None:
        async with self._locked():
            cached = self._cache.load()
            if cached and cached.is_fresh(time.time()) and not (refused and cached.access == refused.access):
                # Another process or an earlier run has renewed it.
                self._take(cached)
                return
            token = await self._refresh(cached or self._token) or await self._exchange()
            # A refresh token works once, so from here on only this pair is valid.
            self._cache.save(token)
            self._take(token)

    async def _refresh(self, old: Token | None) -> Token | None:
        if old is None or old.refresh is None:
            return None
        try:
            token = await self._endpoint.ask(refresh_request(self._url, self._credentials, old.refresh))
        except RefusedGrantError as error:
            logger.warning("Refresh token refused (%s); using the client credentials", error)
            return None
        self._stats.inc_value(statistics.TOKEN_REFRESHES)
        return token

    async def _exchange(self) -> Token:
        """Exchange the client credentials, in the second documented way if the first is refused."""
        token = await self._exchange_with_header() or await self._exchange_in_body()
        self._stats.inc_value(statistics.TOKEN_EXCHANGES)
        return token

    async def _exchange_with_header(self) -> Token | None:
        try:
            return await self._endpoint.ask(exchange_request(self._url, self._credentials))
        except RefusedGrantError as error:
            logger.warning("Client credentials refused in the header (%s); sending them in the body", error)
            return None

    async def _exchange_in_body(self) -> Token:
        try:
            return await self._endpoint.ask(exchange_request_in_body(self._url, self._credentials))
        except RefusedGrantError as error:
            raise UnauthorisedError(
                f"client credentials refused by {self._url} in both documented ways ({error}); "
                f"check {self._lane.key_name}, {CHECK_APP}"
            ) from error

    def _take(self, token: Token) -> None:
        self._token = token
        self._serial += 1

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        """Hold the lock between processes; wait for it without blocking the reactor."""
        lock = self._cache.lock()
        while self._has_locks:
            try:
                lock.acquire(timeout=0)
                break
            except Timeout:
                await self._run.sleep(LOCK_POLL)
            except OSError as error:
                if error.errno not in UNSUPPORTED:
                    raise StorageError(f"token cache {lock.lock_file}: {error.strerror}") from error
                # One process alone needs no lock, and others at worst use up a refresh token.
                logger.warning("Could not lock token cache %s: %s", lock.lock_file, error.strerror)
                self._has_locks = False
        try:
            yield
        finally:
            if lock.is_locked:
                lock.release()
