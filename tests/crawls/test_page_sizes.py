"""A page that the API cannot return is asked for in smaller parts, and nothing of it is lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.crawls.crawling import Harvester
from tests.crawls.small import start_sandbox, write_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess

FAST = {"BACKOFF_BASE": 0.01, "BACKOFF_MAX": 0.05, "RETRY_TIMES": 1}
MORE_THAN = {
    40: r"(limit|page_size)=(200|100|50|40)(&|$)",
    10: r"(limit|page_size)=(200|100|50|40|25|20|12)(&|$)",
    2: r"(limit|page_size)=(20|10|5)(&|$)",
}
"""Patterns of requests for more items per page than these."""
TABLES = {
    "tracks": "track_id, title, artist_id",
    "users": "user_id, username",
    "playlists": "playlist_id, title, track_count",
    "playlist_tracks": "playlist_id, track_id, position",
    "engagements": "user_id, track_id, kind",
    "discoveries": "kind, record_id, layer",
}


@pytest.fixture(scope="module")
def world() -> Iterator[SandboxProcess]:
    with start_sandbox(page_size=40) as sandbox:
        yield sandbox


def harvester_in(folder: Path, world: SandboxProcess) -> Harvester:
    config = write_config(folder / "whole.yaml", {"playlist_depth": {"max_playlists": 1000}})
    return Harvester(world, folder / "harvest.db", settings=FAST, config=str(config))


@pytest.fixture
def harvester(world: SandboxProcess, tmp_path: Path) -> Iterator[Harvester]:
    world.clear_log()
    yield harvester_in(tmp_path, world)
    world.clear_faults()


def contents(harvester: Harvester) -> dict[str, list[Any]]:
    return {
        table: sorted(harvester.query(f"SELECT {columns} FROM {table}"), key=repr)  # noqa: S608
        for table, columns in TABLES.items()
    }


def harvest(harvester: Harvester, **settings: Any) -> str:
    ended = harvester.crawl("deep_harvest", settings, layers="user_depth,playlist_depth")
    assert ended.code == 0, ended.log
    assert "Traceback" not in ended.log
    return ended.log


@pytest.fixture(scope="module")
def undisturbed(world: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    harvester = harvester_in(tmp_path_factory.mktemp("undisturbed"), world)
    harvest(harvester)
    return contents(harvester)


def test_nothing_is_lost_with_smaller_pages(harvester: Harvester, undisturbed: dict[str, list[Any]]) -> None:
    """Pages are too large, refused as too large, cut off, too much for the server, or never arrive."""
    harvester.sandbox.set_faults(
        [
            f"huge_body:mib=2,path=^/users/[^/]+/playlists.*{MORE_THAN[2]}",
            f"error:status=413,path=/playlists\\?.*{MORE_THAN[2]}",
            f"truncated_body:path=/favoriters.*{MORE_THAN[10]}",
            f"empty_504:path=/reposters.*{MORE_THAN[40]}",
            f"error:status=414,path=/likes.*{MORE_THAN[10]}",
            "hang:path=^/playlists/[^/]+/tracks\\?(?!.*limit=)",
        ]
    )
    log = harvest(harvester, DOWNLOAD_MAXSIZE=1_000_000, DOWNLOAD_TIMEOUT=1)
    assert contents(harvester) == undisturbed
    assert "Asking for less per page of user_playlists" in log
    assert harvester.value("SELECT count(*) FROM walks WHERE page_limit IS NOT NULL") > 10
    harvester.rerun()


def test_playlists_that_are_too_large_with_their_tracks_are_listed_without_them(
    harvester: Harvester, undisturbed: dict[str, list[Any]]
) -> None:
    harvester.sandbox.set_faults(["empty_500:path=show_tracks=true"])
    harvest(harvester)
    found = contents(harvester)
    for table in ("playlists", "engagements", "discoveries"):
        assert found[table] == undisturbed[table], table
    # Positions in the two lists differ where tracks are hidden.
    assert [row[:2] for row in found["playlist_tracks"]] == [
        row[:2] for row in undisturbed["playlist_tracks"]
    ]
    asked = {entry["path"] for entry in harvester.sandbox.log() if entry["path"].endswith("/tracks")}
    assert len(asked) > 10
    assert harvester.query(
        "SELECT DISTINCT page_limit, without_tracks FROM walks WHERE endpoint LIKE '%lists'"
    ) == [(None, 1)]


def test_a_walk_remembers_the_size_of_its_pages(harvester: Harvester) -> None:
    """A resumed walk does not begin with a page that is too large; on small pages the size grows again."""
    harvester.sandbox.set_faults(["error:status=500,path=/favoriters"])
    ended = harvester.crawl()
    assert ended.code == 3, ended.log
    ((reason, limit),) = harvester.query(
        "SELECT reason, page_limit FROM walks WHERE endpoint = 'track_favoriters'"
    )
    assert reason == "HTTP 500: 500 - Internal Server Error, even for the smallest page"
    assert limit == 1
    harvester.sandbox.clear_faults()
    harvester.sandbox.clear_log()
    assert harvester.crawl().code == 0
    asked = [entry["query"] for entry in harvester.sandbox.log() if "/favoriters" in entry["path"]]
    sizes = [size for query in asked for size in re.findall(r"(?:limit|page_size)=(\d+)", query)]
    assert sizes == ["1", "2", "4", "8"]


@pytest.mark.slow
def test_a_list_that_repeats_itself_is_left(harvester: Harvester) -> None:
    harvester.sandbox.set_faults(["endless_list:path=/favoriters", "endless_list:path=/reposters,new=1"])
    ended = harvester.crawl(settings={"LOG_LEVEL": "INFO"})
    assert ended.code == 3, ended.log
    reasons = dict(harvester.query("SELECT endpoint, reason FROM walks WHERE status = 'failed'"))
    assert reasons["track_favoriters"] == "the list repeats: 10 consecutive pages without a new record"
    assert (
        "the list does not end" in reasons["track_reposters"]
        or "the list repeats" in reasons["track_reposters"]
    )


@pytest.mark.parametrize("status", [405, 451])
def test_a_refused_list_is_told_once_and_left(harvester: Harvester, status: int) -> None:
    harvester.sandbox.set_faults([f"error:status={status},path=/reposters"])
    ended = harvester.crawl()
    assert ended.code == 3, ended.log
    assert "1 walk refused by the API" in ended.log
    ((state, reason),) = harvester.query(
        "SELECT status, reason FROM walks WHERE endpoint = 'track_reposters'"
    )
    assert (state, reason.partition(" - ")[0]) == ("gone", f"refused: HTTP {status}: {status}")
    later = harvester.rerun()
    assert "gone: deleted, private, hidden or refused" in later.log
    assert reason in later.log
