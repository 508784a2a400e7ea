"""Nothing is lost: interrupted and killed crawls resume, and end with the same database."""

from __future__ import annotations

import random
import resource
import signal
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.storage.copying.copy import copy
from sgr_spiders.storage.store import Store
from tests.crawls.crawling import Harvester
from tests.crawls.crew import NOT_COMPARED
from tests.crawls.small import start_sandbox
from tests.databases import connect, create_blank, days_before, has_index, url_of
from tests.scrapy_process import scrapy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from tests.sandbox_process import SandboxProcess

DIED = -signal.SIGKILL


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(page_size=20) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def undisturbed(
    shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[Any, ...]]]:
    harvester = Harvester(shared_sandbox, tmp_path_factory.mktemp("undisturbed") / "harvest.db")
    assert harvester.crawl().code == 0
    return harvester.contents()


@pytest.fixture(scope="module")
def undisturbed_with_all_layers(
    shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[Any, ...]]]:
    harvester = Harvester(shared_sandbox, tmp_path_factory.mktemp("all_layers") / "harvest.db")
    assert harvester.crawl("deep_harvest").code == 0
    return harvester.contents()


def _pages(sandbox: SandboxProcess) -> int:
    return sum(entry["status"] == 200 for entry in sandbox.log())


@pytest.mark.slow
def test_a_harvest_killed_repeatedly_ends_with_the_same_database(
    harvester: Harvester, undisturbed_with_all_layers: dict[str, list[tuple[Any, ...]]]
) -> None:
    harvester.environment["SCRAPY_SETTINGS_MODULE"] = "tests.crawls.kill_settings"
    moments = random.Random(2)  # noqa: S311 - not a secret
    # The first numbers hit migrations and the start of a run, the larger ones later pages.
    for kill_at in [2, 21, 37, 41, 55, 12, 24, *(moments.randrange(40, 200) for _ in range(6))]:
        harvester.environment["KILL_AT"] = str(kill_at)
        process = harvester.start("deep_harvest")
        assert harvester.wait(process, killed=True).code == DIED
    del harvester.environment["SCRAPY_SETTINGS_MODULE"]
    ended = harvester.crawl("deep_harvest")
    assert ended.code == 0, ended.log
    assert harvester.contents() == undisturbed_with_all_layers


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_crawl_cleanly_and_the_next_resumes(
    harvester: Harvester, undisturbed: dict[str, list[tuple[Any, ...]]], number: signal.Signals
) -> None:
    slow = {"DOWNLOAD_DELAY": 0.1}
    ended = harvester.interrupt_when(lambda: _pages(harvester.sandbox) >= 8, number, settings=slow)
    assert ended.code == 130, ended.log
    assert "rerun to resume" in ended.log
    assert harvester.value("SELECT outcome FROM runs") == "interrupted"
    assert harvester.value("SELECT count(*) FROM relationship_runs") == 0
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'running'") == 0
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'done'") > 0
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'planned'") > 0
    # Indexes for readers are deferred until the harvest is finished.
    assert not has_index(harvester.database, "ix_engagements_track_id_kind")
    assert harvester.crawl().code == 0
    assert has_index(harvester.database, "ix_engagements_track_id_kind")
    assert harvester.contents() == undisturbed


def test_a_killed_crawl_resumes_at_once(
    harvester: Harvester, undisturbed: dict[str, list[tuple[Any, ...]]]
) -> None:
    process = harvester.start(settings={"DOWNLOAD_DELAY": 0.1})
    harvester.wait_until(lambda: bool(_finished_paths(harvester)), process)
    process.kill()
    harvester.wait(process, killed=True)
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'running'") > 0
    fetched = _finished_paths(harvester)
    harvester.sandbox.clear_log()
    assert harvester.crawl().code == 0
    again = {entry["path"] for entry in harvester.sandbox.log()} - {"/oauth/token"}
    assert fetched
    assert not again & fetched, "a finished walk was fetched again"
    assert harvester.contents() == undisturbed


