"""Pages are committed in a separate thread: Ctrl-C works during a commit, and no wake-up is missed."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.config.arguments import read_seed
from sgr_spiders.config.schedule import SeedLine
from sgr_spiders.storage.ledger import seeds
from sgr_spiders.storage.store import Store
from tests.databases import url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crawls.crawling import Harvester
    from tests.forks import Process

SLOW = {"DOWNLOAD_DELAY": 0.05}


@contextmanager
def hold_write_lock(harvester: Harvester, process: Process) -> Iterator[None]:
    """Hold the write lock of the database of a running crawl that has a page to write."""
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


@pytest.mark.sqlite("the write lock of the file")
def test_a_signal_is_logged_at_once_and_the_crawl_ends_after_the_lock(harvester: Harvester) -> None:
    process = harvester.start(settings=SLOW)
    with hold_write_lock(harvester, process):
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        harvester.wait_until(lambda: "Interrupted: " in harvester.log(), process)
        assert time.monotonic() - began < 10
        answered = _answered(harvester)
        assert process.poll() is None
        assert harvester.value("SELECT count(*) FROM walks WHERE status = 'running'") > 0
    ended = harvester.wait(process)
    assert ended.code == 130, ended.log
    assert "Traceback" not in ended.log
    assert "Harvest interrupted after" in ended.log
    assert harvester.value("SELECT outcome FROM runs") == "interrupted"
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'running'") == 0
    assert _pages(harvester) >= answered, "a response was lost"


@pytest.mark.sqlite("the write lock of the file")
def test_a_second_signal_ends_the_crawl_without_the_lock(harvester: Harvester) -> None:
    process = harvester.start(settings=SLOW)
    with hold_write_lock(harvester, process):
        process.send_signal(signal.SIGINT)
        harvester.wait_until(lambda: "Interrupted: " in harvester.log(), process)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        # Its walks stay leased, as after a kill; the next crawl releases them.
        assert process.wait(timeout=30) == 130
        assert time.monotonic() - began < 20
    assert "Ended at once, without a summary" in harvester.log()
    assert harvester.crawl().code == 0


@pytest.mark.sqlite("the write lock of the file")
def test_requests_pause_while_pages_cannot_be_written(harvester: Harvester) -> None:
    few = {"CONCURRENT_ITEMS": 2, "CONCURRENT_REQUESTS": 2}
    process = harvester.start(settings={**few, "DOWNLOAD_DELAY": 0, "PROGRESS_INTERVAL": 0.05})
    with hold_write_lock(harvester, process):
        lines = harvester.log().count("INFO: progress ")
        # The reactor is not blocked: it continues to log progress.
        harvester.wait_until(lambda: harvester.log().count("INFO: progress ") >= lines + 20, process)
        assert _answered(harvester) - _pages(harvester) <= 3
    assert harvester.wait(process).code == 0


@pytest.mark.parametrize("settings", [{}, {"PROGRESS": "off"}, {"DOWNLOAD_DELAY": 0, "CONCURRENT_ITEMS": 1}])
def test_no_wake_up_is_missed(harvester: Harvester, settings: dict[str, Any]) -> None:
    harvester.environment["SCRAPY_SETTINGS_MODULE"] = "tests.crawls.heartbeat_settings"
    ended = harvester.crawl("deep_harvest", settings)
    assert ended.code == 0, ended.log
    assert harvester.value("SELECT count(*) FROM walks WHERE status IN ('planned', 'running')") == 0


def test_no_wake_up_is_missed_between_two_due_seeds(harvester: Harvester) -> None:
    store = Store.open(url_of(harvester.database))
    with store.write() as connection:
        for seed in (harvester.sandbox.seed_track_id, 1):
            seeds.add(connection, SeedLine(read_seed(str(seed))), "2026-01-01T00:00:00.000000Z")
    store.close()
    harvester.environment["SCRAPY_SETTINGS_MODULE"] = "tests.crawls.heartbeat_settings"
    ended = harvester.crawl(due=1)
    # Track 1 does not exist, so that seed is gone.
    assert ended.code == 3, ended.log
    outcomes = harvester.query("SELECT last_outcome FROM seeds ORDER BY 1")
    assert outcomes == [("complete",), ("gone",)]


def test_a_run_that_cannot_start_logs_the_cause_and_sends_no_request(harvester: Harvester) -> None:
    harvester.environment["SCRAPY_SETTINGS_MODULE"] = "tests.crawls.unopened_settings"
    ended = harvester.wait(harvester.start(), no_outcome="the run cannot start")
    assert ended.code == 1, ended.log
    assert "Stopping: database x.db: database or disk is full" in ended.log
    assert "Traceback" not in ended.log
    assert "without a summary" not in ended.log
    assert harvester.sandbox.log() == []
