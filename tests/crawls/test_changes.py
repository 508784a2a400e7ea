"""A harvest after a change finds and requests the same as a new harvest.

Either the world or a setting changes between two harvests. The second harvest is then compared with a harvest
of the same world, with the same settings, into an empty database: walks, requests with their queries, and
what is present of discoveries and selections. What was requested or selected under other settings stays.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from tests.crawls.crawling import Harvester
from tests.crawls.small import build_world, settings_of, start_sandbox, write_config
from tests.databases import copy_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sgr_spiders.sandbox.world import World
    from tests.sandbox_process import SandboxProcess

SOCIAL = "user_depth,commentary_layer,playlist_depth"
Rows = set[tuple[Any, ...]]
Key = tuple[str, str]


RAISED = {
    "user_depth": {"max_users_per_track": 12, "max_tracks_per_user": 23},
    # A raised `max_tracks_per_playlist` requests other walks than a new harvest: see test_caps.py.
    "playlist_depth": {
        "max_likers": 9, "max_search_playlists": 11, "max_playlists": 8, "max_playlists_per_liker": 8,
    },
    "artist_depth": {"max_artist_tracks": 19},
    "semantic_depth": {"fuzzy_search_limit": 31},
    "commentary_layer": {"max_commenters": 8},
    "label_layer": {"max_catalog_size": 27},
    "contextual_layer": {"max_tracks_per_entity": 11},
}  # fmt: skip


@dataclass(frozen=True)
class Harvest:
    """Contents of the database after a harvest: walks by endpoint and target, and rows."""

    requests: Counter[str]
    asked: set[Key]
    walks: dict[Key, tuple[Any, ...]]
    generations: dict[Key, int]
    places: dict[Key, list[tuple[Any, ...]]]
    wanted: Rows
    discoveries: Rows
    selections: Rows


@pytest.fixture(scope="module")
def world() -> World:
    """Build the world before any change."""
    return build_world()


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def base(shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Harvester:
    """Harvest the world before any change."""
    harvester = Harvester(shared_sandbox, tmp_path_factory.mktemp("base") / "harvest.db")
    crawl(harvester, settings_of())
    return harvester


def crawl(
    harvester: Harvester,
    settings: dict[str, Any],
    spider: str = "deep_harvest",
    code: int = 0,
    **arguments: Any,
) -> Harvest:
    """Harvest to the end; return the contents of the database."""
    path = write_config(harvester.database.with_suffix(".yaml"), settings)
    harvester.sandbox.clear_log()
    if spider == "deep_harvest":
        arguments.setdefault("layers", SOCIAL)
    ended = harvester.crawl(spider, config=path, **arguments)
    assert ended.code == code, ended.log
    return read_harvest(harvester)


def read_harvest(harvester: Harvester) -> Harvest:
    # Only a refresh looks up what left lists.
    log = [
        entry
        for entry in harvester.sandbox.log()
        if entry["path"] != "/oauth/token" and "urns=" not in entry["query"]
    ]
    columns = "endpoint, target, status, reason, capped_at, received, kept, pages, expected, generation"
    walks, generations = {}, {}
    for endpoint, target, *state, generation in harvester.query(
        f"SELECT {columns} FROM walks WHERE endpoint NOT LIKE '%_by_id'"  # noqa: S608
    ):
        walks[endpoint, target] = tuple(state)
        generations[endpoint, target] = generation
    places: dict[Key, list[tuple[Any, ...]]] = {key: [] for key in walks}
    for endpoint, target, *place in harvester.query(
        "SELECT endpoint, target, kind, record_id, position FROM walk_records "
        "JOIN walks USING (walk_id, generation) WHERE endpoint NOT LIKE '%_by_id' "
        "ORDER BY position, kind, record_id"
    ):
        places[endpoint, target].append(tuple(place))
    return Harvest(
        Counter(f"{entry['path']}?{entry['query']}" for entry in log),
        {_key(entry["path"], entry["query"]) for entry in log},
        walks,
        generations,
        places,
        set(
            harvester.query(
                "SELECT endpoint, target, seed_id, layer, step, cap, selective, expanded FROM walk_requests "
                "JOIN run_scope USING (seed_id, layer, settings) JOIN walks USING (walk_id) "
                "WHERE run_scope.run_id = (SELECT max(run_id) FROM runs) "
                "AND walk_requests.removed_at IS NULL AND step <> 'lookup'"
            )
        ),
        set(harvester.query("SELECT kind, record_id, seed_id, layer FROM discoveries")),
        set(
            harvester.query(
                "SELECT seed_id, layer, kind, record_id, score FROM selections WHERE removed_at IS NULL"
            )
        ),
    )


def _key(path: str, query: str) -> Key:
    """Return the collection of a page: its path and its search term."""
    return path, parse_qs(query).get("q", [""])[0]


def harvest_both_ways(
    base: Harvester, folder: Path, settings: dict[str, Any], **arguments: Any
) -> tuple[Harvest, Harvest, Harvester]:
    """Refetch the changed world into a copy of *base* and into an empty database."""
    refreshed = Harvester(base.sandbox, folder / "again.db")
    copy_database(base.database, refreshed.database)
    second = crawl(refreshed, settings, refresh=1, **arguments)
    fresh = crawl(Harvester(base.sandbox, folder / "fresh.db"), settings, **arguments)
    return second, fresh, refreshed


def compare(
    before: Harvest, second: Harvest, fresh: Harvest, *, asks_more: bool = True, other_settings: bool = False
) -> None:
    """Compare a refresh with a new harvest of the same world; *before* is the harvest before the refresh.

    Walks that only *before* wanted are refetched once more if *asks_more*, before nothing wants them. What
    *before* found with *other_settings* stays, apart from what has left its list.
    """
    assert {key: second.walks[key] for key in fresh.walks} == fresh.walks
    assert {key: second.places[key] for key in fresh.walks} == fresh.places
    for key in fresh.walks:
        assert second.generations[key] == (before.generations[key] + 1 if key in before.walks else 0), key
    assert second.walks.keys() == fresh.walks.keys() | before.walks.keys()
    assert second.wanted == fresh.wanted
    if other_settings:
        assert fresh.discoveries <= second.discoveries <= fresh.discoveries | before.discoveries
        keys = {row[:4] for row in fresh.selections}
        assert second.selections == fresh.selections | {
            row for row in before.selections if row[:4] not in keys
        }
    else:
        assert second.discoveries == fresh.discoveries
        assert second.selections == fresh.selections
    assert fresh.asked <= second.asked
    if not asks_more:
        assert second.asked == fresh.asked
    in_both = Counter(
        {url: n for url, n in second.requests.items() if _key(*url.split("?", 1)) in fresh.asked}
    )
    assert in_both == fresh.requests


def stranger(world: World) -> int:
    """Return a user with a library of several pages who has no connection to the seed."""
    seed = world.seed_track_id
    known = {*(world.likers(seed) or ()), *(world.reposters(seed) or ())}
    known |= {comment.user_id for comment in world.comments_on(seed) or ()}
    return next(
        user for user in world.user_ids() if user not in known and len(world.library(user) or ()) > 11
    )


def likers(world: World) -> list[int]:
    return world.likers(world.seed_track_id) or []


def liked_by_a_liker(world: World) -> int:
    """Return a track in the middle of a liker's library."""
    return next(library[5] for user in likers(world) if len(library := world.library(user) or []) > 11)


