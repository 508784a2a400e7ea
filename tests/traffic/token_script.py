"""The server side of OAuth: tokens that expire, are revoked and rotate."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tests.traffic.crawls import CREDENTIALS
from tests.traffic.fault_server import Reply, Seen

BASIC = base64.b64encode(":".join(CREDENTIALS.values()).encode()).decode()
REFUSED = Reply(401, b'{"code":401,"message":"","status":"401 - Unauthorized","errors":[],"error":null}')
INVALID_GRANT = Reply(400, b'{"error":"invalid_grant"}')
INVALID_CLIENT = Reply(401, b'{"error":"invalid_client"}')


@dataclass
class TokenScript:
    """Script that grants tokens as the API documents and requires the current one in every other request.

    ``revoke_at`` revokes the token at that request; ``first`` are responses that the token endpoint sends
    before it grants a token; ``page`` responds to authorised requests.
    """

    life: int = 3599
    revoke_at: int | None = None
    refuse_refresh: bool = False
    first: list[Reply] = field(default_factory=list)
    page: Callable[[Seen], Reply] = lambda _seen: Reply(delay=0.05)
    grants: list[str] = field(default_factory=list)
    tokens: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    pages: int = 0
    revoked: bool = False

    def __call__(self, seen: Seen, _before: int) -> Reply:
        if seen.target == "/oauth/token":
            return self.first.pop(0) if self.first else self.grant(seen)
        self.pages += 1
        if self.pages == self.revoke_at:
            self.revoked = True
        current = f"OAuth {self.tokens[-1][0]}" if self.tokens and not self.revoked else None
        if seen.headers.get("authorization") != current:
            return REFUSED
        return self.page(seen)

    def grant(self, seen: Seen) -> Reply:
        form = dict(parse_qsl(seen.body.decode()))
        kind = form.pop("grant_type", "")
        self.grants.append(kind)
        if kind == "client_credentials":
            if form or seen.headers.get("authorization") != f"Basic {BASIC}":
                return INVALID_CLIENT
        elif (
            "authorization" in seen.headers
            or form.get("client_secret") != CREDENTIALS["SOUNDCLOUD_CLIENT_SECRET"]
        ):
            return Reply(400, b'{"error":"invalid_request"}')
        elif self.refuse_refresh or form["refresh_token"] != self.tokens[-1][1]:
            self.faults.append("a refresh token used twice")
            return INVALID_GRANT
        return self.issue()

    def issue(self) -> Reply:
        number = len(self.tokens) + 1
        self.tokens.append((f"4ccess-{number}-{id(self):x}", f"r3fresh-{number}-{id(self):x}"))
        self.revoked = False
        access, refresh = self.tokens[-1]
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": self.life}
        return Reply(200, json.dumps({**answer, "refresh_token": refresh, "scope": ""}).encode(), delay=0.2)
