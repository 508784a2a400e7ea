"""Caps cut exactly, in the order of the API, even within a page and if layers share a walk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.reports.caps import count_by_setting
from sgr_spiders.storage.figures.overview import count_walks, find_capped
from sgr_spiders.storage.store import Store
from sgr_spiders.titles.terms import key_terms
from tests.crawls.crawling import Harvester
from tests.crawls.small import build_world, settings_of, start_sandbox, write_config
from tests.databases import url_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sgr_spiders.sandbox.world import World
    from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def deep(shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Harvester:
    """Harvest with all layers and small caps."""
    harvester = Harvester(shared_sandbox, tmp_path_factory.mktemp("deep") / "harvest.db")
    crawl(harvester, settings_of(), "deep_harvest")
    harvester.rerun()
    return harvester


def crawl(harvester: Harvester, settings: dict[str, Any], spider: str, **arguments: Any) -> None:
    config = write_config(harvester.database.with_suffix(".yaml"), settings)
    harvester.sandbox.clear_log()
    ended = harvester.crawl(spider, config=config, **arguments)
    assert ended.code == 0, ended.log


def selected_ids(harvester: Harvester, layer: str, kind: str) -> list[int]:
    rows = harvester.query(
        "SELECT record_id FROM selections WHERE layer = ? AND kind = ? ORDER BY record_id", layer, kind
    )
    return [row[0] for row in rows]


def playlists_in_order(harvester: Harvester, world: World) -> tuple[list[int], list[int]]:
    """Return the playlists to keep: those with the seed, then the artist's others."""
    seed, artist = world.seed_track_id, world.seed_artist_id
    (term,) = key_terms(world.title_of(seed), None, 1)
    ranked = harvester.query(
        "SELECT user_id FROM users JOIN engagements USING (user_id) WHERE track_id = ? AND kind = 'like' "
        "ORDER BY coalesce(followers_count, 0) DESC, user_id LIMIT 4",
        seed,
    )
    sources = [world.playlists_of(artist) or []]
    sources += [(world.playlists_of(liker) or [])[:3] for (liker,) in ranked]
    sources += [world.search_playlists(term)[:6]]
    candidates = list(dict.fromkeys(playlist for source in sources for playlist in sorted(source)))
    with_seed = [playlist for playlist in candidates if seed in (world.playlist_tracks(playlist) or ())]
    own = set(world.playlists_of(artist) or [])
    return with_seed, [playlist for playlist in candidates if playlist in own and playlist not in with_seed]


def contents_of(world: World, playlist: int) -> list[int]:
    """Return the distinct tracks of a playlist, in order."""
    return list(dict.fromkeys(world.playlist_tracks(playlist) or ()))


def test_playlists_are_kept_in_the_documented_order(deep: Harvester, world: World) -> None:
    """First those with the seed: the artist's, the likers' by rank, search hits; then the artist's others."""
    with_seed, _ = playlists_in_order(deep, world)
    assert len(with_seed) >= 4, "the world is too small for this cap"
    assert selected_ids(deep, "playlist_depth", "playlist") == sorted(with_seed[:4])
    cut = [contents_of(world, playlist)[:7] for playlist in with_seed[:4]]
    assert any(tracks != sorted(tracks) for tracks in cut)
    assert selected_ids(deep, "playlist_depth", "track") == sorted(
        {track for tracks in cut for track in tracks}
    )


STORED = "SELECT playlist_id, track_id FROM playlist_tracks ORDER BY playlist_id, position"


def test_playlists_listed_with_their_tracks_are_cut_like_fetched_ones(deep: Harvester, world: World) -> None:
    stored: dict[int, list[int]] = {}
    for playlist, track in deep.query(STORED):
        stored.setdefault(playlist, []).append(track)
    assert stored == {playlist: contents_of(world, playlist)[:7] for playlist in stored}
    listed = "SELECT playlist_id, track_id FROM playlist_leftovers ORDER BY playlist_id, position"
    left_out = deep.query(listed)
    assert left_out == [
        (playlist, track)
        for playlist in sorted({playlist for playlist, _ in left_out})
        for track in contents_of(world, playlist)[7:]
    ]
    # The walks that listed the playlists list only the tracks that are kept.
    orphans = """SELECT count(*) FROM walk_records JOIN walks USING (walk_id) WHERE kind = 'track'
        AND endpoint IN ('user_playlists', 'search_playlists') AND record_id NOT IN
        (SELECT track_id FROM playlist_tracks)"""
    assert deep.value(orphans) == 0


