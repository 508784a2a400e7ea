"""Another process holds the database: the crawl stays responsive, and goes on when the lock is free."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.crawls.crawling import Harvester

SLOW = {"DOWNLOAD_DELAY": 0.05}


@contextmanager
def locked(harvester: Harvester, process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Hold the write lock of the database of a crawl that is under way, and has a page to write."""
    harvester.wait_until(lambda: _answered(harvester) >= 8, process)
    with closing(sqlite3.connect(harvester.database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        harvester.wait_until(lambda: _answered(harvester) > _pages(harvester), process)
        yield


def _answered(harvester: Harvester) -> int:
    pages = [entry for entry in harvester.sandbox.log() if entry["path"] != "/oauth/token"]
    return sum(entry["status"] == 200 for entry in pages)


def _pages(harvester: Harvester) -> int:
    pages: int = harvester.value("SELECT count(*) FROM walk_pages")
    return pages


def test_a_signal_is_answered_at_once_and_the_end_waits_for_the_lock(harvester: Harvester) -> None:
    process = harvester.start(settings=SLOW)
    with locked(harvester, process):
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        harvester.wait_until(lambda: "Interrupted: " in harvester.log(), process)
        assert time.monotonic() - began < 1
        answered = _answered(harvester)
        assert process.poll() is None
        assert harvester.value("SELECT count(*) FROM walks WHERE status = 'running'") > 0
    ended = harvester.wait(process)
    assert ended.code == 130, ended.log
    assert "Traceback" not in ended.log
    assert "Harvest interrupted after" in ended.log
    assert harvester.value("SELECT outcome FROM runs") == "interrupted"
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'running'") == 0
    assert _pages(harvester) >= answered, "what was answered is not lost"


def test_a_second_signal_ends_it_without_the_lock(harvester: Harvester) -> None:
    process = harvester.start(settings=SLOW)
    with locked(harvester, process):
        process.send_signal(signal.SIGINT)
        harvester.wait_until(lambda: "Interrupted: " in harvester.log(), process)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        ended = harvester.wait(process)
        assert time.monotonic() - began < 5
    assert ended.code == 130, ended.log
    assert "Ended at once, without a summary" in ended.log
    assert harvester.crawl().code == 0


def test_fewer_pages_are_asked_for_than_would_fill_the_memory(harvester: Harvester) -> None:
    few = {"CONCURRENT_ITEMS": 2, "CONCURRENT_REQUESTS": 2}
    process = harvester.start(settings={**few, "DOWNLOAD_DELAY": 0, "PROGRESS_INTERVAL": 0.05})
    with locked(harvester, process):
        lines = harvester.log().count("INFO: progress ")
        # The reactor lives: it goes on saying how far it is.
        harvester.wait_until(lambda: harvester.log().count("INFO: progress ") >= lines + 20, process)
        assert _answered(harvester) - _pages(harvester) <= 3
    assert harvester.wait(process).code == 0
