"""Ctrl-C while a run waits: it ends at once and abandons the waiting requests."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.traffic.crawls import CREDENTIALS, STATIC, Crawl, CrawlProcess
from tests.traffic.fault_server import FaultServer, Reply, Script, Seen

if TYPE_CHECKING:
    from pathlib import Path

PATHS = [f"/tracks/{number}" for number in range(12)]
LONG = {"Retry-After": "3600"}


def hold(_seen: Seen, _before: int) -> Reply:
    return Reply(429, b"", LONG)


def fault(_seen: Seen, _before: int) -> Reply:
    return Reply(503, b"")


def delay(_seen: Seen, _before: int) -> Reply:
    return Reply()


WAITS: dict[str, tuple[Script, dict[str, Any]]] = {
    "hold": (hold, STATIC),
    "backoff": (fault, {**STATIC, "BACKOFF_BASE": 3600, "BACKOFF_MAX": 3600}),
    "delay": (delay, {**STATIC, "DOWNLOAD_DELAY": 600}),
    "token_endpoint": (hold, CREDENTIALS),
}


@pytest.mark.parametrize("name", WAITS)
def test_an_interrupted_wait_ends_at_once(tmp_path: Path, name: str) -> None:
    script, settings = WAITS[name]
    with FaultServer(script) as server:
        process = CrawlProcess([Crawl("waiting", server.url, PATHS, dict(settings))], tmp_path)
        wait_for_requests(server)
        asked = len(server.seen)
        interrupted = time.monotonic()
        process.process.send_signal(signal.SIGINT)
        outcome = process.wait(30)["waiting"]
    assert time.monotonic() - interrupted < 20
    assert len(server.seen) == asked, "nothing is sent after the interruption"
    assert "Abandoned" in outcome.kinds()
    assert set(outcome.kinds()) <= {"ok", "Abandoned"}
    assert outcome.stats["finish_reason"] == "shutdown"
    assert outcome.error is None


def wait_for_requests(server: FaultServer) -> None:
    end = time.monotonic() + 20
    while not server.answered and time.monotonic() < end:
        signal.sigtimedwait([], 0.05)
    signal.sigtimedwait([], 0.5)