def test_every_choice_reports_what_it_left_out(deep: Harvester, world: World) -> None:
    seed = world.seed_track_id
    with_seed, others = playlists_in_order(deep, world)
    likers = deep.value("SELECT count(*) FROM engagements WHERE track_id = ? AND kind = 'like'", seed)
    kept = [*with_seed, *others][:4]
    fetched = {
        int(target) for (target,) in deep.query("SELECT target FROM walks WHERE endpoint = 'playlist_tracks'")
    }
    expected = {
        ("playlist_depth", "max_likers", "", 4, likers),
        ("playlist_depth", "max_playlists", "", 4, len(with_seed) + len(others)),
    }
    expected |= {
        ("playlist_depth", "max_tracks_per_playlist", str(playlist), 7, len(contents_of(world, playlist)))
        for playlist in kept
        if playlist not in fetched and len(contents_of(world, playlist)) > 7
    }
    cuts = deep.query("SELECT seed_id, layer, setting, target, kept, available FROM cuts")
    assert {seed_id for seed_id, *_ in cuts} == {seed}
    assert {row[1:] for row in cuts if row[1] == "playlist_depth"} == expected
    assert len(expected) > 3
    artist = world.username_of(world.seed_artist_id)
    terms = key_terms(world.title_of(seed), artist, 1_000)
    assert len(terms) > 2
    assert ("semantic_depth", "max_key_terms", "", 2, len(terms)) in {row[1:] for row in cuts}


def settings_that_cut(harvester: Harvester) -> set[tuple[str, str]]:
    with Store(url_of(harvester.database)).read() as connection:
        return set(count_by_setting(find_capped(connection)))


@pytest.mark.slow
def test_raised_caps_give_what_they_would_have_given_at_once(
    sandbox: SandboxProcess, world: World, tmp_path: Path
) -> None:
    """Then nothing is left out, no percentage exceeds 100%, and lower caps delete nothing."""
    large = {"max_likers": 99, "max_playlists": 99, "max_playlists_per_liker": 99, "max_search_playlists": 99}
    raised = settings_of(playlist_depth={**large, "max_tracks_per_playlist": 999}, user_depth={
        "max_users_per_track": 99, "max_tracks_per_user": 999
    })  # fmt: skip
    layers = "playlist_depth,user_depth"
    harvester, at_once = (Harvester(sandbox, tmp_path / f"{name}.db") for name in ("harvest", "at_once"))
    crawl(harvester, settings_of(), "deep_harvest", layers=layers)
    small = harvester.contents()
    assert len(small["cuts"]) > 3
    settings = settings_that_cut(harvester)
    crawl(harvester, raised, "deep_harvest", layers=layers)
    harvester.rerun()
    crawl(at_once, raised, "deep_harvest", layers=layers)
    assert harvester.query("SELECT * FROM cuts") == at_once.query("SELECT * FROM cuts") == []
    assert settings_that_cut(harvester) == settings_that_cut(at_once) == set()
    assert harvester.query(STORED) == at_once.query(STORED)
    assert selected_ids(harvester, "playlist_depth", "track") == selected_ids(
        at_once, "playlist_depth", "track"
    )
    assert any(len(contents_of(world, playlist)) > 7 for playlist, _ in harvester.query(STORED))
    with Store(url_of(harvester.database)).read() as connection:
        by_layer, total = count_walks(connection)
    with Store(url_of(at_once.database)).read() as connection:
        _, fresh = count_walks(connection)
    assert total.received > fresh.received, "no page was read twice"
    assert total.compared_received <= total.compared_expected
    assert by_layer["user_depth"].compared_received <= by_layer["user_depth"].compared_expected
    crawl(harvester, settings_of(), "deep_harvest", layers=layers)
    assert settings_that_cut(harvester) == settings
    assert harvester.query(STORED) == at_once.query(STORED)
    harvester.rerun()


def test_uploads_and_likes_are_the_first_of_their_lists(deep: Harvester, world: World) -> None:
    listed = (
        "SELECT record_id FROM walk_records JOIN walks USING (walk_id) WHERE endpoint = ? AND target = ? "
        "AND kind = 'track' ORDER BY position"
    )
    uploads = deep.query(listed, "user_tracks", str(world.seed_artist_id))
    assert [track for (track,) in uploads] == (world.uploads(world.seed_artist_id or 0) or [])[:7]
    commenters = {
        int(user)
        for (user,) in deep.query(
            "SELECT target FROM walk_requests JOIN walks USING (walk_id) "
            "WHERE layer = 'commentary_layer' AND step = 'library'"
        )
    }
    for user in set((world.likers(world.seed_track_id) or [])[:7]) - commenters:
        liked = deep.query(listed, "user_likes", str(user))
        assert [track for (track,) in liked] == (world.library(user) or [])[:12]


