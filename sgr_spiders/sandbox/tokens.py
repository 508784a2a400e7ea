"""The token endpoint, with token lifetimes and exchange limits."""

from __future__ import annotations

import base64
import binascii
import time
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from sgr_spiders.sandbox.answers import Answer, json_answer, oauth_error
from sgr_spiders.sandbox.seeding import mix

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from sgr_spiders.sandbox.options import ServerOptions

_HOUR_S = 3600.0
_SCHEME = "OAuth "
_BAD_CLIENT = "bad"
"""Client IDs with this prefix are refused."""


class _Window:
    """At most ``limit`` events in any ``seconds`` (0: no limit)."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        self._events: dict[str, deque[float]] = {}

    def admits(self, key: str, now: float) -> bool:
        """Count one event, unless the window is full."""
        events = self._events.setdefault(key, deque())
        while events and events[0] <= now - self.seconds:
            events.popleft()
        if self.limit and len(events) >= self.limit:
            return False
        events.append(now)
        return True


class TokenDesk:
    """The issuer and validator of access tokens and single-use refresh tokens."""

    def __init__(self, options: ServerOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetime, self._secret, self._clock = options.token_lifetime, options.client_secret, clock
        self._by_app = _Window(options.app_exchanges, 12 * _HOUR_S)
        self._by_ip = _Window(options.ip_exchanges, _HOUR_S)
        self._access: dict[str, tuple[float, str]] = {}
        """When each access token ends, and the client that it was issued to."""
        self._revoked: set[str] = set()
        self._refresh: dict[str, str] = {}
        self._issued = 0

    def is_valid(self, authorization: str | None) -> bool:
        """Return whether this Authorization header contains a valid token."""
        if not authorization or not authorization.startswith(_SCHEME):
            return False
        known = self._access.get(authorization.removeprefix(_SCHEME))
        return known is not None and self._clock() < known[0]

    def client_of(self, authorization: str | None, body: bytes) -> str:
        """Return the client of a token, or of a token request with this *body*; empty if it is unknown."""
        if authorization and authorization.startswith(_SCHEME):
            return self._access.get(authorization.removeprefix(_SCHEME), (0.0, ""))[1]
        form = parse_qs(body.decode("latin-1"))
        return _basic_credentials(authorization or "")[0] or form.get("client_id", [""])[-1]

    def revoke(self, client: str | None = None) -> None:
        """Revoke every access token, or those of one *client*; refresh tokens stay valid."""
        self._access = {
            token: known for token, known in self._access.items() if client not in {None, known[1]}
        }

    def revoke_app(self, client: str) -> None:
        """Revoke the access tokens of *client*, and refuse it from now on."""
        self.revoke(client)
        self._revoked.add(client)

    def restore_apps(self) -> None:
        """Accept the revoked clients again."""
        self._revoked.clear()

    def sign_out(self, authorization: str) -> None:
        """End the session of this access token."""
        self._access.pop(authorization.removeprefix(_SCHEME), None)

    def answer(
        self, method: str, headers: Mapping[str, str], body: bytes, address: str, faults: Container[str] = ()
    ) -> Answer:
        """Return the response to a token request, under the *faults* of the stage "token"."""
        if method != "POST":
            return oauth_error(405, "method_not_allowed", {"Allow": "POST"})
        content_type = headers.get("Content-Type", "")
        if not content_type.startswith("application/x-www-form-urlencoded"):
            return oauth_error(400, "invalid_request")
        form = {key: values[-1] for key, values in parse_qs(body.decode("latin-1")).items()}
        grant = form.get("grant_type", "")
        basic = headers.get("Authorization", "")
        if grant == "client_credentials":
            return self._exchange(basic, form, address, in_body="token_body_only" in faults)
        if grant == "refresh_token":
            return self._renew(basic, form, is_known="token_refresh_refused" not in faults)
        if grant == "authorization_code":
            return oauth_error(400, "invalid_grant")
        return oauth_error(400, "unsupported_grant" if grant else "invalid_request")

    def _exchange(self, basic: str, form: Mapping[str, str], address: str, *, in_body: bool) -> Answer:
        """Exchange client credentials, in the header or *in_body*; failures count against the IP address."""
        now = self._clock()
        if not self._by_ip.admits(address, now):
            return too_many_tokens("meta", "by-ip", self._by_ip.limit, "PT1H")
        client_id, secret = _basic_credentials(basic)
        if in_body:
            client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        if not self._knows(client_id, secret) or (basic if in_body else "client_secret" in form):
            return oauth_error(401, "invalid_client")
        if not self._by_app.admits(client_id, now):
            return too_many_tokens("short")
        return self._issue(client_id)

    def _renew(self, basic: str, form: Mapping[str, str], *, is_known: bool) -> Answer:
        """Refresh a token (credentials in the body only); the old refresh token is used up."""
        if basic:
            return oauth_error(400, "invalid_request")
        client_id = form.get("client_id", "")
        if not is_known or not self._knows(client_id, form.get("client_secret", "")):
            return oauth_error(401, "invalid_client")
        token = form.get("refresh_token", "")
        if self._refresh.get(token) != client_id:
            return oauth_error(400, "invalid_grant")
        del self._refresh[token]
        return self._issue(client_id)

    def _knows(self, client_id: str, secret: str) -> bool:
        is_refused = client_id.startswith(_BAD_CLIENT) or client_id in self._revoked
        return bool(client_id) and not is_refused and secret == self._secret

    def _issue(self, client_id: str) -> Answer:
        self._issued += 1
        number = self._issued
        access = f"eyJzYW5kYm94Ijp0cnVlfQ.{number}.{mix(29, number):016x}{mix(31, number):016x}"
        refresh = f"{mix(37, number):016x}{mix(41, number):016x}"
        self._access[access] = self._clock() + self._lifetime, client_id
        self._refresh[refresh] = client_id
        body = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self._lifetime,
            "refresh_token": refresh,
            "scope": "",
        }
        return json_answer(200, body, {"Cache-Control": "no-store"})


def too_many_tokens(form: str, bucket: str = "by-ip", limit: int = 30, window: str = "PT1H") -> Answer:
    """Return the token endpoint's 429 in its ``short`` or its ``meta`` form."""
    headers = {"WWW-Authenticate": "Basic"}
    if form == "short":
        return oauth_error(429, "rate_limit_exceeded", headers)
    rate_limit = {
        "bucket": bucket,
        "max_nr_of_requests": limit,
        "name": "client-credentials-exchange",
        "time_window": window,
    }
    return json_answer(429, {"errors": [{"meta": {"rate_limit": rate_limit}}]}, headers)


def _basic_credentials(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme != "Basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret
