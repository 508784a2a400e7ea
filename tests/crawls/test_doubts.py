"""Whom an answer is about: only a record that the API itself misses, while it answers well, is gone."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.crawl.doubts import MIN_LOST, Doubt, is_excessive, split_row
from tests.crawls.crawling import CrawlResult, Harvester
from tests.crawls.small import settings_of, start_sandbox, write_config
from tests.databases import copy_database, exists

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess

WIDE = settings_of(user_depth={"max_users_per_track": 14, "max_tracks_per_user": 12})
FAST = {
    "BACKOFF_BASE": 0.01, "BACKOFF_MAX": 0.05, "RETRY_TIMES": 1,
    "DISALLOWED_BACKOFF_BASE": 0.05, "RATE_LIMIT_BASE": 0.05, "RATE_LIMIT_MAX_HOLDS": 2,
}  # fmt: skip
EVERYTHING = "^/(tracks|users|playlists|resolve)"
IN_FLIGHT, IN_WORK, MAX_GONE_ROW = 2, 2, 5


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def harvester(sandbox: SandboxProcess, tmp_path: Path) -> Harvester:
    config = write_config(tmp_path / "wide.yaml", WIDE)
    return Harvester(sandbox, tmp_path / "harvest.db", FAST, config=str(config))


@pytest.fixture(scope="module")
def whole(shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Harvester:
    """Harvest without a fault."""
    folder = tmp_path_factory.mktemp("whole")
    shared_sandbox.clear_faults()
    config = write_config(folder / "wide.yaml", WIDE)
    harvester = Harvester(shared_sandbox, folder / "harvest.db", FAST, config=str(config))
    assert harvester.crawl().code == 0
    return harvester


def crawl(harvester: Harvester, code: int, *faults: str, **arguments: Any) -> CrawlResult:
    """Crawl while *faults* are in force; check the exit code."""
    harvester.sandbox.set_faults(faults)
    harvester.sandbox.clear_log()
    ended = harvester.crawl(**arguments)
    harvester.sandbox.clear_faults()
    assert ended.code == code, ended.log
    assert "Traceback" not in ended.log
    return ended


def statuses(harvester: Harvester) -> dict[str, int]:
    return dict(harvester.query("SELECT status, count(*) FROM walks GROUP BY status"))


def gone(harvester: Harvester) -> set[tuple[str, str]]:
    return set(harvester.query("SELECT endpoint, target FROM walks WHERE status = 'gone'"))


def copy(whole: Harvester, harvester: Harvester) -> None:
    copy_database(whole.database, harvester.database)


def assert_whole(harvester: Harvester, whole: Harvester) -> None:
    """Check that a harvest has found what one without a fault finds."""
    assert statuses(harvester) == statuses(whole)
    for table in ("tracks", "users", "engagements", "discoveries"):
        assert harvester.contents()[table] == whole.contents()[table], table
    assert harvester.value("SELECT count(*) FROM walks WHERE doubted OR setbacks > 0") == 0


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("gateway_403", "the API's gateway refuses this client, 4 times in a row: HTTP 403: Quota exceeded"),
        ("json_403", "a record known to be good is refused as well (HTTP 403: 403 - Forbidden)"),
        pytest.param(
            "json_404",
            "a record known to be good is refused as well (HTTP 404: 404 - Not Found)",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "empty_list",
            "a record known to be good is refused as well (without data)",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_client_that_is_refused_records_nothing_as_gone(
    harvester: Harvester, whole: Harvester, fault: str, message: str
) -> None:
    """The refusal begins in the middle of a harvest."""
    rule = "empty_list:after=12" if fault == "empty_list" else f"{fault}:path={EVERYTHING},after=12"
    few = {"CONCURRENT_REQUESTS": IN_FLIGHT, "CONCURRENT_ITEMS": IN_WORK, "MAX_GONE_ROW": MAX_GONE_ROW}
    ended = crawl(harvester, 4, rule, settings=few)
    assert message in ended.log
    assert harvester.query("SELECT outcome, exit_code FROM runs") == [("blocked", 4)]
    assert statuses(harvester).keys() <= {"done", "capped", "gone", "planned"}
    assert gone(harvester) <= gone(whole)
    assert statuses(harvester)["planned"] > 3
    stats = json.loads(harvester.value("SELECT stats FROM runs"))
    # A list begins again at page 1 before its refusal counts; how many have begun depends on the machine.
    expected = 12 + MAX_GONE_ROW + ended.log.count("it begins again at page 1") + stats["sgr/witnesses"]
    assert len(harvester.sandbox.log()) <= expected + IN_FLIGHT + IN_WORK
    crawl(harvester, 0)
    assert_whole(harvester, whole)


@pytest.mark.parametrize("fault", ["gateway_403", "json_403"])
def test_a_refresh_by_a_refused_client_keeps_the_database(
    harvester: Harvester, whole: Harvester, fault: str
) -> None:
    copy(whole, harvester)
    ended = crawl(harvester, 4, f"{fault}:path={EVERYTHING}", refresh=1)
    assert "accept_gone" not in ended.log
    assert set(statuses(harvester)) == {"planned"}
    assert harvester.contents()["engagements"] == whole.contents()["engagements"]
    crawl(harvester, 0, refresh=1)
    assert_whole(harvester, whole)


def test_a_kill_in_a_row_of_missing_records_leaves_none_of_them_gone(
    harvester: Harvester, whole: Harvester
) -> None:
    harvester.sandbox.set_faults([f"json_404:path={EVERYTHING},after=12"])
    harvester.interrupt_when(
        lambda: exists(harvester.database) and _count_doubted(harvester) > 3,
        signal.SIGKILL,
        settings={"MAX_GONE_ROW": 1000, "DOWNLOAD_DELAY": 0.02},
    )
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'gone'") > 3
    crawl(harvester, 0)
    assert_whole(harvester, whole)


def _count_doubted(harvester: Harvester) -> int:
    return int(harvester.value("SELECT count(*) FROM walks WHERE doubted"))


def test_a_row_of_missing_records_is_believed_if_the_seed_is_there(harvester: Harvester) -> None:
    ended = crawl(harvester, 0, "json_404:path=/likes/")
    assert "in a row without data: asking for a record known to be good" in ended.log
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'gone' AND NOT doubted") > 10
    seed = f"/tracks/soundcloud:tracks:{harvester.sandbox.seed_track_id}"
    stats = json.loads(harvester.value("SELECT stats FROM runs"))
    asked_again = [entry["path"] for entry in harvester.sandbox.log()].count(seed) - 1
    assert 1 <= asked_again <= stats["sgr/witnesses"]
    assert stats["sgr/requests"] == len(harvester.sandbox.log())
    harvester.rerun()


def test_a_mass_disappearance_in_a_refresh_needs_consent(harvester: Harvester, whole: Harvester) -> None:
    copy(whole, harvester)
    ended = crawl(harvester, 4, "json_404:path=/likes/,every=3", refresh=1)
    assert "max_gone_share is 5%): nothing is recorded as gone" in ended.log
    assert "-a accept_gone=1" in ended.log
    assert statuses(harvester).get("gone", 0) == statuses(whole).get("gone", 0)
    assert harvester.value("SELECT count(*) FROM walks WHERE setbacks > 0 AND status = 'planned'") >= MIN_LOST
    crawl(harvester, 0, "json_404:path=/likes/,every=2", refresh=1, accept_gone=1)
    assert statuses(harvester)["gone"] >= MIN_LOST
    harvester.rerun()


@pytest.mark.parametrize(
    ("lost", "before", "is_too_much"),
    [
        (1, 4, False),
        (4, 5, False),
        (4, 1000, False),
        (5, 100, False),
        (6, 100, True),
        (5, 51, True),
        (51, 51, True),
    ],
)
def test_few_losses_are_not_a_mass_disappearance(lost: int, before: int, *, is_too_much: bool) -> None:
    assert is_excessive(lost, before, 0.05) is is_too_much


def test_a_list_of_the_seed_that_the_api_hides_is_said_plainly(harvester: Harvester) -> None:
    ended = crawl(harvester, 3, "json_403:path=/favoriters")
    seed = harvester.sandbox.seed_track_id
    assert f"seed {seed}: track_favoriters refused (HTTP 403: 403 - Forbidden)" in ended.log
    harvester.rerun(3)


def test_a_good_answer_clears_only_doubts_from_before_its_request() -> None:
    row = [Doubt(1, 10.0, is_empty=False), Doubt(2, 20.0, is_empty=False), Doubt(3, 15.0, is_empty=True)]
    assert split_row(row, 15.0) == (row[:1], row[1:])
    assert split_row(row, 0.0) == ([], row)


@pytest.mark.parametrize("fault", ["json_401", "gateway_403", "gateway_404"])
def test_a_walk_that_alone_is_refused_fails_and_the_harvest_continues(
    harvester: Harvester, fault: str
) -> None:
    crawl(harvester, 3, f"{fault}:path=/reposters")
    assert harvester.query("SELECT endpoint, setbacks FROM walks WHERE status = 'failed'") == [
        ("track_reposters", 1)
    ]
    assert harvester.value("SELECT count(*) FROM walks WHERE status = 'planned'") == 0
    assert sum(entry["path"] == "/oauth/token" for entry in harvester.sandbox.log()) <= 2


def test_a_walk_that_stops_a_run_is_fetched_last_in_the_next_and_fails_alone(harvester: Harvester) -> None:
    crawl(harvester, 4, "html_403:path=/reposters")
    assert harvester.value("SELECT setbacks FROM walks WHERE endpoint = 'track_reposters'") == 1
    assert statuses(harvester)["planned"] > 3
    crawl(harvester, 3, "html_403:path=/reposters")
    unfinished = "SELECT endpoint FROM walks WHERE status IN ('planned', 'failed')"
    assert harvester.query(unfinished) == [("track_reposters",)]
    crawl(harvester, 0)
    assert harvester.value("SELECT setbacks FROM walks WHERE endpoint = 'track_reposters'") == 0


def test_a_seed_that_was_not_found_is_asked_for_again(harvester: Harvester, whole: Harvester) -> None:
    address = "https://soundcloud.com/nobody/nothing"
    ended = crawl(harvester, 3, track_id=12345, track_url=address)
    for seed in ("12345", address):
        assert f"seed {seed}: not found, check the address (HTTP 404: 404 - Not Found)" in ended.log
    crawl(harvester, 3, track_id=12345, track_url=address)
    assert {entry["path"] for entry in harvester.sandbox.log()} == {
        "/tracks/soundcloud:tracks:12345",
        "/resolve",
    }
    # Another one that the API misses only for a while.
    ended = crawl(harvester, 3, f"json_404:path={EVERYTHING}")
    assert f"seed {harvester.sandbox.seed_track_id}: not found, check the address" in ended.log
    crawl(harvester, 0)
    assert harvester.contents()["engagements"] == whole.contents()["engagements"]
