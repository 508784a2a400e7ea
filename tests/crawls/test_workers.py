"""Several workers on one database: they share a run, or have runs beside each other."""

from __future__ import annotations

import signal
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal

import pytest

from sgr_spiders.storage.store import Store
from tests import databases
from tests.crawls.crawling import Harvester
from tests.crawls.crew import IN_FLIGHT, Crew, comparable
from tests.crawls.held_settings import HELD, let_go
from tests.postgres.own_server import OwnServer
from tests.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.forks import Process

pytestmark = pytest.mark.postgresql("a file has one worker")

COMPLETE, BLOCKED, INTERRUPTED = 0, 4, 130
FEW_PAGES = 6
CHECKS = 4
"""Requests for a record known to be good: workers believe that others are gone only if it is answered."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess("--users", "40") as process:
        yield process


@pytest.fixture(scope="module")
def one_worker(sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Harvester:
    harvester = Harvester(sandbox, tmp_path_factory.mktemp("alone") / "harvest.db")
    ended = harvester.crawl("deep_harvest")
    assert ended.code == COMPLETE, ended.log
    return harvester


@pytest.fixture(scope="module")
def alone(one_worker: Harvester) -> dict[str, Any]:
    """Return what one worker harvests."""
    return comparable(one_worker)


@pytest.fixture(scope="module")
def other_seed(one_worker: Harvester) -> int:
    """Return a track that fans of the seed like as well, so that both want some of the same walks."""
    seed = one_worker.sandbox.seed_track_id
    liked = one_worker.query(
        """SELECT track_id FROM engagements JOIN tracks USING (track_id)
        WHERE NOT is_stub AND track_id <> ? GROUP BY track_id HAVING count(*) > 3 ORDER BY track_id""",
        seed,
    )
    return int(liked[0][0])


@pytest.fixture
def crew(sandbox: SandboxProcess, tmp_path: Path) -> Crew:
    sandbox.clear_log()
    return Crew(sandbox, tmp_path / "harvest.db")


def test_workers_share_a_run(crew: Crew, alone: dict[str, Any]) -> None:
    for _ in range(4):
        crew.start()
    ended = crew.wait()
    assert [result.code for result in ended] == [COMPLETE] * 4, [result.log for result in ended]
    assert crew.contents() == alone
    assert crew.repeated() <= CHECKS
    assert crew.query("SELECT count(*), count(ended_at) FROM workers") == [(4, 4)]
    # One of them has built the relationships.
    assert crew.query("SELECT count(*) FROM relationship_runs") == [(3,)]
    assert sum("Joining run 1" in result.log for result in ended) == 3
    ((outcome, requests, by_workers),) = crew.query(
        "SELECT max(outcome), max(runs.requests), sum(workers.requests) FROM runs JOIN workers USING (run_id)"
    )
    assert (outcome, requests) == ("complete", by_workers)


def test_the_walks_of_a_killed_worker_are_taken_over(crew: Crew, alone: dict[str, Any]) -> None:
    crew.lease_seconds = 5
    workers = [crew.start() for _ in range(3)]
    crew.wait_for_pages(FEW_PAGES)
    workers[1].send_signal(signal.SIGKILL)
    ended = crew.wait(killed=[workers[1]])
    assert [result.code for result in ended] == [COMPLETE, -signal.SIGKILL, COMPLETE], ended
    assert crew.contents() == alone
    assert crew.repeated() <= crew.may_repeat(killed=1)
    assert crew.query("SELECT run_id, outcome FROM runs") == [(1, "complete")]


def test_a_worker_that_was_taken_for_dead_goes_on_with_other_walks(crew: Crew, alone: dict[str, Any]) -> None:
    crew.lease_seconds = 2
    workers = [crew.start() for _ in range(2)]
    harvester, other = crew.started[0]
    leased = """SELECT count(*) FROM walks JOIN workers USING (worker_id)
        WHERE status = 'running' AND process = ?"""
    harvester.wait_until(lambda: harvester.value(leased, workers[1].pid) > 0, other)
    workers[1].send_signal(signal.SIGSTOP)
    try:
        crew.wait_until_buried(workers[1].pid)
    finally:
        workers[1].send_signal(signal.SIGCONT)
    ended = crew.wait()
    assert [result.code for result in ended] == [COMPLETE, COMPLETE], ended
    assert "so others have taken its walks over" in ended[1].log
    assert crew.contents() == alone
    assert crew.repeated() <= crew.may_repeat()
    assert crew.query("SELECT outcome FROM runs") == [("complete",)]


def test_runs_beside_each_other_share_what_they_fetch(
    crew: Crew, sandbox: SandboxProcess, other_seed: int, tmp_path: Path
) -> None:
    """Each has its own seed, and decides for itself about walks that the other one fetches."""
    seeds = [sandbox.seed_track_id, other_seed]
    one_by_one = Harvester(sandbox, tmp_path / "one_by_one.db")
    for seed in seeds:
        assert one_by_one.crawl("deep_harvest", track_id=seed).code == COMPLETE
    sandbox.clear_log()
    for seed in seeds:
        crew.start(track_id=seed)
    ended = crew.wait()
    assert [result.code for result in ended] == [COMPLETE, COMPLETE], ended
    assert crew.query("SELECT outcome FROM runs") == [("complete",), ("complete",)]
    assert crew.contents() == comparable(one_by_one)
    assert crew.repeated() <= CHECKS


def test_scheduled_runs_take_different_seeds(crew: Crew, sandbox: SandboxProcess, other_seed: int) -> None:
    long_ago = "2020-01-01T00:00:00.000000Z"
    with closing(databases.connect(crew.database)) as connection, connection:
        connection.executemany(
            """INSERT INTO seeds (given, track_id, interval_seconds, priority, added_at, next_harvest_at)
            VALUES (?, ?, 86400, 0, ?, ?)""",
            [(str(seed), seed, long_ago, long_ago) for seed in (sandbox.seed_track_id, other_seed)],
        )
    for _ in range(2):
        crew.start("user_depth", due=1)
    ended = crew.wait()
    assert [result.code for result in ended] == [COMPLETE, COMPLETE], ended
    assert crew.query("SELECT last_outcome, last_run_id FROM seeds ORDER BY last_run_id") == [
        ("complete", 1),
        ("complete", 2),
    ]
    assert crew.repeated() <= CHECKS


def test_a_worker_that_leaves_early_leaves_the_run_to_the_others(crew: Crew, alone: dict[str, Any]) -> None:
    workers = [crew.start() for _ in range(2)]
    crew.wait_for_workers(2)
    crew.wait_for_pages(FEW_PAGES)
    workers[0].send_signal(signal.SIGINT)
    ended = crew.wait()
    assert [result.code for result in ended] == [INTERRUPTED, COMPLETE], ended
    assert "Leaving run 1 to its other workers" in ended[0].log
    assert crew.contents() == alone
    assert crew.query("SELECT outcome FROM runs") == [("complete",)]


def test_the_last_worker_saves_the_outcome_of_an_interrupted_run(crew: Crew, alone: dict[str, Any]) -> None:
    workers = [crew.start() for _ in range(2)]
    crew.wait_for_pages(FEW_PAGES)
    for worker in workers:
        worker.send_signal(signal.SIGINT)
    ended = crew.wait()
    assert [result.code for result in ended] == [INTERRUPTED, INTERRUPTED], ended
    assert crew.query("SELECT outcome FROM runs") == [("interrupted",)]
    assert crew.query("SELECT count(*) FROM walks WHERE status = 'running' OR worker_id IS NOT NULL") == [
        (0,)
    ]
    crew.start()
    assert crew.wait()[2].code == COMPLETE
    assert crew.contents() == alone


def test_a_waiting_worker_takes_over_from_one_that_is_killed_while_relating(
    crew: Crew, alone: dict[str, Any], tmp_path: Path
) -> None:
    relating, waiting = _wait_while_relating(crew, tmp_path / "held")
    relating.send_signal(signal.SIGKILL)
    assert crew.wait_for(relating, killed=True).code == -signal.SIGKILL
    ended = crew.wait_for(waiting)
    assert ended.code == COMPLETE, ended.log
    assert "Harvest complete" in ended.log
    assert crew.contents() == alone
    assert crew.query("SELECT outcome FROM runs") == [("complete",)]
    assert crew.query("SELECT count(*) FROM relationship_runs") == [(3,)]


def test_ctrl_c_ends_a_worker_that_waits_for_the_last_one(crew: Crew, tmp_path: Path) -> None:
    held = tmp_path / "held"
    relating, waiting = _wait_while_relating(crew, held)
    waiting.send_signal(signal.SIGINT)
    interrupted = crew.wait_for(waiting)
    # The other one has not built the relationships yet.
    assert interrupted.code == INTERRUPTED, interrupted.log
    assert "Harvest interrupted" in interrupted.log
    let_go(held).touch()
    assert crew.wait_for(relating).code == COMPLETE
    assert crew.query("SELECT outcome FROM runs") == [("complete",)]


def test_a_waiting_worker_ends_with_the_outcome_of_the_run(crew: Crew, tmp_path: Path) -> None:
    held = tmp_path / "held"
    relating, waiting = _wait_while_relating(crew, held)
    with closing(databases.connect(crew.database)) as connection, connection:
        connection.execute(
            "UPDATE runs SET finished_at = started_at, outcome = 'blocked', exit_code = 4, reason = 'a test'"
        )
    ended = crew.wait_for(waiting)
    assert ended.code == BLOCKED, ended.log
    assert "Harvest blocked" in ended.log
    assert "a test" in ended.log
    let_go(held).touch()
    crew.wait_for(relating)


def _wait_while_relating(crew: Crew, held: Path) -> tuple[Process, Process]:
    """Start two workers; return the one that is about to relate, and the one that waits for its end."""
    crew.environment = {"SCRAPY_SETTINGS_MODULE": "tests.crawls.held_settings", HELD: str(held)}
    crew.start()
    crew.wait_for_workers(1)
    crew.start()
    harvester, process = crew.started[0]
    harvester.wait_until(held.exists, process)
    left = "SELECT process FROM workers WHERE ended_at IS NOT NULL"
    harvester.wait_until(lambda: len(crew.query(left)) == 1, process)
    ((waiting_id,),) = crew.query(left)
    processes = sorted((process for _, process in crew.started), key=lambda each: each.pid == waiting_id)
    return processes[0], processes[1]


def test_a_crawl_survives_lost_connections(crew: Crew, alone: dict[str, Any]) -> None:
    crew.start()
    for pages in (FEW_PAGES, 2 * FEW_PAGES, 3 * FEW_PAGES):
        crew.wait_for_pages(pages)
        databases.end_connections(databases.url_of(crew.database))
    (ended,) = crew.wait()
    assert ended.code == COMPLETE, ended.log
    assert "waiting up to 30 s for the server" in ended.log
    assert crew.contents() == alone
    assert crew.repeated() <= IN_FLIGHT


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_workers_survive_a_restart_of_the_server(
    crew: Crew, alone: dict[str, Any], monkeypatch: pytest.MonkeyPatch, mode: Literal["fast", "immediate"]
) -> None:
    """Its end in order, and its crash, each time until both workers wait for it."""
    with OwnServer() as server:
        monkeypatch.setattr(databases, "_server", server.url)
        databases.create_blank(crew.database)
        Store.open(databases.url_of(crew.database)).close()
        for _ in range(2):
            crew.start()
        for number in (1, 2):
            crew.wait_for_pages(FEW_PAGES * number)
            before = crew.logs()
            server.stop(mode)
            crew.wait_for_logs("waiting up to 30 s for the server", before)
            server.start()
        ended = crew.wait()
        assert [result.code for result in ended] == [COMPLETE, COMPLETE], ended
        assert crew.contents() == alone
    assert crew.repeated() <= 2 * IN_FLIGHT
