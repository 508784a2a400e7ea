"""Budgets end a run cleanly, and the next run resumes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.crawls.crawling import Harvester


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
    assert harvester.crawl(refresh=1).code == 0


def test_max_minutes_ends_a_run(harvester: Harvester) -> None:
    ended = harvester.crawl(max_minutes="0.02", settings={"DOWNLOAD_DELAY": 0.2})
    assert ended.code == 3, ended.log
    assert "the budget of 0.02 min is spent" in ended.log
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'planned'") > 0
    assert harvester.value("SELECT count(*) FROM walks WHERE status IN ('running', 'failed')") == 0
