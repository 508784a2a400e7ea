"""The guarantees of a build besides correct pairs."""

from __future__ import annotations

import importlib.util
import json
import logging
import re
import resource
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.model.exceptions import ArgumentError, ConfigError, StorageError
from sgr_spiders.relationships import build, engine, forecast, nearest, spool
from sgr_spiders.relationships.engine import CancelledError
from sgr_spiders.relationships.processor import RelationshipProcessor, relate
from sgr_spiders.relationships.spool import Spool
from sgr_spiders.relationships.user_similarity import UserSimilarity
from sgr_spiders.storage import schema
from sgr_spiders.storage.pairs import builds, reading, writing
from tests.databases import end_connections
from tests.relationships.test_exact import REUSED, WORLDS
from tests.relationships.worlds import NOW, Rows, World, expected, stored

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from sgr_spiders.storage.store import Store

TABLES = ("user_similarities", "track_relationships", "artist_relationships")


def make_config(**relationships: object) -> HarvestConfig:
    return HarvestConfig.model_validate({"relationships": relationships})


def make_world(users: int = 30) -> World:
    """Return a world whose users share liked tracks."""
    return World(
        {(user, track, "like") for user in range(1, users) for track in range(user % 7 + 1, 40, 3)},
        {number: set(range(number, 60, number)) for number in range(1, 9)},
        {track: 100 + track % 5 for track in range(1, 40)},
    )


def runs(store: Store) -> list[dict[str, object]]:
    with store.write() as connection:
        return [dict(row) for row in connection.execute(sa.select(schema.relationship_runs)).mappings()]


def test_it_returns_the_counts_by_table(store: Store, url: str) -> None:
    make_world().spill(store)
    store.close()
    counts = RelationshipProcessor(url, HarvestConfig()).process_all()
    assert tuple(counts) == TABLES
    assert all(counts.values())
    assert RelationshipProcessor(url).process_all() == counts


