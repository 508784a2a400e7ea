"""``-a due=1`` harvests the seeds that are due: in order, within a budget, and never two at a time."""

from __future__ import annotations

import json
import re
import signal
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders import __version__
from sgr_spiders.config.harvest import load
from tests.crawls.crawling import CrawlResult, Harvester
from tests.databases import check_integrity, connect, days_before, url_of
from tests.scrapy_process import run_command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess


@pytest.fixture
def harvester(sandbox: SandboxProcess, tmp_path: Path, config: str) -> Harvester:
    return Harvester(sandbox, tmp_path / "harvest.db", config=config)


def crawl(harvester: Harvester, **arguments: Any) -> CrawlResult:
    return harvester.crawl("deep_harvest", layers="user_depth", due=1, **arguments)


def add(harvester: Harvester, *seeds: object, every: str = "1d", priority: int = 0) -> None:
    result = run_command(
        "seeds", "add", *map(str, seeds), f"--every={every}", f"--priority={priority}",
        HARVEST_DATABASE_URL=url_of(harvester.database),
    )  # fmt: skip
    assert result.code == 0, result.err


def outcomes(harvester: Harvester) -> dict[str, str | None]:
    return dict(harvester.query("SELECT given, last_outcome FROM seeds"))


def fetched_paths(harvester: Harvester) -> list[str]:
    """Return the requested paths since the log was cleared."""
    return [entry["path"] for entry in harvester.sandbox.log() if entry["path"] != "/oauth/token"]


def age_database(harvester: Harvester, days: int) -> None:
    """Make everything in the database *days* older."""
    times = {
        "seeds": ("added_at", "last_harvest_at", "next_harvest_at"),
        "walks": ("created_at", "started_at", "finished_at"),
    }
    with closing(connect(harvester.database)) as connection, connection:
        for table, columns in times.items():
            changes = ", ".join(f"{column} = {days_before(column, days)}" for column in columns)
            connection.execute(f"UPDATE {table} SET {changes}")  # noqa: S608 - constants


def test_the_most_overdue_seed_is_first_and_relationships_are_built_once(
    harvester: Harvester, tracks: list[int]
) -> None:
    first, second, third, _ = tracks
    add(harvester, second)
    add(harvester, third, priority=5)
    with closing(connect(harvester.database)) as connection, connection:
        # If two seeds are due since the same time, the higher priority is first.
        connection.execute("UPDATE seeds SET next_harvest_at = '2026-01-02T00:00:00.000000Z'")
    add(harvester, first)
    ended = crawl(harvester, max_requests=12)
    assert ended.code == 3, ended.log
    assert "the budget of 12 requests is spent" in ended.log
    assert outcomes(harvester) == {str(third): "complete", str(second): "unfinished", str(first): None}
    assert "Relationships deferred: 2 due seeds unfinished" in ended.log
    assert harvester.value("SELECT count(*) FROM relationship_runs") == 0
    before = fetched_paths(harvester)
    assert len(before) == 12

    ended = crawl(harvester)
    assert ended.code == 0, ended.log
    assert outcomes(harvester) == dict.fromkeys(map(str, (first, second, third)), "complete")
    after = fetched_paths(harvester)[len(before) :]
    assert not {*after} & {*before}, "a page was fetched twice"
    built = harvester.query("SELECT run_id, type FROM relationship_runs")
    assert [run for run, _ in built] == [2] * 3, "relationships are built once, after the last seed"

    harvester.sandbox.clear_log()
    ended = crawl(harvester, settings={"LOG_JSON": 1})
    assert ended.code == 0, ended.log
    start, nothing, *_ = (json.loads(line)["message"] for line in ended.log.splitlines())
    assert start.startswith("Run 3: 1 layer, 0 due seeds, from the sandbox (")
    assert nothing.startswith("No seed is due; the first will be ")
    assert fetched_paths(harvester) == []
    assert harvester.query("SELECT run_id, type FROM relationship_runs") == built

    columns = "arguments, config_hash, version, outcome, exit_code, requests"
    rows = harvester.query(f"SELECT {columns} FROM runs ORDER BY run_id")  # noqa: S608 - constants
    assert [row[3:] for row in rows] == [
        ("unfinished", 3, 13),
        ("complete", 0, len(after)),
        ("complete", 0, 0),
    ]
    assert json.loads(rows[0][0]) == {
        "config": harvester.config, "due": "1", "layers": "user_depth", "max_requests": "12",
    }  # fmt: skip
    listed = json.loads(
        run_command("harvests", "--json", HARVEST_DATABASE_URL=url_of(harvester.database)).out
    )
    assert [(run["outcome"], run["seeds"], run["requests"], run["pages"]) for run in listed] == [
        ("complete", 0, 0, 0),
        ("complete", 2, len(after), len(after)),
        ("unfinished", 2, 13, 12),
    ]
    assert {row[1] for row in rows} == {load(harvester.config).fingerprint_of_all}
    assert {row[2] for row in rows} == {__version__}


