"""A harvest sends no more requests than it needs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.sandbox.world import World
from tests.benchmarks.requests.measure import api_requests, endpoint_of, figures, total
from tests.crawls.crawling import Harvester
from tests.sandbox_process import SandboxProcess

FAST = {"BACKOFF_BASE": 0.01, "BACKOFF_MAX": 0.05, "RATE_LIMIT_BASE": 0.1, "RATE_LIMIT_MAX": 0.2}
SMALL = """
deep_harvest:
  request_delay: 0
  user_depth:       {enabled: %(user_depth)s, max_users_per_track: 6, max_tracks_per_user: 30}
  playlist_depth:   {enabled: %(playlist_depth)s, max_likers: 4, max_search_playlists: 5}
  artist_depth:     {enabled: %(artist_depth)s, max_artist_tracks: 20}
  semantic_depth:   {enabled: %(semantic_depth)s, fuzzy_search_limit: 20}
  commentary_layer: {enabled: %(commentary_layer)s, max_commenters: 6}
  label_layer:      {enabled: %(label_layer)s, max_catalog_size: 30}
  contextual_layer: {enabled: %(contextual_layer)s, max_tracks_per_entity: 10}
"""
ENDPOINTS_OF = {
    ("user_depth", "commentary_layer"): {
        "track",
        "track_favoriters",
        "track_reposters",
        "track_comments",
        "user_likes",
    },
    ("artist_depth", "semantic_depth", "label_layer"): {
        "track",
        "user_tracks",
        "search_tracks",
        "search_users",
    },
}


@pytest.fixture(scope="module")
def world() -> World:
    return World.build()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return _config(tmp_path, LAYER_NAMES)


@pytest.fixture(scope="module")
def deep(shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Harvester:
    """Harvest the sandbox's seed with all layers and the default caps."""
    shared_sandbox.clear_faults()
    shared_sandbox.clear_log()
    harvester = Harvester(shared_sandbox, tmp_path_factory.mktemp("deep") / "harvest.db")
    _crawl(harvester)
    return harvester


def _config(folder: Path, layers: tuple[str, ...]) -> Path:
    path = folder / f"{len(layers)}.yaml"
    path.write_text(SMALL % {name: str(name in layers).lower() for name in LAYER_NAMES})
    return path


def _crawl(harvester: Harvester, **arguments: Any) -> list[str]:
    """Run a deep harvest; return the requested URLs."""
    harvester.sandbox.clear_log()
    ended = harvester.crawl("deep_harvest", **arguments)
    assert ended.code == 0, ended.log
    harvester.requests = api_requests(harvester.sandbox)
    return [_address(entry) for entry in harvester.requests]


def _address(entry: dict[str, Any]) -> str:
    return f"{entry['path']}?{entry['query']}"


def _around(harvester: Harvester, seed: int) -> list[tuple[Any, ...]]:
    """Return the discoveries around a seed with their layers and scores."""
    return harvester.query(
        "SELECT layer, kind, record_id, score FROM discoveries "
        "LEFT JOIN selections USING (seed_id, layer, kind, record_id) WHERE seed_id = ? ORDER BY 1, 2, 3",
        seed,
    )


def _other_seed(world: World) -> int:
    """Return the track that shares most listeners with the seed."""
    listeners = set(world.likers(world.seed_track_id) or ())
    others = (track for track in world.track_ids() if track != world.seed_track_id)
    return max(others, key=lambda track: len(listeners.intersection(world.likers(track) or ())))


def test_no_page_is_requested_needlessly(deep: Harvester) -> None:
    rows = figures(deep)
    assert all(row.least for row in rows), "the ledger does not know the requested collections"
    assert all(row.sent >= row.least for row in rows), "pages are missing"
    assert total(rows).ratio <= 1.1


def test_only_collections_that_the_layers_need_are_requested(deep: Harvester, world: World) -> None:
    """Compare the collections with the world: the test above would accept needless ones."""
    seed, artist = world.seed_track_id, world.seed_artist_id
    comments = world.comments_on(seed) or []
    likers, reposters = world.likers(seed) or [], world.reposters(seed) or []
    needed = Counter(
        {
            "track": 1,
            "track_favoriters": 1,
            "track_reposters": 1,
            "track_comments": 1,
            "user_likes": len({*likers, *reposters, *(comment.user_id for comment in comments[:100])}),
            "search_playlists": 1,
            "user_playlists": len({artist, *_with_playlists(deep, _top(deep, seed, 50))}),
        }
    )
    requested = Counter(dict(deep.query("SELECT endpoint, count(*) FROM walks GROUP BY 1")))
    assert {name: requested[name] for name in needed} == needed
    # The artist, one label and one collaborator, who is also mentioned: an account and a search each, and
    # the key terms of the title.
    assert requested["user_tracks"] <= 3
    assert requested["search_users"] + requested["resolve"] <= 3
    assert requested["search_tracks"] <= 3 + 3
    assert set(requested) <= {*needed, "user_tracks", "search_users", "search_tracks", "resolve"}