def test_parameters_inputs_and_times_are_recorded(store: Store) -> None:
    make_world().spill(store)
    related = relate(store, make_config(user_sample=0.9, user_similarity={"min_similarity": 0.2}))
    recorded = {str(run["type"]): run for run in runs(store)}
    assert list(recorded) == ["user_similarity", "track_cooccurrence", "artist_relation"]
    assert [run["rows"] for run in recorded.values()] == [result.rows for result in related]
    parameters = json.loads(str(recorded["user_similarity"]["parameters"]))
    assert parameters == {
        "engagement_kinds": ["like"],
        "include_removed": False,
        "include_unseen": False,
        "max_library_share": 1,
        "min_common_tracks": 3,
        "min_similarity": 0.2,
        "sample_seed": 1,
        "seeds": None,
        "significance": "bicm",
        "top_k": None,
        "user_sample": 0.9,
        "validated": None,
    }
    inputs = json.loads(str(recorded["track_cooccurrence"]["inputs"]))
    entries = sum(59 // number for number in range(1, 9))
    assert inputs == {
        "nodes": 59,
        "contexts": 8,
        "entries": entries,
        "left_out": 0,
        "pairs_tested": 59 * 58 // 2,
        "pairs_significant": 0,
        "rows_significant": 0,
    }
    assert set(json.loads(str(recorded["artist_relation"]["seconds"]))) == {
        "read",
        "significance",
        "compute",
        "write",
    }


def test_an_unchanged_database_is_not_read_again(
    store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    make_world().spill(store)
    first = relate(store, HarvestConfig())
    monkeypatch.setattr(reading, "read_groups", None)
    again = relate(store, HarvestConfig())
    assert [result.rows for result in again] == [result.rows for result in first]
    assert not any(result.seconds for result in again)
    assert "user_similarities: up to date" in caplog.text
    assert len(runs(store)) == 3


def test_a_page_without_new_data_does_not_rebuild(store: Store) -> None:
    make_world().spill(store)
    relate(store, HarvestConfig())
    before = runs(store)
    spill_page(store, 1)
    assert not any(result.seconds for result in relate(store, HarvestConfig()))
    after = runs(store)
    assert [run["fingerprint"] for run in before] == [run["fingerprint"] for run in after]
    assert {run["stamp"] for run in before}.isdisjoint({run["stamp"] for run in after})


def test_the_same_number_of_other_likes_is_a_change(store: Store) -> None:
    world = make_world()
    world.spill(store)
    relate(store, HarvestConfig())
    was, now = (5, 6, "like"), (5, 7, "like")
    likes = schema.engagements
    with store.write() as connection:
        swap = sa.update(likes).where(likes.c.user_id == was[0], likes.c.track_id == was[1])
        assert connection.execute(swap.values(track_id=now[1])).rowcount == 1
    spill_page(store, 1)
    relate(store, HarvestConfig())
    wanted = expected(
        World(world.engagements - {was} | {now}, world.playlists, world.artists),
        HarvestConfig().relationships,
    )
    assert stored(store)["user_similarities"] == wanted["user_similarities"]


def test_two_playlists_that_swap_a_track_are_a_change(store: Store) -> None:
    World(playlists={1: {1, 2}, 2: {3, 4}}).spill(store)
    config = make_config(track_cooccurrence={"min_cooccurrences": 1})
    relate(store, config)
    assert set(stored(store)["track_relationships"]) == {(1, 2), (3, 4)}
    items = schema.playlist_tracks
    with store.write() as connection:
        for playlist, was, now in ((1, 2, 4), (2, 4, 2)):
            moved = sa.update(items).where(items.c.playlist_id == playlist, items.c.track_id == was)
            assert connection.execute(moved.values(track_id=now)).rowcount == 1
    spill_page(store, 1)
    relate(store, config)
    assert set(stored(store)["track_relationships"]) == {(1, 4), (2, 3)}


def spill_page(store: Store, walk: int) -> None:
    ledger = {
        "walk_id": walk,
        "endpoint": "x",
        "target": "",
        "status": "done",
        "cursor": "",
        "generation": 0,
        "pages": 1,
        "empty_pages": 0,
        "received": 0,
        "kept": 0,
        "created_at": NOW,
    }
    page = {"walk_id": walk, "generation": 0, "page": 0, "cursor_hash": 0, "received": 0, "fetched_at": NOW}
    with store.write() as connection:
        connection.execute(sa.insert(schema.walks).values(ledger))
        connection.execute(sa.insert(schema.walk_pages).values(page))


def test_only_changed_tables_are_rebuilt(store: Store) -> None:
    world = make_world()
    world.spill(store)
    relate(store, HarvestConfig())
    with store.write() as connection:
        connection.execute(sa.delete(schema.engagements).where(schema.engagements.c.user_id == 5))
    world.engagements = {engagement for engagement in world.engagements if engagement[0] != 5}
    built = relate(store, HarvestConfig())
    assert [result.type for result in built if result.seconds] == ["user_similarity", "artist_relation"]
    wanted = expected(world, HarvestConfig().relationships)
    found = stored(store)
    assert {table: found[table] for table in TABLES} == {table: wanted[table] for table in TABLES}


def test_changed_parameters_rebuild(store: Store) -> None:
    make_world().spill(store)
    relate(store, HarvestConfig())
    built = relate(store, make_config(user_similarity={"min_similarity": 0.5}))
    assert [result.type for result in built if result.seconds] == ["user_similarity"]


def test_the_same_input_gives_the_same_tables(store: Store) -> None:
    make_world().spill(store)
    contents = []
    for threads in (1, 2):
        with store.write() as connection:
            connection.execute(sa.delete(schema.relationship_runs))
        relate(store, make_config(threads=threads, memory_mb=16 * threads))
        contents.append(stored(store))
    assert contents[0] == contents[1]


@pytest.mark.parametrize(("threads", "wanted"), [(1, 1), (3, 3), (0, engine.available_processors())])
def test_the_number_of_threads(
    store: Store, monkeypatch: pytest.MonkeyPatch, threads: int, wanted: int
) -> None:
    pools = mock.Mock(side_effect=ThreadPoolExecutor)
    monkeypatch.setattr(engine, "ThreadPoolExecutor", pools)
    make_world().spill(store)
    relate(store, make_config(threads=threads))
    assert {call.args[0] for call in pools.call_args_list} == {wanted}


def test_more_pairs_than_fit_into_memory(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(spool, "BLOCK", 100)
    monkeypatch.setattr(build, "MEGABYTE", 10)  # 160 bytes each: nearly everything is on disk
    world = World(playlists={number: set(range(number, number + 70)) for number in range(1, 5)})
    world.spill(store)
    put_aside = mock.patch.object(Spool, "_write_run", autospec=True, side_effect=Spool._write_run)
    with put_aside as counted:
        relate(store, make_config(memory_mb=16))
    wanted = expected(world, HarvestConfig().relationships)["track_relationships"]
    assert stored(store)["track_relationships"] == wanted
    assert counted.call_count > 5
    assert not list(tmp_path.glob("*.relating"))


def pairs_of_tracks(world: World) -> Rows:
    config = make_config(track_cooccurrence={"min_cooccurrences": 1})
    return expected(world, config.relationships)["track_relationships"]


def nearest_of_each(pairs: Rows, k: int) -> Rows:
    kept = set()
    for node in {node for pair in pairs for node in pair}:
        ranked = sorted((-pairs[pair][1], sum(pair) - node, pair) for pair in pairs if node in pair)
        kept |= {pair for _, _, pair in ranked[:k]}
    return {pair: pairs[pair] for pair in kept}


@REUSED
@given(WORLDS, st.integers(1, 4))
def test_top_k_keeps_the_nearest_of_each(store: Store, world: World, k: int) -> None:
    world.spill(store)
    relate(store, make_config(track_cooccurrence={"min_cooccurrences": 1, "top_k": k}))
    assert stored(store)["track_relationships"] == nearest_of_each(pairs_of_tracks(world), k)


@REUSED
@given(WORLDS, st.integers(1, 40), st.sampled_from([0.01, 1.25, 1e9]))
def test_max_pairs_keeps_the_nearest_of_each(store: Store, world: World, most: int, tolerance: float) -> None:
    """The limit is known by the forecast, or only after the search."""
    world.spill(store)
    pairs = pairs_of_tracks(world)
    config = make_config(max_pairs=most, track_cooccurrence={"min_cooccurrences": 1})
    with mock.patch.object(build, "TOLERANCE", tolerance):
        (result,) = relate(store, config, only=["track_cooccurrence"])
    found = stored(store)["track_relationships"]
    assert len(found) <= most
    if result.limited is None:
        assert found == pairs
        return
    nearest = nearest_of_each(pairs, result.limited)
    if len(nearest) <= most:
        assert found == nearest
    else:
        assert result.limited == 1
        ranked = sorted(nearest, key=lambda pair: (-pairs[pair][1], pair))
        assert set(found) == set(ranked[:most])


def test_a_limited_table_is_near_its_limit_and_says_so(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(playlists={number: set(range(number, number + 70)) for number in range(1, 40)})
    world.spill(store)
    config = make_config(max_pairs=1500, track_cooccurrence={"min_cooccurrences": 1})
    (result,) = relate(store, config, only=["track_cooccurrence"])
    assert 750 < result.rows <= 1500
    assert result.limited is not None
    kept = f"keeping {result.rows:,}, the {result.limited} nearest of each"
    assert f"exceed relationships.max_pairs (1,500); {kept}" in caplog.text
    (run,) = runs(store)
    recorded = json.loads(str(run["parameters"]))["limited"]
    assert recorded == {"by": "max_pairs", "pairs": 1500, "top_k": result.limited}
    (again,) = relate(store, config, only=["track_cooccurrence"])
    assert (again.rows, again.limited, again.seconds) == (result.rows, result.limited, {})
    every = make_config(track_cooccurrence={"min_cooccurrences": 1})
    (whole,) = relate(store, every, only=["track_cooccurrence"])
    assert (len(pairs_of_tracks(world)), None) == (whole.rows, whole.limited)
    (cut,) = relate(store, config, only=["track_cooccurrence"])
    assert (cut.rows, cut.limited) == (result.rows, result.limited)


def test_a_table_that_does_not_fit_the_disk_keeps_the_nearest_of_each(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(playlists={number: set(range(number, number + 70)) for number in range(1, 40)})
    world.spill(store)
    usage = shutil.disk_usage("/")._replace(free=250_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    config = make_config(track_cooccurrence={"min_cooccurrences": 1})
    (result,) = relate(store, config, only=["track_cooccurrence"])
    assert 500 < result.rows < 1500
    assert result.limited is not None
    assert stored(store)["track_relationships"] == nearest_of_each(pairs_of_tracks(world), result.limited)
    assert "exceed the free space (0 MB)" in caplog.text
    (again,) = relate(store, config, only=["track_cooccurrence"])
    assert (again.rows, again.limited, again.seconds) == (result.rows, result.limited, {})
    untested = make_config(significance="none", track_cooccurrence={"min_cooccurrences": 1})
    (smaller,) = relate(store, untested, only=["track_cooccurrence"])
    assert smaller.rows > 1.2 * result.rows, "rows without significance take less"
    monkeypatch.undo()
    (whole,) = relate(store, config, only=["track_cooccurrence"])
    assert (whole.rows, whole.limited) == (len(pairs_of_tracks(world)), None)


def test_a_table_with_exactly_the_most_pairs_is_not_limited(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The forecast expects more, but not so much more that only the nearest are stored at once."""
    world = World(playlists={number: set(range(number, number + 70)) for number in range(1, 40)})
    world.spill(store)
    every = len(pairs_of_tracks(world))
    too_many = mock.Mock(return_value=forecast.Forecast(every + 1, 108, np.empty(0)))
    monkeypatch.setattr(build, "forecast", too_many)
    config = make_config(max_pairs=every, track_cooccurrence={"min_cooccurrences": 1})
    (result,) = relate(store, config, only=["track_cooccurrence"])
    assert (result.rows, result.limited, result.error) == (every, None, None)


@pytest.mark.parametrize("error", [StorageError("no room"), MemoryError()])
def test_a_table_that_cannot_be_built_keeps_no_other_from_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    make_world().spill(store)
    monkeypatch.setattr(UserSimilarity, "incidence", mock.Mock(side_effect=error))
    users, tracks, artists = relate(store, HarvestConfig())
    assert isinstance(users.error, StorageError)
    wanted = expected(make_world(), HarvestConfig().relationships)
    assert {table: stored(store)[table] for table in TABLES} == {
        **{table: wanted[table] for table in TABLES},
        "user_similarities": {},
    }
    assert tracks.seconds
    assert artists.seconds


@pytest.mark.postgresql("a lost connection")
@pytest.mark.parametrize(("module", "name"), [(builds, "latest"), (writing, "_copy_rows")])
def test_a_build_survives_a_lost_connection(
    store: Store, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    lost: list[str] = []
    original = getattr(module, name)

    def lose_once(*arguments: object) -> object:
        if not lost:
            lost.append(name)
            end_connections(store.url)
        return original(*arguments)

    make_world().spill(store)
    monkeypatch.setattr(module, name, lose_once)
    assert [result.error for result in relate(store, HarvestConfig())] == [None] * 3
    assert lost
    wanted = expected(make_world(), HarvestConfig().relationships)
    assert {table: stored(store)[table] for table in TABLES} == {table: wanted[table] for table in TABLES}
    assert len(runs(store)) == 3


def test_top_k_does_not_depend_on_when_it_prunes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "BLOCK", 50)
    make_world().spill(store)
    config = make_config(track_cooccurrence={"min_cooccurrences": 1, "top_k": 3})
    tables = []
    for limit in (10, 10**9):
        monkeypatch.setattr(nearest, "PRUNE_AT", limit)
        with store.write() as connection:
            connection.execute(sa.delete(schema.relationship_runs))
        relate(store, config)
        tables.append(stored(store)["track_relationships"])
    assert tables[0] == tables[1] != {}


def test_a_sample_is_stable_and_recorded(store: Store) -> None:
    world = make_world(users=400)
    world.spill(store)
    relate(store, make_config(user_sample=0.5))
    users = {user for pair in stored(store)["user_similarities"] for user in pair}
    assert 130 < len(users) < 270
    relate(store, make_config(user_sample=0.75))
    assert users < {user for pair in stored(store)["user_similarities"] for user in pair}
    relate(store, make_config(user_sample=0.5, sample_seed=2))
    assert {user for pair in stored(store)["user_similarities"] for user in pair} != users


def test_tracks_that_most_users_like_can_be_dropped(store: Store) -> None:
    world = make_world()
    world.engagements |= {(user, 1000, "like") for user in range(1, 30)}
    world.spill(store)
    relate(store, make_config(user_similarity={"max_library_share": 0.99}))
    without = World({engagement for engagement in world.engagements if engagement[1] != 1000})
    wanted = expected(without, HarvestConfig().relationships)["user_similarities"]
    assert stored(store)["user_similarities"] == wanted


def test_a_share_includes_its_limit(store: Store) -> None:
    """One in ten is not more than a tenth."""
    world = World(
        {(user, 100 + track, "like") for user in range(1, 11) for track in range(3 * user, 3 * user + 3)}
    )
    world.engagements |= {(1, 500, "like"), (2, 500, "like"), (1, 501, "like"), (2, 502, "like")}
    world.spill(store)
    config = {"max_library_share": 0.1, "min_common_tracks": 1, "min_similarity": 0}
    relate(store, make_config(user_similarity=config))
    assert stored(store)["user_similarities"] == {}
    relate(store, make_config(user_similarity=config | {"max_library_share": 0.2}))
    assert list(stored(store)["user_similarities"]) == [(1, 2)]


def test_the_scope_of_a_seed(store: Store, url: str) -> None:
    world = make_world()
    world.spill(store)
    seed, users, tracks = 1, range(1, 12), range(1, 20)
    found = [("user", user) for user in users] + [("track", track) for track in tracks]
    found += [("playlist", playlist) for playlist in range(1, 5)]
    rows = [
        {"seed_id": seed, "layer": "user_depth", "kind": kind, "record_id": number} for kind, number in found
    ]
    with store.write() as connection:
        connection.execute(sa.insert(schema.selections), rows)
    part = World(
        {like for like in world.engagements if like[0] in users and like[1] in tracks},
        {number: set(world.playlists[number]) & set(tracks) for number in range(1, 5)},
        world.artists,
    )
    wanted = expected(part, HarvestConfig().relationships)
    relate(store, HarvestConfig(), seeds=[seed])
    assert {table: stored(store)[table] for table in TABLES} == {table: wanted[table] for table in TABLES}
    store.close()
    counts = RelationshipProcessor(url).process_all(seed_track_id=seed)
    assert counts == {table: len(wanted[table]) for table in TABLES}


def test_an_unknown_seed(store: Store) -> None:
    with pytest.raises(ArgumentError, match="seed 77: nothing was harvested around it"):
        relate(store, HarvestConfig(), seeds=[77])
    with pytest.raises(ConfigError, match="no seed is given"):
        relate(store, make_config(scope="seeds"))


def test_a_failure_keeps_the_table_that_failed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    make_world().spill(store)
    relate(store, HarvestConfig())
    before = stored(store)
    with store.write() as connection:
        connection.execute(sa.delete(schema.engagements).where(schema.engagements.c.user_id < 20))
    entered = []

    def fail_at_the_second(*arguments: object) -> None:
        entered.append(arguments)
        if len(entered) == 2:
            raise ZeroDivisionError

    monkeypatch.setattr(builds, "enter", fail_at_the_second)
    with pytest.raises(ZeroDivisionError):
        relate(store, HarvestConfig())
    after = stored(store)
    # Only likes have changed, so the second of these two tables failed.
    assert [table for table in TABLES if after[table] != before[table]] == ["user_similarities"]
    monkeypatch.undo()
    relate(store, HarvestConfig())
    assert stored(store)["artist_relationships"] != before["artist_relationships"]


def test_cancelling_keeps_all_tables(store: Store, tmp_path: Path) -> None:
    make_world().spill(store)
    for asked in range(6):
        counted = iter(range(100))
        with pytest.raises(CancelledError):
            relate(store, HarvestConfig(), is_cancelled=lambda: next(counted) >= asked)  # noqa: B023
    assert not any(stored(store).values())
    assert not list(tmp_path.glob("*.relating"))


def test_a_full_disk_is_reported_before_writing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    make_world().spill(store)
    usage = shutil.disk_usage("/")._replace(free=1600)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    users, tracks, artists = relate(store, HarvestConfig())
    for result in (users, tracks):
        assert f"{result.table} needs about 0 MB of free space" in str(result.error)
    assert artists.error is None  # these few fit
    assert [table for table, rows in stored(store).items() if rows] == ["artist_relationships"]
    store.close()
    with pytest.raises(StorageError, match="user_similarities needs about"):
        RelationshipProcessor(store.url).process_all()


@pytest.mark.parametrize("room", [100, 50_000, 100_000])
def test_a_disk_that_fills_up_while_writing(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, room: int
) -> None:
    """The disk is too small for the sorted runs, for the staged file or for its pages."""
    monkeypatch.setattr(spool, "BLOCK", 100)
    monkeypatch.setattr(build, "MEGABYTE", 10 if room == 100 else 1 << 20)
    World(playlists={number: set(range(number, number + 70)) for number in range(1, 5)}).spill(store)
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
    try:
        (failed,) = relate(store, make_config(memory_mb=16), only=["track_cooccurrence"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))
    assert re.match(r"^directory .*(\.relating|/soundgraph-relate-\w+): (?!None)", str(failed.error))
    assert not any(stored(store).values())
    assert not list(tmp_path.glob("*.relating"))
    relate(store, HarvestConfig())
    assert stored(store)["track_relationships"]


def test_a_large_table_is_announced(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(forecast, "SMALL", 100)
    monkeypatch.setattr(forecast, "MANY", 200)
    make_world().spill(store)
    relate(store, HarvestConfig())
    pairs = len(stored(store)["user_similarities"])
    assert f"user_similarities: about {pairs} pairs expected, 0 MB" in caplog.text
    assert "relationships.track_cooccurrence.top_k: 100 would keep at most" in caplog.text


def test_progress_is_logged(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(build, "PROGRESS_SECONDS", 0)
    monkeypatch.setattr(spool, "BLOCK", 50)
    make_world().spill(store)
    relate(store, make_config(track_cooccurrence={"top_k": 5}))
    for done in ("compared", "ranked", "written"):
        shares = [int(share) for share in re.findall(rf"track_relationships: (\d+)% {done}", caplog.text)]
        assert len(shares) > 1, done
        assert shares == sorted(shares)
        assert shares[-1] == 100


def test_a_missing_numba_is_logged(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    make_world().spill(store)
    monkeypatch.setattr(engine, "MIN_COMPILED_WORK", 0)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    relate(store, HarvestConfig())
    assert "numba is not installed" in caplog.text
    wanted = expected(make_world(), HarvestConfig().relationships)
    assert {table: stored(store)[table] for table in TABLES} == {table: wanted[table] for table in TABLES}
