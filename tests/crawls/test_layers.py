"""Each layer finds what it is for, compared with the world of the sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.sandbox.communities import communities_of
from sgr_spiders.sandbox.world import World
from sgr_spiders.titles.similarity import similarity
from sgr_spiders.titles.terms import key_terms
from tests.crawls.crawling import Harvester
from tests.scrapy_process import scrapy

if TYPE_CHECKING:
    from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def world() -> World:
    return World.build()


@pytest.fixture(scope="module")
def deep(shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Harvester:
    """Harvest the sandbox's seed with all layers."""
    shared_sandbox.clear_faults()
    shared_sandbox.clear_log()
    harvester = Harvester(shared_sandbox, tmp_path_factory.mktemp("deep") / "harvest.db")
    ended = harvester.crawl("deep_harvest")
    assert ended.code == 0, ended.log
    harvester.requests = [entry for entry in shared_sandbox.log() if entry["path"] != "/oauth/token"]
    return harvester


def discovered(harvester: Harvester, layer: str, kind: str) -> set[int]:
    rows = harvester.query("SELECT record_id FROM discoveries WHERE layer = ? AND kind = ?", layer, kind)
    return {row[0] for row in rows}


def visible_tracks(world: World) -> list[int]:
    return [track for track in world.track_ids() if world.track_is_visible(track)]


def test_every_layer_finds_something(deep: Harvester) -> None:
    layers = {layer for (layer,) in deep.query("SELECT DISTINCT layer FROM discoveries")}
    assert layers == set(LAYER_NAMES)


def test_nothing_is_fetched_twice(deep: Harvester) -> None:
    asked = [(entry["path"], entry["query"]) for entry in deep.requests]
    assert len(asked) == len(set(asked))


def test_artist_depth_finds_the_discography(deep: Harvester, world: World) -> None:
    artist = world.seed_artist_id
    uploads = set(world.uploads(artist) or ())
    name = world.username_of(artist)
    hits = [track for track in world.search_tracks(name) if world.artist_of(track) != artist]
    credited_by_field = "SELECT track_id FROM tracks WHERE metadata_artist = ?"
    in_field = {track for (track,) in deep.query(credited_by_field, name)}
    # Labels also upload the artist's tracks, and others their remixes, as "Artist - Title".
    credited = {
        track
        for track in hits
        if any(credit.user_id == artist for credit in world.credits(track))
        or world.title_of(track).startswith(f"{name} - ")
        or track in in_field
    }
    assert uploads
    assert len(credited) > 20
    assert discovered(deep, "artist_depth", "track") == uploads | credited | {world.seed_track_id}


def test_semantic_depth_finds_similar_names(deep: Harvester, world: World) -> None:
    seed = world.seed_track_id
    title = world.title_of(seed)
    hits = {
        hit
        for term in key_terms(title, world.username_of(world.seed_artist_id), 3)
        for hit in world.search_tracks(term)[:100]
    }
    similar = {hit for hit in hits - {seed} if similarity(title, world.title_of(hit)) >= 0.6}
    assert similar
    assert discovered(deep, "semantic_depth", "track") == similar | {seed}
    scores = deep.query("SELECT score FROM selections WHERE layer = 'semantic_depth' AND kind = 'track'")
    assert all(0.6 <= score <= 1 for (score,) in scores)


def test_playlist_depth_finds_the_playlists_with_the_seed(deep: Harvester, world: World) -> None:
    seed, artist = world.seed_track_id, world.seed_artist_id
    likers = deep.query(
        "SELECT user_id FROM users JOIN engagements USING (user_id) WHERE track_id = ? AND kind = 'like' "
        "ORDER BY followers_count DESC, user_id LIMIT 50",
        seed,
    )
    (term,) = key_terms(world.title_of(seed), None, 1)
    reachable = set(world.playlists_of(artist) or ()) | set(world.search_playlists(term)[:50])
    for (liker,) in likers:
        reachable |= set((world.playlists_of(liker) or [])[:50])
    expected = (set(world.playlists_with(seed)) & reachable) | set(world.playlists_of(artist) or ())
    assert len(expected) > 5
    assert discovered(deep, "playlist_depth", "playlist") == expected
    for playlist in expected:
        rows = deep.query(
            "SELECT track_id FROM playlist_tracks WHERE playlist_id = ? ORDER BY position", playlist
        )
        assert [row[0] for row in rows] == list(dict.fromkeys(world.playlist_tracks(playlist) or ()))


