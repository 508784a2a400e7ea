"""Playlists and users as seeds: their tracks become seeds, up to ``max_seeds``."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.crawls import small
from tests.crawls.crawling import Harvester

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sgr_spiders.sandbox.world import World
    from tests.sandbox_process import SandboxProcess

QUICK = {"user_depth": {"max_users_per_track": 1, "max_tracks_per_user": 1}}


@pytest.fixture(scope="module")
def world() -> World:
    return small.build_world()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with small.start_sandbox() as process:
        yield process


@pytest.fixture
def harvester(sandbox: SandboxProcess, tmp_path: Path) -> Harvester:
    sandbox.clear_log()
    config = small.write_config(tmp_path / "quick.yaml", QUICK)
    return Harvester(sandbox, tmp_path / "harvest.db", config=str(config))


def _largest_playlist(world: World) -> int:
    visible = [int(number) for number in world.playlists.ids if world.playlist_tracks(int(number))]
    return max(visible, key=lambda number: len(_distinct_tracks(world, number)))


def _distinct_tracks(world: World, playlist: int) -> list[int]:
    return list(dict.fromkeys(world.playlist_tracks(playlist) or ()))


def _largest_artist(world: World) -> int:
    return max(world.user_ids(), key=lambda user: (len(world.uploads(user) or ()), user))


def _seeds(harvester: Harvester, run: int = 1) -> set[Any]:
    rows = harvester.query("SELECT track_id FROM run_seeds WHERE run_id = ? AND track_id NOTNULL", run)
    return {track for (track,) in rows}


def test_the_tracks_of_a_playlist_and_of_a_user_are_seeds(harvester: Harvester, world: World) -> None:
    playlist, artist = _largest_playlist(world), _largest_artist(world)
    listed, uploads = _distinct_tracks(world, playlist), world.uploads(artist) or []
    assert min(len(listed), len(uploads)) > 3
    owner = next(user for user in world.user_ids() if playlist in (world.playlists_of(user) or ()))
    page = f"http://m.soundcloud.com/{world.permalink_of(owner)}/sets/set-{playlist}/?si=1"
    given: dict[str, Any] = {"track_url": f"/{world.permalink_of(artist)},{page}", "max_seeds": 3}
    ended = harvester.crawl(**given)
    assert ended.code == 0, ended.log
    assert _seeds(harvester) == {*listed[:3], *uploads[:3]}
    for what, record_id in (("playlist", playlist), ("user", artist)):
        total = harvester.value(f"SELECT track_count FROM {what}s WHERE {what}_id = ?", record_id)  # noqa: S608
        line = rf"Seeds from {what} %: 3 of {total} tracks; {total - 3} are left out by max_seeds=3"
        before, _, after = line.partition("%")
        assert any(before in row and after in row for row in ended.log.splitlines()), (line, ended.log)
    # Said before the first request around a seed.
    paths = [request["path"] for request in harvester.sandbox.log() if request["path"] != "/oauth/token"]
    assert sorted(paths[:2]) == ["/resolve", "/resolve"]
    wanted = harvester.query("SELECT DISTINCT seed_id FROM walk_requests")
    assert {seed for (seed,) in wanted} == _seeds(harvester)
    harvester.rerun()
    assert _seeds(harvester, run=2) == _seeds(harvester)

    more = harvester.crawl(**given | {"max_seeds": 4})
    assert more.code == 0, more.log
    assert _seeds(harvester, run=3) == {*listed[:4], *uploads[:4]}


def test_a_budget_ends_the_look_up_and_a_rerun_goes_on(harvester: Harvester, world: World) -> None:
    playlist = _largest_playlist(world)
    given: dict[str, Any] = {
        "track_id": f"soundcloud:playlists:{playlist},track:{harvester.sandbox.seed_track_id}"
    }
    first = harvester.crawl(**given, max_requests=2)
    assert first.code == 3
    assert "the budget of 2 requests is spent" in first.log
    second = "SELECT run_id FROM runs WHERE run_id = 2"
    harvester.interrupt_when(lambda: bool(harvester.query(second)), signal.SIGKILL, **given)
    last = harvester.crawl(**given)
    assert last.code == 0, last.log
    assert _seeds(harvester, run=3) == {
        *_distinct_tracks(world, playlist)[:20], harvester.sandbox.seed_track_id,
    }  # fmt: skip


def test_a_list_whose_tracks_are_seeds_already_is_not_empty(harvester: Harvester, world: World) -> None:
    playlist = _largest_playlist(world)
    first, *_ = _distinct_tracks(world, playlist)
    ended = harvester.crawl(track_id=f"{first},playlist:{playlist}", max_seeds=1)
    assert ended.code == 0, ended.log
    assert _seeds(harvester) == {first}
    assert "Seeds from playlist" not in ended.log or ": 1 of " in ended.log


def test_what_is_gone_or_private_is_no_seed(harvester: Harvester, world: World) -> None:
    hidden = next(int(number) for number in world.playlists.ids if not world.playlist_is_visible(int(number)))
    empty = next(
        user for user in world.user_ids() if world.user_is_visible(user) and world.uploads(user) == []
    )
    seed = harvester.sandbox.seed_track_id
    ended = harvester.crawl(
        track_id=f"{seed},playlist:{hidden},user:{empty}", track_url="/no-such-user, no-such-user/sets/x"
    )
    assert ended.code == 3, ended.log
    assert _seeds(harvester) == {seed}
    for lost in (f"playlist:{hidden}", "/no-such-user", "no-such-user/sets/x"):
        assert f"seed {lost}: not found, check the address (HTTP 404" in ended.log
    assert f"seed user:{empty}: no public tracks" in ended.log
