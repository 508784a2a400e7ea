"""Caps that cut in real crawls: the planner and the spill cut exactly where the layers specify."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from sgr_spiders.sandbox.world import World
from sgr_spiders.titles.similarity import similarity
from sgr_spiders.titles.terms import key_terms
from tests.crawls.crawling import Harvester
from tests.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SMALL: Mapping[str, Mapping[str, object]] = {
    "user_depth": {"max_users_per_track": 3, "max_tracks_per_user": 2},
    "artist_depth": {"max_artist_tracks": 4, "include_features": False, "include_remixes": False},
    "semantic_depth": {"fuzzy_search_limit": 6, "max_key_terms": 2, "name_similarity_threshold": 0.5},
    "commentary_layer": {"max_commenters": 3},
    "playlist_depth": {
        "max_playlists": 3,
        "max_tracks_per_playlist": 5,
        "include_liker_playlists": False,
        "max_search_playlists": 4,
    },
}
NOTHING: Mapping[str, Mapping[str, object]] = {
    "user_depth": {"max_users_per_track": 0},
    "artist_depth": {"max_artist_tracks": 0},
    "semantic_depth": {"max_key_terms": 0},
    "commentary_layer": {"max_commenters": 0},
    "playlist_depth": {"max_likers": 0, "include_artist_playlists": False, "max_search_playlists": 0},
    "label_layer": {"max_labels_per_track": 0},
    "contextual_layer": {"max_entities": 0},
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


def crawl(sandbox: SandboxProcess, folder: Path, layers: Mapping[str, Mapping[str, object]]) -> Harvester:
    """Harvest with these sections, all other layers disabled."""
    names = (
        "user_depth", "playlist_depth", "artist_depth", "semantic_depth", "commentary_layer", "label_layer",
        "contextual_layer",
    )  # fmt: skip
    config = folder / "caps.yaml"
    sections = {name: dict(layers.get(name, {"enabled": False})) for name in names}
    whole = {"deep_harvest": {"request_delay": 0, **sections}, "relationships": {"on_close": False}}
    config.write_text(yaml.safe_dump(whole))
    harvester = Harvester(sandbox, folder / "harvest.db", config=str(config))
    ended = harvester.crawl("deep_harvest")
    assert ended.code == 0, ended.log
    return harvester


@pytest.fixture(scope="module")
def capped(sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Harvester:
    return crawl(sandbox, tmp_path_factory.mktemp("caps"), SMALL)


@pytest.fixture(scope="module")
def world() -> World:
    return World.build()


def found(harvester: Harvester, layer: str, kind: str) -> set[int]:
    rows = harvester.query("SELECT record_id FROM discoveries WHERE layer = ? AND kind = ?", layer, kind)
    return {row[0] for row in rows}


def test_user_depth(capped: Harvester, world: World) -> None:
    seed = world.seed_track_id
    likers, reposters = list(world.likers(seed) or ()), list(world.reposters(seed) or ())
    assert len(likers) > 3
    assert len(reposters) > 3
    users = dict.fromkeys([*likers[:3], *reposters[:3]])
    libraries = {user: list(world.library(user) or ())[:2] for user in users}
    assert found(capped, "user_depth", "user") >= set(users)
    kept = {track for library in libraries.values() for track in library}
    assert found(capped, "user_depth", "track") == kept | {seed}
    walks = "SELECT target FROM walks JOIN walk_requests USING (walk_id) WHERE layer = ? AND step = 'library'"
    assert {int(row[0]) for row in capped.query(walks, "user_depth")} == set(users)


def test_artist_depth(capped: Harvester, world: World) -> None:
    uploads = list(world.uploads(world.seed_artist_id) or ())
    assert len(uploads) > 4
    assert found(capped, "artist_depth", "track") == {*uploads[:4], world.seed_track_id}


def test_semantic_depth(capped: Harvester, world: World) -> None:
    seed, title = world.seed_track_id, world.title_of(world.seed_track_id)
    terms = key_terms(title, world.username_of(world.seed_artist_id), 2)
    hits = {hit for term in terms for hit in world.search_tracks(term)[:6]} - {seed}
    similar = {hit for hit in hits if similarity(title, world.title_of(hit)) >= 0.5}
    assert len(terms) == 2
    assert similar
    assert similar < hits
    assert found(capped, "semantic_depth", "track") == similar | {seed}


def test_commentary_layer(capped: Harvester, world: World) -> None:
    comments = world.comments_on(world.seed_track_id) or []
    fans = list(dict.fromkeys(comment.user_id for comment in comments))
    assert len(fans) > 3
    libraries = {track for fan in fans[:3] for track in world.library(fan) or ()}
    assert found(capped, "commentary_layer", "track") == libraries | {world.seed_track_id}


def test_playlist_depth(capped: Harvester, world: World) -> None:
    seed, artist = world.seed_track_id, world.seed_artist_id
    own = sorted(world.playlists_of(artist) or ())
    (term,) = key_terms(world.title_of(seed), None, 1)
    candidates = list(dict.fromkeys([*own, *sorted(world.search_playlists(term)[:4])]))
    with_seed = [playlist for playlist in candidates if seed in (world.playlist_tracks(playlist) or [])]
    ordered = [*with_seed, *(playlist for playlist in own if playlist not in with_seed)]
    assert len(ordered) > 3
    assert found(capped, "playlist_depth", "playlist") == set(ordered[:3])
    tracks: set[int] = set()
    for one in ordered[:3]:
        tracks |= set(list(dict.fromkeys(world.playlist_tracks(one) or ()))[:5])
    assert found(capped, "playlist_depth", "track") == tracks | {seed}


def test_caps_of_0_fetch_only_the_seed(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.clear_log()
    harvester = crawl(sandbox, tmp_path, NOTHING)
    paths = [entry["path"] for entry in sandbox.log() if entry["path"] != "/oauth/token"]
    # The key term of the title is not searched for either: its cap is also 0.
    assert len(paths) == 1, paths
    assert harvester.query("SELECT DISTINCT kind, record_id FROM discoveries WHERE kind = 'track'") == [
        ("track", sandbox.seed_track_id)
    ]
