"""A harvest of ``user_depth`` agrees with the world of the sandbox."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.sandbox.world import World
from tests.crawls.crawling import Harvester
from tests.databases import stored_bytes
from tests.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def world() -> World:
    return World.build()


def _listeners(world: World, seed: int) -> set[int]:
    return {*(world.likers(seed) or ()), *(world.reposters(seed) or ())}


@pytest.mark.parametrize("alone", [{}, {"spider": "deep_harvest", "layers": "user_depth"}])
def test_all_listeners_and_their_complete_libraries_are_found(
    harvester: Harvester, world: World, alone: dict[str, Any]
) -> None:
    ended = harvester.crawl(**alone)
    assert ended.code == 0, ended.log
    seed = harvester.sandbox.seed_track_id
    likes = {(user, seed) for user in world.likers(seed) or ()}
    for user in _listeners(world, seed):
        likes |= {(user, track) for track in world.library(user) or ()}
    reposts = {(user, seed) for user in world.reposters(seed) or ()}
    assert set(harvester.query("SELECT user_id, track_id FROM engagements WHERE kind = 'like'")) == likes
    assert set(harvester.query("SELECT user_id, track_id FROM engagements WHERE kind = 'repost'")) == reposts
    assert len(likes) > 1000
    tracks = {track for _, track in likes}
    assert {track for (track,) in harvester.query("SELECT track_id FROM tracks WHERE NOT is_stub")} == tracks
    found = harvester.query("SELECT record_id FROM discoveries WHERE kind = 'track' AND layer = 'user_depth'")
    assert {track for (track,) in found} == tracks


def test_hidden_libraries_are_gone_without_an_error(harvester: Harvester, world: World) -> None:
    assert harvester.crawl().code == 0
    hidden = {
        user for user in _listeners(world, harvester.sandbox.seed_track_id) if world.library(user) is None
    }
    assert hidden
    gone = harvester.query("SELECT target FROM walks WHERE endpoint = 'user_likes' AND status = 'gone'")
    assert {int(user) for (user,) in gone} == hidden


def test_an_empty_library_is_done_without_an_error(world: World, tmp_path: Path) -> None:
    with SandboxProcess() as sandbox:
        seed = sandbox.seed_track_id
        likers, reposters = world.likers(seed) or (), world.reposters(seed) or ()
        user = next(user for user in reposters if user not in likers and world.library(user))
        sandbox.mutate(unlike=[[user, track] for track in world.library(user) or ()])
        harvester = Harvester(sandbox, tmp_path / "harvest.db")
        assert harvester.crawl().code == 0
    walk = "SELECT status, reason, received, kept FROM walks WHERE endpoint = 'user_likes' AND target = ?"
    assert harvester.query(walk, str(user)) == [("done", None, 0, 0)]


def test_received_and_expected_counts_are_recorded(harvester: Harvester, world: World) -> None:
    assert harvester.crawl().code == 0
    seed = harvester.sandbox.seed_track_id
    ((received, kept, expected),) = harvester.query(
        "SELECT received, kept, expected FROM walks WHERE endpoint = 'track_favoriters'"
    )
    assert received == kept == len(world.likers(seed) or ())
    promised = harvester.value("SELECT favoritings_count FROM tracks WHERE track_id = ?", seed)
    assert expected == promised
    assert harvester.value("SELECT count(*) FROM walks WHERE endpoint = 'user_likes' AND expected > 0") > 10


def test_caps_cut_exactly_and_are_the_reason(harvester: Harvester, world: World, tmp_path: Path) -> None:
    config = tmp_path / "small.yaml"
    config.write_text(
        "deep_harvest: {request_delay: 0, user_depth: {max_users_per_track: 7, max_tracks_per_user: 25}}"
    )
    assert harvester.crawl(config=config).code == 0
    seed = harvester.sandbox.seed_track_id
    likers, reposters = (world.likers(seed) or [])[:7], (world.reposters(seed) or [])[:7]
    on_seed = (
        "SELECT record_id FROM walk_records JOIN walks USING (walk_id) WHERE endpoint = ? ORDER BY position"
    )
    assert [user for (user,) in harvester.query(on_seed, "track_favoriters")] == likers
    assert [user for (user,) in harvester.query(on_seed, "track_reposters")] == reposters
    for user in {*likers, *reposters}:
        library = world.library(user)
        liked = harvester.query("SELECT track_id FROM engagements WHERE user_id = ? AND kind = 'like'", user)
        assert {track for (track,) in liked} - {seed} == set((library or [])[:25]) - {seed}
        status = harvester.value(
            "SELECT status FROM walks WHERE endpoint = 'user_likes' AND target = ?", str(user)
        )
        assert status == ("gone" if library is None else "capped" if len(library) > 25 else "done")
    assert harvester.query("SELECT DISTINCT reason FROM walks WHERE status = 'capped' ORDER BY 1") == [
        ("cap of 25",),
        ("cap of 7",),
    ]


def test_every_record_has_the_seed_and_layer_that_found_it(harvester: Harvester) -> None:
    assert harvester.crawl().code == 0
    for kind, table in (("track", "tracks"), ("user", "users")):
        whole = harvester.query(f"SELECT {kind}_id FROM {table} WHERE NOT is_stub")  # noqa: S608 - constants
        found = harvester.query("SELECT record_id FROM discoveries WHERE kind = ?", kind)
        assert set(whole) == set(found)
    assert harvester.query("SELECT DISTINCT seed_id, layer FROM discoveries") == [
        (harvester.sandbox.seed_track_id, "user_depth")
    ]


def test_requests_keep_the_delay(harvester: Harvester, tmp_path: Path) -> None:
    config = tmp_path / "slow.yaml"
    config.write_text("deep_harvest: {request_delay: 0.2}")
    assert harvester.crawl(config=config, max_requests=12).code == 3
    times = [entry["time"] for entry in harvester.sandbox.log() if entry["path"] != "/oauth/token"]
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert len(gaps) == 11
    # A request may take longer to arrive than the next one, but not all of them.
    assert sum(gap > 0.15 for gap in gaps) >= 8
    assert sum(gaps) >= 10 * 0.2


def test_reposters_can_be_excluded(harvester: Harvester, tmp_path: Path) -> None:
    config = tmp_path / "likers.yaml"
    config.write_text("deep_harvest: {request_delay: 0, user_depth: {include_reposters: false}}")
    assert harvester.crawl(config=config).code == 0
    assert not any("/reposters" in entry["path"] for entry in harvester.sandbox.log())
    assert harvester.value("SELECT count(*) FROM engagements WHERE kind = 'repost'") == 0


def test_private_items_and_audio_are_never_requested_or_stored(harvester: Harvester, world: World) -> None:
    assert harvester.crawl().code == 0
    for entry in harvester.sandbox.log():
        assert "secret_token" not in str(entry["query"])
        assert not entry["path"].endswith(("/stream", "/streams", "/download"))
    kept = harvester.query("SELECT track_id FROM tracks")
    assert all(world.track_is_visible(track) for (track,) in kept)
    stored = stored_bytes(harvester.database)
    assert not any(word in stored for word in (b"secret_", b"stream_url", b"download_url", b"/stream"))
