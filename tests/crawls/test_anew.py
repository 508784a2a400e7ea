"""Walks begin at page 1 when they are stale or the API refuses their cursor, also if they were half done."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.crawls.crawling import Harvester
from tests.crawls.small import settings_of, start_sandbox
from tests.crawls.test_changes import Harvest, compare, crawl, read_harvest
from tests.databases import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess

LATER_PAGES = r"[?&](cursor|page_number|offset)=[^&]*[1-9]"
SETTINGS = settings_of(user_depth={"max_users_per_track": 9, "max_tracks_per_user": 14})


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def half_done(sandbox: SandboxProcess, tmp_path: Path) -> Harvester:
    """Return a harvest whose lists all failed at their second page."""
    harvester = Harvester(sandbox, tmp_path / "harvest.db", {"RETRY_TIMES": 0})
    sandbox.set_faults([{"name": "text_503", "path": LATER_PAGES}])
    first = crawl(harvester, SETTINGS, "user_depth", code=3)
    assert sum(state[0] == "failed" and state[5] == 2 for state in first.walks.values()) > 5
    sandbox.clear_faults()
    return harvester


def fetch_anew(harvester: Harvester) -> Harvest:
    """Harvest the same world into an empty database."""
    return crawl(
        Harvester(harvester.sandbox, harvester.database.with_name("fresh.db")), SETTINGS, "user_depth"
    )


def edit(harvester: Harvester, statement: str) -> None:
    with closing(connect(harvester.database)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_refresh_of_failed_walks_mixes_no_old_half_with_a_new_one(half_done: Harvester) -> None:
    before = read_harvest(half_done)
    half_done.sandbox.mutate(rounds=2)
    second = crawl(half_done, SETTINGS, "user_depth", refresh=1)
    compare(before, second, fetch_anew(half_done))


def test_half_done_walks_begin_anew_when_they_are_stale(sandbox: SandboxProcess, tmp_path: Path) -> None:
    harvester = Harvester(sandbox, tmp_path / "harvest.db")
    first = crawl(harvester, SETTINGS, "user_depth", code=3, max_requests=14)
    begun = {key for key, state in first.walks.items() if state[5]}
    half = {key for key in begun if first.walks[key][0] == "planned"}
    assert half
    edit(harvester, "UPDATE walks SET started_at = '2020' || substr(started_at, 5)")
    edit(harvester, "UPDATE walks SET finished_at = '2020' || substr(finished_at, 5)")
    sandbox.mutate(rounds=2)
    second, fresh = crawl(harvester, SETTINGS, "user_depth"), fetch_anew(harvester)
    assert {key: second.walks[key] for key in fresh.walks} == fresh.walks
    assert {key: second.places[key] for key in fresh.walks} == fresh.places
    assert {key: second.generations[key] for key in fresh.walks} == {
        key: int(key in begun) for key in fresh.walks
    }


def test_fresh_half_done_walks_are_resumed(half_done: Harvester) -> None:
    half_done.sandbox.clear_log()
    second = crawl(half_done, SETTINGS, "user_depth")
    assert set(second.generations.values()) == {0}
    fresh = fetch_anew(half_done)
    assert second.places == fresh.places
    assert second.requests < fresh.requests


def test_a_refused_cursor_begins_anew_once(half_done: Harvester) -> None:
    failed = half_done.value("SELECT count(*) FROM walks WHERE status = 'failed'")
    half_done.sandbox.set_faults([{"name": "refused_cursor", "path": LATER_PAGES, "times": failed}])
    second = crawl(half_done, SETTINGS, "user_depth")
    assert half_done.log().count("; it begins again at page 1") == failed
    half_done.sandbox.clear_faults()
    fresh = fetch_anew(half_done)
    assert second.places == fresh.places
    assert {key: state[:3] for key, state in second.walks.items()} == {
        key: state[:3] for key, state in fresh.walks.items()
    }


@pytest.mark.slow
def test_a_cursor_that_is_always_refused_ends_its_walk(half_done: Harvester) -> None:
    failed = half_done.value("SELECT count(*) FROM walks WHERE status = 'failed'")
    half_done.sandbox.set_faults([{"name": "refused_cursor", "path": LATER_PAGES}])
    second = crawl(half_done, SETTINGS, "user_depth", code=3)
    # The stored cursor, page 1, and its new cursor.
    assert sum(second.requests.values()) == 3 * failed
    assert half_done.query("SELECT DISTINCT reason FROM walks WHERE status = 'failed'") == [
        ("HTTP 400: invalid cursor",)
    ]
    # The next run tries the same once more, and then it works.
    half_done.sandbox.set_faults([{"name": "refused_cursor", "path": LATER_PAGES, "times": failed}])
    third = crawl(half_done, SETTINGS, "user_depth")
    half_done.sandbox.clear_faults()
    assert third.places == fetch_anew(half_done).places


def test_a_fault_of_the_router_is_no_refusal_of_the_cursor(half_done: Harvester) -> None:
    half_done.sandbox.set_faults([{"name": "text_404", "path": LATER_PAGES}])
    second = crawl(half_done, SETTINGS, "user_depth", code=3)
    assert set(second.generations.values()) == {0}