def playlists_with_order(world: World) -> list[int]:
    """Return the playlists with the seed that a cap of 7 tracks cuts."""
    return [
        playlist
        for playlist in world.playlists_with(world.seed_track_id)
        if len(world.playlist_tracks(playlist) or ()) > 7
    ]


CHANGES: dict[str, Callable[[World], dict[str, Any]]] = {
    "a like at the head": lambda world: {"like": [[stranger(world), world.seed_track_id]]},
    "a like in the middle gone": lambda world: {"unlike": [[likers(world)[3], world.seed_track_id]]},
    "a page of likes gone": lambda world: {
        "unlike": [[user, world.seed_track_id] for user in likers(world)[2:8]]
    },
    "a track private": lambda world: {"private_tracks": [liked_by_a_liker(world)]},
    "playlists reordered": lambda world: {"reverse_playlists": playlists_with_order(world)},
    "a liker deleted": lambda world: {"delete_users": [likers(world)[1]]},
    "a comment added": lambda world: {"comment": [[stranger(world), world.seed_track_id]]},
    "three rounds of ageing": lambda _: {"rounds": 3},
}


QUICK = ("a like at the head", "a page of likes gone", "three rounds of ageing")


@pytest.mark.parametrize(
    "change",
    [pytest.param(change, marks=() if change in QUICK else pytest.mark.slow) for change in CHANGES],
)
def test_a_refresh_of_a_changed_world_equals_a_new_harvest(
    base: Harvester, sandbox: SandboxProcess, world: World, tmp_path: Path, change: str
) -> None:
    before = read_harvest(base)
    changes = CHANGES[change](world)
    assert changes
    sandbox.mutate(**changes)
    # The world loses more than `max_gone_share` of it in three rounds.
    accepted = {"accept_gone": 1} if "rounds" in changes else {}
    second, fresh, refreshed = harvest_both_ways(base, tmp_path, settings_of(), **accepted)
    assert (fresh.walks, fresh.places, fresh.selections) != (before.walks, before.places, before.selections)
    compare(before, second, fresh)
    if change == "a page of likes gone":
        refreshed.rerun()