def _top(harvester: Harvester, seed: int, number: int) -> set[int]:
    rows = harvester.query(
        "SELECT user_id FROM users JOIN engagements USING (user_id) WHERE track_id = ? AND kind = 'like' "
        "ORDER BY followers_count DESC, user_id LIMIT ?",
        seed,
        number,
    )
    return {user for (user,) in rows}


def _with_playlists(harvester: Harvester, users: set[int]) -> set[int]:
    """Return the users who may have playlists; a counter of 0 saves the request."""
    rows = harvester.query("SELECT user_id FROM users WHERE playlist_count IS NULL OR playlist_count > 0")
    return {user for (user,) in rows} & users


@pytest.mark.slow
def test_a_url_is_requested_again_only_after_a_failure(harvester: Harvester, small: Path) -> None:
    faults = ["text_503", "empty_500", "html_502", "reset", "rate_limit_retry_after"]
    harvester.sandbox.set_faults(
        [
            # With good responses in between, because an outage repeats a request that was answered.
            *(f"{name}:path=/(tracks|users),every=11,after={2 * n},times=2" for n, name in enumerate(faults)),
            "revoke_tokens:after=12,times=1",
        ]
    )
    _crawl(harvester, config=small, settings=FAST)
    answers: dict[str, list[int]] = {}
    for entry in harvester.requests:
        answers.setdefault(_address(entry), []).append(entry["status"])
    repeated = [statuses for statuses in answers.values() if len(statuses) > 1]
    assert len(repeated) >= len(faults)
    for address, (*earlier, _last) in answers.items():
        assert all(status in {0, 401, 429} or status >= 500 for status in earlier), (address, earlier)


@pytest.mark.slow
def test_two_seeds_in_one_database_take_fewer_requests_and_find_the_same(
    harvester: Harvester, world: World, small: Path, tmp_path: Path
) -> None:
    seeds = world.seed_track_id, _other_seed(world)
    separate: list[str] = []
    found = {}
    for seed in seeds:
        alone = Harvester(harvester.sandbox, tmp_path / f"{seed}.db")
        separate += _crawl(alone, config=small, track_id=seed)
        found[seed] = _around(alone, seed)
    one_database = [address for seed in seeds for address in _crawl(harvester, config=small, track_id=seed)]
    assert {seed: _around(harvester, seed) for seed in seeds} == found
    assert set(one_database) == set(separate)
    assert len(one_database) == len(set(one_database)) < len(separate)
    assert {layer for layer, *_ in found[seeds[0]]} == set(LAYER_NAMES)
    at_once = Harvester(harvester.sandbox, tmp_path / "at_once.db")
    together = _crawl(at_once, config=small, track_id=",".join(map(str, seeds)))
    assert sorted(together) == sorted(one_database)
    assert {seed: _around(at_once, seed) for seed in seeds} == found


@pytest.mark.parametrize("layers", ENDPOINTS_OF, ids="+".join)
def test_disabled_layers_send_no_request(
    harvester: Harvester, small: Path, tmp_path: Path, layers: tuple[str, ...]
) -> None:
    by_argument = Harvester(harvester.sandbox, tmp_path / "by_argument.db")
    asked = _crawl(harvester, config=_config(tmp_path, layers))
    assert sorted(_crawl(by_argument, config=small, layers=",".join(layers))) == sorted(asked)
    for crawled in (harvester, by_argument):
        assert {endpoint_of(entry["path"]) for entry in crawled.requests} == ENDPOINTS_OF[layers]
        for table in ("discoveries", "walk_requests"):
            rows = crawled.query(f"SELECT DISTINCT layer FROM {table}")  # noqa: S608 - a constant
            assert {layer for (layer,) in rows} == set(layers)
        looked_up = crawled.value(
            "SELECT count(*) FROM walks WHERE walk_id NOT IN (SELECT walk_id FROM walk_requests)"
        )
        assert looked_up == 0