def test_commentary_layer_finds_the_fans(deep: Harvester, world: World) -> None:
    seed = world.seed_track_id
    comments = world.comments_on(seed) or []
    assert {row[0] for row in deep.query("SELECT comment_id FROM comments")} == {
        c.comment_id for c in comments
    }
    fans = {comment.user_id for comment in comments}
    engaged = deep.query("SELECT user_id FROM engagements WHERE kind = 'comment' AND track_id = ?", seed)
    assert {row[0] for row in engaged} == fans
    libraries = {track for fan in fans for track in world.library(fan) or ()}
    assert discovered(deep, "commentary_layer", "track") == libraries | {seed}


def test_label_layer_finds_the_catalogue(deep: Harvester, world: World) -> None:
    seed = world.seed_track_id
    label = world.label_of(seed)
    assert label is not None
    account = world.label_account(label)
    expected = {track for track in visible_tracks(world) if world.label_of(track) == label}
    if account is not None:
        uploads = world.uploads(account) or []
        expected |= set(uploads)
        assert account in discovered(deep, "label_layer", "user")
        assert set(uploads[:200]) <= discovered(deep, "label_layer", "track")
    kept = discovered(deep, "label_layer", "track") - {seed}
    assert kept <= expected
    assert len(kept) == min(200, len(expected - {seed}))


def test_contextual_layer_finds_the_collaborators(deep: Harvester, world: World) -> None:
    seed = world.seed_track_id
    credited = {credit.user_id for credit in world.credits(seed)}
    assert credited
    assert credited <= discovered(deep, "contextual_layer", "user")
    mentions = deep.query("SELECT kind, user_id FROM track_mentions WHERE track_id = ?", seed)
    assert credited <= {user for _, user in mentions}
    tracks = discovered(deep, "contextual_layer", "track")
    for user in credited:
        assert set((world.uploads(user) or [])[:50]) <= tracks


@pytest.mark.parametrize("layer", LAYER_NAMES)
def test_a_layer_finds_the_same_alone_and_with_all_others(
    harvester: Harvester, deep: Harvester, layer: str
) -> None:
    ended = harvester.crawl(layer)
    assert ended.code == 0, ended.log
    for kind in ("track", "user", "playlist", "comment"):
        assert discovered(harvester, layer, kind) == discovered(deep, layer, kind)
    assert harvester.query("SELECT DISTINCT layer FROM discoveries") == [(layer,)]


def test_the_profile_of_the_seed_tells_its_planted_community(deep: Harvester, world: World) -> None:
    shown = scrapy("profile", str(world.seed_track_id), "--json", "--limit", "100000", "--database", deep.url)
    assert shown.code == 0, shown.err
    found = json.loads(shown.out)
    fans = {*(world.likers(world.seed_track_id) or ()), *(world.reposters(world.seed_track_id) or ())}
    assert found["listeners"] == len(fans)
    assert found["looked_at"] == sum(bool(world.library(fan)) for fan in fans)
    planted = communities_of(world.options.name)
    assert planted is not None
    community = dict(zip(planted.tracks.tolist(), planted.styles.tolist(), strict=True))
    ranked = [row["id"] for row in found["tracks"]["found"]]
    assert world.seed_track_id not in ranked
    assert all(community[track] == 0 for track in ranked[:40])
    assert auc(ranked, {track for track in ranked if community[track] == 0}) >= 0.98
    by_count = sorted(found["tracks"]["found"], key=lambda row: -row["listeners"])
    assert auc([row["id"] for row in by_count], {track for track in ranked if community[track] == 0}) < 0.8
    assert found["genres"]["found"][0]["name"] == "lo-fi hip hop"
    assert found["genres"]["above"] == 1


def auc(ranked: list[int], relevant: set[int]) -> float:
    """Return the share of pairs of a relevant track and another one in which the relevant one is first."""
    before = pairs = 0
    for track in ranked:
        if track in relevant:
            before += 1
        else:
            pairs += before
    return pairs / (len(relevant) * (len(ranked) - len(relevant)))