def test_walks_that_only_old_settings_wanted_are_not_refetched(
    sandbox: SandboxProcess, world: World, tmp_path: Path
) -> None:
    """Earlier requests had other settings, so a refresh requests the same as a new harvest."""
    harvester = Harvester(sandbox, tmp_path / "harvest.db")
    before = crawl(harvester, settings_of(), layers="user_depth")
    reposters = world.reposters(world.seed_track_id) or []
    gone = [user for user in likers(world) if user not in reposters][:3]
    sandbox.mutate(unlike=[[user, world.seed_track_id] for user in gone])
    raised = settings_of(user_depth=RAISED["user_depth"])
    second, fresh, refreshed = harvest_both_ways(harvester, tmp_path, raised, layers="user_depth")
    compare(before, second, fresh, asks_more=False, other_settings=True)
    refreshed.rerun()
    paths = {path for path, _ in second.asked}
    assert not paths & {f"/users/soundcloud:users:{user}/likes/tracks" for user in gone}


@pytest.mark.slow
@pytest.mark.parametrize("layer", RAISED)
def test_a_cap_that_is_raised_and_lowered_again(sandbox: SandboxProcess, tmp_path: Path, layer: str) -> None:
    low, high = settings_of(), settings_of(**{layer: RAISED[layer]})
    harvester = Harvester(sandbox, tmp_path / "harvest.db")
    small = crawl(harvester, low, layer)
    raised = crawl(harvester, high, layer)
    large = crawl(Harvester(sandbox, tmp_path / "large.db"), high, layer)
    assert len(large.discoveries) > len(small.discoveries)
    # Only pages that a cap cut are requested again.
    assert raised.places == large.places
    assert raised.wanted == large.wanted
    assert raised.discoveries == large.discoveries | small.discoveries
    assert raised.selections == large.selections | small.selections
    whole = {key for key, (status, *_) in small.walks.items() if status in {"done", "gone"}}
    assert {key: raised.walks[key] for key in whole} == {key: large.walks[key] for key in whole}
    assert {key: state[:3] for key, state in raised.walks.items()} == {
        key: state[:3] for key, state in large.walks.items()
    }
    assert max((raised.requests - (large.requests - small.requests)).values(), default=1) == 1
    assert not raised.requests - large.requests
    cut = [key for key, (status, *_) in small.walks.items() if status == "capped"]
    assert len(raised.requests) <= len(large.requests - small.requests) + len(cut)
    lowered = crawl(harvester, low, layer, refresh=1)
    compare(raised, lowered, small, other_settings=True)


@pytest.mark.slow
def test_a_layer_that_is_switched_off_and_on_again(
    base: Harvester, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    before = read_harvest(base)
    second, fresh, refreshed = harvest_both_ways(
        base, tmp_path, settings_of(), layers="user_depth,playlist_depth"
    )
    compare(before, second, fresh, asks_more=False, other_settings=True)
    assert {row[3] for row in second.discoveries - fresh.discoveries} == {"commentary_layer"}
    # Nothing to request: other layers refetched some walks, and the rest is still up to date.
    third = crawl(refreshed, settings_of())
    assert third.requests == Counter()
    fourth = crawl(refreshed, settings_of(), refresh=1)
    compare(third, fourth, crawl(Harvester(sandbox, tmp_path / "all.db"), settings_of()))
