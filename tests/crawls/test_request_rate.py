"""The request rate that a harvest learns from a server that limits it, and remembers."""

from __future__ import annotations

import json
import signal
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.databases import connect, stored_bytes

if TYPE_CHECKING:
    from tests.crawls.crawling import CrawlResult, Harvester

INTERVAL = 0.1
"""Seconds between two requests that the sandbox accepts."""
LIMITER = f"limiter:interval={INTERVAL}"
FAST = {"RATE_LIMIT_BASE": 0.2, "RATE_LIMIT_MAX": 0.4}
PARTIAL = 3
CLIENT_ID = "client-id-of-this-test"


def requests_of(harvester: Harvester) -> list[dict[str, Any]]:
    return [entry for entry in harvester.sandbox.log() if entry["path"] != "/oauth/token"]


def refused(harvester: Harvester) -> int:
    return sum(entry["status"] in {403, 429, 503} for entry in requests_of(harvester))


def crawl(harvester: Harvester, **options: Any) -> CrawlResult:
    harvester.sandbox.set_faults([LIMITER])
    harvester.sandbox.clear_log()
    ended = harvester.crawl(settings=FAST, **options)
    assert ended.code in {0, PARTIAL}, ended.log
    assert "Traceback" not in ended.log
    return ended


@pytest.mark.slow
def test_the_next_run_starts_with_the_rate_that_the_first_has_learned(harvester: Harvester) -> None:
    harvester.environment["SOUNDCLOUD_CLIENT_ID"] = CLIENT_ID
    ended = crawl(harvester, max_requests=60)
    assert "Lowered the request rate to one every 0." in ended.log
    # A slow machine sends less even at first.
    assert 2 <= refused(harvester) <= 30
    ((origin, fingerprint, interval),) = harvester.query(
        "SELECT api_origin, key_fingerprint, interval_seconds FROM lanes"
    )
    assert origin == harvester.sandbox.url
    assert INTERVAL / 2 < interval < 10 * INTERVAL

    assert len(fingerprint) == 32
    assert CLIENT_ID.encode() not in stored_bytes(harvester.database)
    assert fingerprint not in ended.log

    again = crawl(harvester, max_requests=15)
    times = [entry["time"] for entry in requests_of(harvester)]
    assert f"Request rate: one every {interval:.2f} s at first, learned " in again.log
    # Without it, the first requests follow each other within milliseconds, and most are refused.
    assert times[9] - times[0] >= 0.5 * 9 * interval
    assert refused(harvester) <= 5


@pytest.mark.slow
def test_a_rate_that_no_limit_confirms_slows_no_later_run_down(harvester: Harvester) -> None:
    crawl(harvester, max_requests=20)
    harvester.sandbox.clear_faults()
    with closing(connect(harvester.database)) as connection, connection:
        # As if some time had passed: on a server, a lane that was used a moment ago stays as it is.
        connection.execute("UPDATE lanes SET next_slot = 0")
    ended = harvester.crawl(settings={"DOWNLOAD_DELAY": 0.1}, refresh=1)
    assert ended.code == 0, ended.log
    assert "Raised the request rate" in ended.log
    # It grows in plateaus, and is forgotten when one of them ends without a refusal.
    assert (harvester.value("SELECT interval_seconds FROM lanes") or 0) < 0.1


@pytest.mark.slow
def test_a_rate_of_another_time_does_not_slow_the_next_run_down(harvester: Harvester) -> None:
    crawl(harvester, max_requests=10)
    harvester.sandbox.clear_faults()
    for year, line in (("2020", "at first, learned"), ("2999", "Ignoring the learned request rate")):
        with closing(connect(harvester.database)) as connection, connection:
            learned = f"{year}-01-01T00:00:00.000000Z"
            # On a server, a lane that was used a moment ago stays as it is.
            other = "UPDATE lanes SET interval_seconds = 30, learned_at = ?, next_slot = 0"
            connection.execute(other, (learned,))
        harvester.sandbox.clear_log()
        ended = harvester.crawl(max_requests=10, refresh=1)
        assert line in ended.log
        times = [entry["time"] for entry in requests_of(harvester)]
        assert len(times) == 10
        assert times[-1] - times[0] < 5


def test_a_pause_that_the_run_does_not_wait_for_is_not_counted(harvester: Harvester) -> None:
    harvester.sandbox.set_faults(["rate_limit_retry_after:seconds=600,after=8"])
    ended = harvester.interrupt_when(lambda: "Rate limit: pausing" in harvester.log(), signal.SIGINT)
    assert ended.code == 130, ended.log
    stats = json.loads(harvester.value("SELECT stats FROM runs"))
    assert 0 < stats["sgr/hold_seconds"] < 60


@pytest.mark.slow
def test_a_refusal_may_have_any_form_and_the_server_any_clock(harvester: Harvester) -> None:
    forms = ("unavailable", "documented", "text")
    faults = [
        f"limiter:interval=1,refusal={form},after={30 + 15 * number},times=1"
        for number, form in enumerate(forms)
    ]
    harvester.sandbox.set_faults(["wrong_clock:seconds=7200", *faults])
    ended = harvester.crawl(settings=FAST)
    assert ended.code == 0, ended.log
    stats = json.loads(harvester.value("SELECT stats FROM runs"))
    assert stats["sgr/answers/limited"] == len(forms)
    # Times in whole seconds are rounded up.
    assert stats["sgr/hold_seconds"] <= 2 * 2 + 1
