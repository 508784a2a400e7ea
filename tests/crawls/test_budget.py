"""Budgets end a run cleanly, and the next run resumes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.scrapy_process import ROOT, scrapy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crawls.crawling import Harvester

PROJECT = {"SCRAPY_SETTINGS_MODULE": "sgr_spiders.settings", "PYTHONPATH": str(ROOT)}


def test_max_requests_ends_a_run(harvester: Harvester) -> None:
    whole = 0
    for budget in (1, 3, 20):
        harvester.sandbox.clear_log()
        ended = harvester.crawl(max_requests=budget, refresh=1)
        assert ended.code == 3, ended.log
        assert f"the budget of {budget} request{'' if budget == 1 else 's'} is spent" in ended.log
        assert harvester.query("SELECT DISTINCT outcome FROM runs") == [("unfinished",)]
        sent = [entry for entry in harvester.sandbox.log() if entry["path"] != "/oauth/token"]
        assert len(sent) == budget
        done = harvester.value("SELECT count(*) FROM walks WHERE status IN ('done', 'gone')")
        assert done > whole, "a budgeted refresh starts from the beginning every time"
        whole = done
        assert " ERROR" not in ended.log
    assert harvester.crawl(refresh=1).code == 0


def test_retries_count_against_max_requests(harvester: Harvester) -> None:
    harvester.sandbox.set_faults(["text_503:path=likes/tracks,per_url=1"])
    # Probes are not retries.
    ended = harvester.crawl(max_requests=8, settings={"OUTAGE_AFTER": 0})
    assert ended.code == 3, ended.log
    sent = [entry for entry in harvester.sandbox.log() if entry["path"] != "/oauth/token"]
    assert len(sent) == 8
    assert any(entry["status"] == 503 for entry in sent[1:])


def test_checks_count_against_max_requests(harvester: Harvester) -> None:
    harvester.sandbox.set_faults([{"name": "reset", "path": ".", "after": 5, "times": 15}])
    # On a slow machine few requests are in flight, so that most of the 15 faults meet probes.
    settings = {"BACKOFF_BASE": 0.02, "BACKOFF_MAX": 0.1, "OUTAGE_PROBES": 20}
    ended = harvester.crawl(max_requests=30, settings=settings)
    assert ended.code == 3, ended.log
    stats = json.loads(harvester.value("SELECT stats FROM runs"))
    assert stats["sgr/probes"] >= 5, ended.log
    sent = [entry for entry in harvester.sandbox.log() if entry["path"] != "/oauth/token"]
    # Requests in flight when the outage began were sent again.
    assert 30 <= len(sent) <= 30 + 8


def test_max_minutes_ends_a_run(harvester: Harvester) -> None:
    ended = harvester.crawl(max_minutes="0.02", settings={"DOWNLOAD_DELAY": 0.2})
    assert ended.code == 3, ended.log
    assert "the budget of 0.02 min is spent" in ended.log
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'planned'") > 0
    assert harvester.value("SELECT count(*) FROM walks WHERE status IN ('running', 'failed')") == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"CLOSESPIDER_PAGECOUNT": 4}, "CLOSESPIDER_PAGECOUNT"),
        ({"CLOSESPIDER_ITEMCOUNT": 4}, "CLOSESPIDER_ITEMCOUNT"),
        ({"CLOSESPIDER_TIMEOUT": 0.5, "DOWNLOAD_DELAY": 0.2}, "CLOSESPIDER_TIMEOUT"),
        ({"MEMUSAGE_LIMIT_MB": 1, "MEMUSAGE_CHECK_INTERVAL_SECONDS": 0.1}, "MEMUSAGE_LIMIT_MB"),
    ],
)
def test_a_limit_of_scrapy_is_a_budget(harvester: Harvester, settings: dict[str, float], name: str) -> None:
    ended = harvester.crawl(settings=settings)
    assert ended.code == 3, ended.log
    assert f"the limit of the setting {name} is reached" in ended.log
    assert harvester.query("SELECT outcome, exit_code FROM runs") == [("unfinished", 3)]
    assert harvester.value("SELECT count(*) FROM walks WHERE status IN ('running', 'failed')") == 0
    assert harvester.crawl().code == 0


@pytest.mark.parametrize("option", ["-o", "-O"])
def test_a_feed_is_refused_before_the_first_request(option: str, tmp_path: Path) -> None:
    ended = scrapy("crawl", "user_depth", "-a", "track_id=1", option, "items.jsonl", cwd=tmp_path, **PROJECT)
    assert (ended.code, ended.out) == (2, "")
    because = "a crawl writes its records to the database, and the command `export` writes files"
    assert ended.err.startswith(f"option `{option}`: {because}: ")
    assert ended.err.endswith("scrapy export`\n")
    assert not list(tmp_path.iterdir())
