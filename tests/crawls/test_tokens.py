"""Crawls whose token ends, or whose token endpoint has changed what it accepts."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from tests.crawls.crawling import Harvester

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess


def access_token(sandbox: SandboxProcess) -> str:
    """Return a token, as a user who has no client credentials would have it."""
    headers = {"Authorization": f"Basic {base64.b64encode(b'sandbox:sandbox').decode()}"}
    request = Request(f"{sandbox.url}/oauth/token", b"grant_type=client_credentials", headers)  # noqa: S310 - ours
    with urlopen(request) as response:  # noqa: S310 - the same
        token: str = json.load(response)["access_token"]
        return token


def test_a_given_token_that_ends_interrupts_the_crawl(harvester: Harvester) -> None:
    sandbox = harvester.sandbox
    harvester.environment["SOUNDCLOUD_ACCESS_TOKEN"] = token = access_token(sandbox)
    sandbox.set_faults([{"name": "revoke_tokens", "path": "/likes", "after": 20}])
    ended = harvester.crawl()
    assert ended.code == 130, ended.log
    (line,) = [line for line in ended.log.splitlines() if "Stopping" in line]
    assert "SOUNDCLOUD_ACCESS_TOKEN has ended: the API accepted it for" in line
    assert "set a new token and rerun" in line
    assert token not in ended.log
    assert harvester.query("SELECT outcome FROM runs") == [("interrupted",)]
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'failed'") == 0
    pending = harvester.value("SELECT count(*) FROM walks WHERE status = 'planned'")
    assert pending > 20
    # It does not work at all any more, which a schedule must notice.
    ended = harvester.crawl()
    assert ended.code == 4, ended.log
    assert "the API refuses SOUNDCLOUD_ACCESS_TOKEN" in ended.log
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'planned'") == pending
    harvester.environment["SOUNDCLOUD_ACCESS_TOKEN"] = access_token(sandbox)
    assert harvester.crawl().code == 0


def test_credentials_are_passed_in_the_other_documented_way(sandbox: SandboxProcess, tmp_path: Path) -> None:
    """The endpoint refuses refresh tokens and the header, one after the other."""
    harvester = Harvester(sandbox, tmp_path / "harvest.db")
    sandbox.set_faults(
        ["token_body_only", "token_refresh_refused", {"name": "revoke_tokens", "path": "/likes", "after": 10}]
    )
    ended = harvester.crawl()
    assert ended.code == 0, ended.log
    tokens = [entry["status"] for entry in sandbox.log() if entry["path"] == "/oauth/token"]
    # The first exchange, then a refused refresh and the second exchange, each in both ways.
    assert tokens == [401, 200, 401, 401, 200]
    assert "Client credentials refused in the header (HTTP 401: invalid_client)" in ended.log


def test_refused_credentials_say_what_to_check(harvester: Harvester) -> None:
    harvester.environment["SOUNDCLOUD_CLIENT_SECRET"] = "wr0ng-Secret"
    ended = harvester.crawl()
    assert ended.code == 4, ended.log
    (line,) = [line for line in ended.log.splitlines() if "Stopping" in line]
    for words in ("SOUNDCLOUD_CLIENT_SECRET", "app is active", "plan"):
        assert words in line
    assert "wr0ng-Secret" not in ended.log
    assert len(harvester.sandbox.log()) == 2