def test_a_killed_harvest_continues_in_a_copy(
    harvester: Harvester, undisturbed: dict[str, list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    """From the tested kind of database into a file, from there into the tested kind, and on."""
    process = harvester.start(settings={"DOWNLOAD_DELAY": 0.1})
    harvester.wait_until(lambda: _pages(harvester.sandbox) >= 8, process)
    process.kill()
    harvester.wait(process, killed=True)
    leased = harvester.value("SELECT count(*) FROM walks WHERE status = 'running'")
    assert leased > 0
    second = Harvester(harvester.sandbox, tmp_path / "second.db")
    create_blank(second.database)
    file = f"sqlite:///{tmp_path / 'file.db'}"
    assert copy(url_of(harvester.database), file, _quiet).released == leased
    assert copy(file, url_of(second.database), _quiet).released == 0
    fetched = _finished_paths(second)
    harvester.sandbox.clear_log()
    assert second.crawl().code == 0
    assert fetched
    assert not fetched & {entry["path"] for entry in harvester.sandbox.log()}, "a walk was fetched again"
    # A 404 that the killed run did not believe is asked for again, which is one more page of its walk.
    found, pages = second.contents(), {"walks", *NOT_COMPARED}
    assert {name: found[name] for name in found if name not in pages} == {
        name: undisturbed[name] for name in undisturbed if name not in pages
    }
    create_blank(tmp_path / "third.db")
    copy(url_of(second.database), url_of(tmp_path / "third.db"), _quiet)
    related = scrapy("relate", "--config", "sandbox", HARVEST_DATABASE_URL=url_of(tmp_path / "third.db"))
    assert related.code == 0, related.err
    assert related.err.count(": up to date") == 3, related.err


def _quiet(*_: object) -> None:
    """Report no progress."""


def _finished_paths(harvester: Harvester) -> set[str]:
    users = harvester.query("SELECT target FROM walks WHERE endpoint = 'user_likes' AND status = 'done'")
    return {f"/users/soundcloud:users:{user}/likes/tracks" for (user,) in users}


def test_an_exception_is_an_internal_error_and_loses_nothing(
    harvester: Harvester, undisturbed: dict[str, list[tuple[Any, ...]]]
) -> None:
    harvester.environment["SCRAPY_SETTINGS_MODULE"] = "tests.crawls.faulty_settings"
    ended = harvester.crawl()
    assert ended.code == 1, ended.log
    assert "internal errors" in harvester.value("SELECT reason FROM runs")
    # The next run fetches them last, so that a walk that always fails does not keep others from their turn.
    unfinished = "SELECT min(setbacks), max(setbacks) FROM walks WHERE status = 'planned'"
    assert harvester.query(unfinished) == [(1, 1)]
    del harvester.environment["SCRAPY_SETTINGS_MODULE"]
    assert harvester.crawl().code == 0
    assert harvester.contents() == undisturbed


def test_a_failing_layer_does_not_stop_the_others(
    harvester: Harvester,
    undisturbed: dict[str, list[tuple[Any, ...]]],
    undisturbed_with_all_layers: dict[str, list[tuple[Any, ...]]],
) -> None:
    harvester.environment["SCRAPY_SETTINGS_MODULE"] = "tests.crawls.broken_settings"
    ended = harvester.crawl("deep_harvest", layers="user_depth,playlist_depth")
    assert ended.code == 1, ended.log
    assert ended.log.count("Layer playlist_depth failed") == 1
    assert "LookupError: a bug in a layer" in ended.log
    contents = harvester.contents()
    for table in ("tracks", "users", "engagements", "walks", "walk_records"):
        assert contents[table] == undisturbed[table]
    assert [row for row in contents["discoveries"] if "user_depth" in row] == undisturbed["discoveries"]
    # The repaired layer receives the records that it missed, though the other layer has seen them.
    del harvester.environment["SCRAPY_SETTINGS_MODULE"]
    assert harvester.crawl("deep_harvest", layers="user_depth,playlist_depth").code == 0
    alone = [row for row in undisturbed_with_all_layers["discoveries"] if "playlist_depth" in row]
    assert [row for row in harvester.contents()["discoveries"] if "playlist_depth" in row] == alone
    harvester.rerun()


@pytest.mark.slow
@pytest.mark.sqlite("the size of the file")
def test_a_full_disk_stops_the_run_and_loses_nothing(
    harvester: Harvester, undisturbed: dict[str, list[tuple[Any, ...]]]
) -> None:
    harvester.makes_database = True
    harvester.is_forked = False
    limit = 400_000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        process = harvester.start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    ended = harvester.wait(process, no_outcome="the disk is full")
    assert ended.code == 1, ended.log
    assert "Traceback" not in ended.log
    assert f"{harvester.database}: disk I/O error" in ended.log
    with closing(connect(harvester.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert harvester.crawl().code == 0
    assert harvester.contents() == undisturbed


def test_an_index_that_cannot_be_built_is_built_by_the_next_run(harvester: Harvester) -> None:
    Store.open(url_of(harvester.database)).close()
    with closing(connect(harvester.database)) as connection:
        connection.execute("DROP INDEX ix_engagements_track_id_kind")
        connection.execute("CREATE TABLE ix_engagements_track_id_kind (blocker INTEGER)")
        connection.commit()
    ended = harvester.crawl(max_requests=4)
    assert ended.code == 3, ended.log
    assert "Could not build indexes: database" in ended.log
    assert "Traceback" not in ended.log
    assert harvester.value("SELECT outcome FROM runs") == "unfinished"
    with closing(connect(harvester.database)) as connection:
        connection.execute("DROP TABLE ix_engagements_track_id_kind")
        connection.commit()
    assert harvester.crawl(max_requests=1).code == 3
    assert has_index(harvester.database, "ix_engagements_track_id_kind")


@pytest.mark.sqlite("the lock of the file")
def test_two_crawls_do_not_share_a_database(harvester: Harvester) -> None:
    process = harvester.start(settings={"DOWNLOAD_DELAY": 0.5})
    harvester.wait_until(lambda: _pages(harvester.sandbox) >= 2, process)
    second = harvester.crawl()
    process.send_signal(signal.SIGINT)
    assert harvester.wait(process).code == 130
    assert second.code == 5
    assert f"database {harvester.database} is locked by" in second.log
    assert "Traceback" not in second.log


def test_a_finished_harvest_is_up_to_date_and_sends_no_request(harvester: Harvester) -> None:
    assert harvester.crawl().code == 0
    ended = harvester.rerun()
    assert "Up to date: " in ended.log


def test_only_failed_walks_are_retried(
    harvester: Harvester, undisturbed: dict[str, list[tuple[Any, ...]]]
) -> None:
    victim = harvester.sandbox
    victim.set_faults([{"name": "redirect_foreign", "path": "/users/[^/]*[13]/likes"}])
    ended = harvester.crawl()
    assert ended.code == 3, ended.log
    failed = {user for (user,) in harvester.query("SELECT target FROM walks WHERE status = 'failed'")}
    assert failed
    assert harvester.query("SELECT DISTINCT reason FROM walks WHERE status = 'failed'") == [
        ("unexpected redirect",)
    ]
    victim.clear_faults()
    victim.clear_log()
    assert harvester.crawl().code == 0
    asked = {entry["path"] for entry in victim.log()} - {"/oauth/token"}
    assert asked == {f"/users/soundcloud:users:{user}/likes/tracks" for user in failed}
    contents = harvester.contents()
    for table in ("tracks", "users", "engagements", "discoveries", "walk_records"):
        assert contents[table] == undisturbed[table]


def _age(harvester: Harvester, days: float) -> None:
    with closing(connect(harvester.database)) as connection, connection:
        moment = days_before("'now'", days)
        connection.execute(f"UPDATE walks SET started_at = {moment}, finished_at = {moment}")  # noqa: S608


def test_only_stale_walks_are_refetched(harvester: Harvester) -> None:
    assert harvester.crawl().code == 0
    walks = harvester.value("SELECT count(*) FROM walks")
    _age(harvester, 6.9)
    harvester.sandbox.clear_log()
    assert harvester.crawl().code == 0
    assert harvester.sandbox.log() == []
    _age(harvester, 7.1)
    before = harvester.contents()
    ended = harvester.crawl()
    assert ended.code == 0
    assert harvester.value("SELECT count(*) FROM walks WHERE generation = 1") == walks
    after = harvester.contents()
    for table in ("tracks", "users", "engagements", "discoveries", "walk_requests"):
        assert after[table] == before[table]


def test_refresh_refetches_everything_and_an_unfinished_refresh_resumes(harvester: Harvester) -> None:
    assert harvester.crawl().code == 0
    walks = harvester.value("SELECT count(*) FROM walks")
    harvester.sandbox.clear_log()
    ended = harvester.interrupt_when(
        lambda: _pages(harvester.sandbox) >= 8, settings={"DOWNLOAD_DELAY": 0.1}, refresh=1
    )
    assert ended.code == 130
    refetched = harvester.value(
        "SELECT count(*) FROM walks WHERE generation = 1 AND status IN ('done', 'gone')"
    )
    assert 0 < refetched < walks
    assert harvester.crawl(refresh=1).code == 0
    assert harvester.query("SELECT generation, count(*) FROM walks GROUP BY 1") == [(1, walks)]
    assert harvester.crawl(refresh=1).code == 0
    assert harvester.query("SELECT generation, count(*) FROM walks GROUP BY 1") == [(2, walks)]


@pytest.mark.slow
def test_a_raised_cap_reopens_and_a_lowered_one_deletes_nothing(harvester: Harvester, tmp_path: Path) -> None:
    config = tmp_path / "caps.yaml"

    def crawl(users: int, tracks: int) -> None:
        config.write_text(
            "deep_harvest: {request_delay: 0, user_depth: "
            f"{{max_users_per_track: {users}, max_tracks_per_user: {tracks}}}}}"
        )
        harvester.sandbox.clear_log()
        assert harvester.crawl(config=config).code == 0

    crawl(5, 20)
    small = harvester.contents()
    crawl(10, 40)
    raised = harvester.contents()
    crawl(5, 20)
    assert [e for e in harvester.sandbox.log() if e["path"] != "/oauth/token"] == []
    lowered = harvester.contents()
    for table in ("tracks", "users", "engagements", "walk_records", "discoveries"):
        assert lowered[table] == raised[table]
        assert len(small[table]) < len(raised[table])
    directly = Harvester(harvester.sandbox, tmp_path / "directly.db")
    config.write_text(
        "deep_harvest: {request_delay: 0, user_depth: {max_users_per_track: 10, max_tracks_per_user: 40}}"
    )
    assert directly.crawl(config=config).code == 0
    for table in ("tracks", "users", "engagements", "walk_records", "discoveries"):
        assert directly.contents()[table] == raised[table]
