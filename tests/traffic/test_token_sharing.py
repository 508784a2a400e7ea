"""Token pairs that processes share through the cache."""

from __future__ import annotations

import json
import stat
import time
from typing import TYPE_CHECKING

from tests.traffic.crawls import CREDENTIALS, Crawl, CrawlProcess
from tests.traffic.fault_server import FaultServer, Reply, Seen
from tests.traffic.token_script import REFUSED, TokenScript

if TYPE_CHECKING:
    from pathlib import Path


class Renewing(TokenScript):
    """Script in which another process renews the token at the first page; its new token expires at once."""

    def __init__(self, cache: Path) -> None:
        super().__init__(page=self.renew_elsewhere)
        self.folder = cache / "soundgraph"
        self.modes: list[int] = []
        self.saved: list[bool] = []

    def renew_elsewhere(self, _seen: Seen) -> Reply:
        (file,) = self.folder.glob("token-*.json")
        document = json.loads(file.read_text())
        self.modes.append(stat.S_IMODE(file.stat().st_mode))
        self.saved.append((document["access_token"], document["refresh_token"]) == self.tokens[-1])
        if len(self.tokens) > 1:
            return Reply()
        self.issue()
        document["access_token"], document["refresh_token"] = self.tokens[-1]
        document["expires_at"] = time.time() - 10
        file.write_text(json.dumps(document))
        return REFUSED


def test_the_refresh_token_of_another_process_is_used_if_it_is_newer(tmp_path: Path) -> None:
    script = Renewing(tmp_path)
    with FaultServer(script) as server:
        outcome = CrawlProcess([Crawl("one", server.url, ["/a"], dict(CREDENTIALS))], tmp_path).wait()["one"]
    assert outcome.kinds() == ["ok"]
    assert script.grants == ["client_credentials", "refresh_token"]
    assert script.faults == [], "the own refresh token was used up by the other process"


def test_a_pair_is_saved_readable_only_by_its_owner_before_it_is_used(tmp_path: Path) -> None:
    script = Renewing(tmp_path)
    with FaultServer(script) as server:
        CrawlProcess([Crawl("one", server.url, ["/a"], dict(CREDENTIALS))], tmp_path).wait()
    assert script.saved == [True, True]
    assert script.modes[0] == 0o600


class Waiting(TokenScript):
    """Script whose page of the first process waits for one of the second."""

    def __call__(self, seen: Seen, before: int) -> Reply:
        if seen.target == "/oauth/token":
            return super().__call__(seen, before)
        return Reply(until=4) if seen.target == "/a" else Reply()


def expire(cache: Path) -> None:
    """Make the token in the cache one that no other process reuses."""
    (file,) = (cache / "soundgraph").glob("token-*.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"expires_at": time.time() - 10}))


def test_a_process_with_a_token_does_not_block_others(tmp_path: Path) -> None:
    with FaultServer(Waiting()) as server:
        settings = {**CREDENTIALS, "DOWNLOAD_TIMEOUT": 15}
        first = CrawlProcess([Crawl("first", server.url, ["/a"], settings)], tmp_path)
        server.wait_for(2)
        expire(tmp_path)
        second = CrawlProcess([Crawl("second", server.url, ["/b"], settings)], tmp_path)
        outcomes = [first.wait()["first"], second.wait()["second"]]
    assert [outcome.kinds() for outcome in outcomes] == [["ok"], ["ok"]]
    assert server.targets() == ["/oauth/token", "/a", "/oauth/token", "/b"]