def test_a_round_refetches_each_page_once_even_if_it_is_interrupted(
    harvester: Harvester, tracks: list[int], address: str
) -> None:
    add(harvester, address)
    assert crawl(harvester).code == 0
    # A URL is resolved once.
    whole = sorted({*fetched_paths(harvester)} - {"/resolve"})
    assert harvester.query("SELECT given, track_id FROM seeds") == [(address, tracks[0])]
    ((due,),) = harvester.query("SELECT next_harvest_at FROM seeds")
    age_database(harvester, days=3)
    harvester.sandbox.clear_log()
    # Killed, cut, then complete: the three runs fetch each page once, except those lost in flight.
    killed = harvester.interrupt_when(
        lambda: len(fetched_paths(harvester)) >= 4,
        signal.SIGKILL,
        spider="deep_harvest", layers="user_depth", due=1, settings={"DOWNLOAD_DELAY": 0.3},
    )  # fmt: skip
    assert killed.code == -signal.SIGKILL
    assert outcomes(harvester) == {address: None}
    assert crawl(harvester, max_requests=3).code == 3
    assert outcomes(harvester) == {address: "unfinished"}
    assert crawl(harvester).code == 0
    again = fetched_paths(harvester)
    assert sorted(set(again)) == whole
    assert len(again) - len(whole) <= 2
    # The next round is in the future, at the same time of day: missed rounds are skipped.
    ((then,),) = harvester.query("SELECT next_harvest_at FROM seeds")
    assert abs(datetime.fromisoformat(then) - datetime.fromisoformat(due)) < timedelta(seconds=1)


@pytest.mark.slow
@pytest.mark.sqlite("the lock and a copy of the file")
def test_overlapping_schedules_and_an_interruption(harvester: Harvester, tracks: list[int]) -> None:
    add(harvester, *tracks[:2])
    process = harvester.start("deep_harvest", layers="user_depth", due=1, settings={"DOWNLOAD_DELAY": 3})
    harvester.wait_until(lambda: len(fetched_paths(harvester)) >= 1, process)
    other = Harvester(harvester.sandbox, harvester.database, config=harvester.config)
    other._log = harvester.database.with_suffix(".second.log")
    second = crawl(other)
    assert second.code == 5
    holder = rf"`scrapy crawl deep_harvest` \(process {process.pid}, since \d{{4}}-\d\d-\d\d \d\d:\d\d UTC\)"
    line = rf"database {harvester.database} is locked by {holder}; nothing was fetched\n"
    assert re.fullmatch(line, second.log), second.log
    # docs/operations.md: a backup made during a harvest can be resumed like the database itself.
    copy = Harvester(harvester.sandbox, harvester.database.with_name("backup.db"), config=harvester.config)
    with closing(connect(harvester.database)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy.database),))
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    first = harvester.wait(process)
    assert first.code == 130, first.log
    assert outcomes(harvester) == {str(tracks[0]): "interrupted", str(tracks[1]): None}
    assert harvester.value("SELECT count(*) FROM runs") == 1
    assert crawl(copy).code == 0
    check_integrity(copy.database)
    assert outcomes(copy) == dict.fromkeys(map(str, tracks[:2]), "complete")


def test_a_bug_between_two_seeds_fails_the_run(harvester: Harvester, tracks: list[int]) -> None:
    add(harvester, *tracks[:2])
    harvester.environment["SCRAPY_SETTINGS_MODULE"] = "tests.deploy.broken_settings"
    ended = crawl(harvester)
    assert ended.code == 1, ended.log
    assert "Could not begin the next turn" in ended.log
    assert harvester.value("SELECT outcome FROM runs") == "failed"
    # Both seeds are still due, and no spilled page of the first is lost.
    assert harvester.value("SELECT count(*) FROM seeds WHERE next_harvest_at = added_at") == 2
    assert harvester.value("SELECT count(*) FROM walks WHERE status IN ('planned', 'running')") == 0


def test_a_failed_seed_stays_due_and_a_missing_one_does_not(
    harvester: Harvester, tracks: list[int], small_sandbox: SandboxProcess
) -> None:
    add(harvester, 5, tracks[1])
    settings = {"RETRY_TIMES": 0, "DISALLOWED_RETRY_TIMES": 0}
    small_sandbox.set_faults([{"name": "html_502", "path": "/reposters"}])
    ended = crawl(harvester, settings=settings)
    assert ended.code == 3, ended.log
    assert outcomes(harvester) == {"5": "gone", str(tracks[1]): "partial"}
    due = json.loads(
        run_command("seeds", "due", "--json", HARVEST_DATABASE_URL=url_of(harvester.database)).out
    )
    assert [seed["given"] for seed in due] == [str(tracks[1])]
    assert due[0]["title"]
    small_sandbox.clear_faults()
    small_sandbox.clear_log()
    ended = crawl(harvester)
    assert ended.code == 0, ended.log
    assert fetched_paths(harvester)[0].endswith("/reposters")
    assert not [path for path in fetched_paths(harvester) if path.endswith("/favoriters")]
    assert outcomes(harvester) == {"5": "gone", str(tracks[1]): "complete"}
    assert harvester.value("SELECT count(*) FROM seeds WHERE next_harvest_at > added_at") == 2


def test_up_to_date_seeds_get_their_turns_without_a_request(harvester: Harvester, tracks: list[int]) -> None:
    ended = harvester.crawl("deep_harvest", layers="user_depth", track_id=",".join(map(str, tracks[:3])))
    assert ended.code == 0, ended.log
    add(harvester, *tracks[:3])
    harvester.sandbox.clear_log()
    ended = crawl(harvester)
    assert ended.code == 0, ended.log
    assert fetched_paths(harvester) == []
    assert outcomes(harvester) == dict.fromkeys(map(str, tracks[:3]), "complete")


@pytest.mark.slow
def test_a_failure_of_one_seed_does_not_fail_the_others(
    harvester: Harvester, tracks: list[int], small_sandbox: SandboxProcess
) -> None:
    failing, *others = tracks[:3]
    add(harvester, failing, *others)
    small_sandbox.set_faults([{"name": "html_502", "path": f"{failing}/reposters"}])
    ended = crawl(harvester, settings={"RETRY_TIMES": 0, "DISALLOWED_RETRY_TIMES": 0})
    assert ended.code == 3, ended.log
    assert outcomes(harvester) == {
        str(failing): "partial",
        **dict.fromkeys(map(str, others), "complete"),
    }