def test_all_comments_of_the_fetched_pages_are_kept_and_the_first_authors_expanded(
    deep: Harvester, world: World
) -> None:
    comments = world.comments_on(world.seed_track_id) or []
    pages, authors = 0, list[int]()
    while len(set(authors)) < 4:
        pages += 1
        authors = [comment.user_id for comment in comments[: 5 * pages]]
    read = comments[: 5 * pages]
    assert len(set(authors)) > 4, "no author is beyond the cap"
    assert {row[0] for row in deep.query("SELECT comment_id FROM comments")} == {c.comment_id for c in read}
    expanded = deep.query(
        "SELECT target FROM walk_requests JOIN walks USING (walk_id) "
        "WHERE layer = 'commentary_layer' AND step = 'library'"
    )
    assert {int(user) for (user,) in expanded} == set(list(dict.fromkeys(authors))[:4])


def test_the_first_hits_of_every_key_term_are_compared(
    sandbox: SandboxProcess, world: World, tmp_path: Path
) -> None:
    def hits_of(track: int) -> list[set[int]]:
        artist = world.artist_of(track)
        terms = key_terms(world.title_of(track), None if artist is None else world.username_of(artist), 3)
        return [set(world.search_tracks(term)[:12]) - {track} for term in terms]

    visible = [track for track in world.track_ids() if world.track_is_visible(track)]
    seed = next(track for track in visible if len(hits := hits_of(track)) > 1 and min(map(len, hits)) > 5)
    harvester = Harvester(sandbox, tmp_path / "harvest.db")
    everything = {"fuzzy_search_limit": 12, "name_similarity_threshold": 0}
    crawl(harvester, {"semantic_depth": everything}, "semantic_depth", track_id=seed)
    assert selected_ids(harvester, "semantic_depth", "track") == sorted(set().union(*hits_of(seed)))
    harvester.rerun()


def test_a_cap_of_0_sends_no_request(sandbox: SandboxProcess, tmp_path: Path) -> None:
    harvester = Harvester(sandbox, tmp_path / "harvest.db")
    none = {
        "user_depth": {"max_users_per_track": 0},
        "artist_depth": {"max_artist_tracks": 0},
        "semantic_depth": {"fuzzy_search_limit": 0},
        "commentary_layer": {"max_commenters": 0},
        "playlist_depth": {"max_likers": 0, "max_search_playlists": 0, "include_artist_playlists": False},
    }
    crawl(harvester, none, "deep_harvest", layers=",".join(none))
    asked = {entry["path"] for entry in sandbox.log() if entry["path"] != "/oauth/token"}
    assert asked == {f"/tracks/soundcloud:tracks:{sandbox.seed_track_id}"}


def test_two_steps_of_a_layer_share_a_walk_and_each_has_its_own_cap(
    sandbox: SandboxProcess, world: World, tmp_path: Path
) -> None:
    environment = {"SCRAPY_SETTINGS_MODULE": "tests.crawls.probe_settings"}
    harvester = Harvester(sandbox, tmp_path / "harvest.db", environment=environment)
    crawl(harvester, settings_of(), "deep_harvest", layers="artist_depth,user_depth")
    expanded = (
        "SELECT step, expanded FROM walk_requests WHERE layer = 'artist_depth' AND step IN ('few', 'more')"
    )
    assert harvester.query(f"{expanded} ORDER BY step") == [("few", 6), ("more", 12)]
    likers = (world.likers(world.seed_track_id) or [])[:12]
    # The layer sees the walks of a step by target, each up to its own cap; user_depth fetches more.
    few = sorted(map(str, likers[:6]))
    scores = harvester.query(
        "SELECT record_id FROM selections "
        "WHERE layer = 'artist_depth' AND kind = 'user' AND score NOTNULL ORDER BY score"
    )
    assert [str(user) for (user,) in scores] == few
    assert set(likers) <= set(selected_ids(harvester, "artist_depth", "user"))
    first = {track for user in likers[:6] for track in (world.library(user) or [])[:3]}
    assert selected_ids(harvester, "artist_depth", "track") == sorted(first)
    longer = "SELECT count(*) FROM walks WHERE endpoint = 'user_likes' AND kept > 3"
    assert harvester.value(longer) > 3


def test_a_label_is_read_from_the_fields_that_have_no_column(sandbox: SandboxProcess, tmp_path: Path) -> None:
    environment = {"SCRAPY_SETTINGS_MODULE": "tests.crawls.publisher_settings"}
    harvester = Harvester(sandbox, tmp_path / "harvest.db", environment=environment)
    crawl(harvester, settings_of(), "label_layer")
    labels = harvester.query("SELECT name FROM track_mentions WHERE kind = 'label'")
    assert labels == [("Night Ferry Records",)]
