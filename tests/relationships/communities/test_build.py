"""Communities built from a database, stored and shown."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import json
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.crawl.finishing import run_post_crawl_steps
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.model.outcome import Outcome
from sgr_spiders.relationships.communities import build as build_module
from sgr_spiders.relationships.communities.build import TYPES, Built, build_communities
from sgr_spiders.relationships.engine import CancelledError
from sgr_spiders.relationships.processor import relate
from sgr_spiders.reports import communities as reports
from sgr_spiders.reports.comparison.planted import normalised_mutual_information
from sgr_spiders.reports.page import content
from sgr_spiders.reports.page.graph import Graph, Limits, read_graph
from sgr_spiders.sandbox.communities import communities_of
from sgr_spiders.sandbox.options import WorldOptions
from sgr_spiders.sandbox.world import World as SandboxWorld
from sgr_spiders.storage import communities as stored
from sgr_spiders.storage import forgetting, schema
from sgr_spiders.storage.communities import Communities
from sgr_spiders.storage.extent import PRESENT, Extent, condition_of, is_known
from sgr_spiders.storage.retention import users
from sgr_spiders.storage.store import Store
from tests.databases import url_of
from tests.relationships.worlds import World
from tests.scrapy_process import scrapy_in_one

OPTIONS = WorldOptions(seed=2, users=300, tracks=1500, playlists=120)
WORLD_NAME = "seed=2, users=300, tracks=1500, playlists=120"
LIMIT = 0.05


@functools.cache
def sandbox_around_three_seeds() -> World:
    """Return the libraries of the fans of three seeds of different communities, as a harvest finds them."""
    sandbox = SandboxWorld.build(OPTIONS)
    planted = communities_of(WORLD_NAME)
    assert planted is not None
    style = dict(zip(planted.tracks.tolist(), planted.styles.tolist(), strict=True))
    by_fans = sorted(style, key=lambda track: -len(sandbox.likers(track) or ()))
    seeds: dict[int, int] = {}
    for track in by_fans:
        seeds.setdefault(style[track], track)
    fans = {user for seed in list(seeds.values())[:3] for user in sandbox.likers(seed) or ()}
    libraries = {user: sandbox.library(user) or [] for user in sorted(fans)}
    tracks = {track for library in libraries.values() for track in library}
    return World(
        {(user, track, "like") for user, library in libraries.items() for track in library},
        artists={track: artist for track in tracks if (artist := sandbox.artist_of(track)) is not None},
    )


def two_scenes(users: int = 12) -> World:
    """Return two groups of users who like the same tracks, 1 to 8 or 11 to 18, and one like in common."""
    likes = {
        (100 * scene + user, 10 * scene + (user + step) % 8 + 1, "like")
        for scene in (0, 1)
        for user in range(1, users + 1)
        for step in range(6)
    }
    artists = {10 * scene + track: 500 + scene for scene in (0, 1) for track in range(1, 9)}
    return World({*likes, (1, 11, "like")}, artists=artists)


UNTESTED = {"significance": "none"}
"""Small worlds are too small for significance: all their pairs count."""


def config(**values: object) -> HarvestConfig:
    return HarvestConfig.model_validate({"communities": values, "relationships": UNTESTED})


def build(store: Store, world: World, **values: object) -> dict[str, Built]:
    world.spill(store)
    relate(store, HarvestConfig() if len(world.engagements) > 1_000 else config())
    return {one.run.kind: one for one in build_communities(store, config(**values))}


def groups_of(found: Communities) -> dict[int, int]:
    return dict(zip(found.ids.tolist(), found.groups.tolist(), strict=True))


def read(store: Store, kind: str) -> dict[int, int]:
    with store.read() as connection:
        return groups_of(stored.read_communities(connection, kind))


@pytest.mark.parametrize("method", ["leiden", "louvain"])
def test_the_planted_communities_of_the_sandbox_are_recovered(store: Store, method: str) -> None:
    with mock.patch("sgr_spiders.relationships.communities.build.choose_method", return_value=method):
        built = build(store, sandbox_around_three_seeds())
    planted = communities_of(WORLD_NAME)
    assert planted is not None
    homes = dict(zip(planted.users.tolist(), planted.homes.tolist(), strict=True))
    styles = dict(zip(planted.tracks.tolist(), planted.styles.tolist(), strict=True))
    assert built["user"].run.validated
    for kind, truth, fewest in (("user", homes, 100), ("track", styles, 300)):
        found = groups_of(built[kind].found)
        assert len(found) > fewest
        own = np.array([truth[node] for node in found])
        assert normalised_mutual_information(np.array(list(found.values())), own) >= 0.95
    assert {one.run.method for one in built.values()} == {method}


def test_what_is_built_is_stored_with_its_parameters(store: Store) -> None:
    built = build(store, two_scenes(), resolution=0.9)
    assert groups_of(built["user"].found) == {
        **dict.fromkeys(range(1, 13), 0),
        **dict.fromkeys(range(101, 113), 1),
    }
    for kind, one in built.items():
        assert read(store, kind) == groups_of(one.found)
        with store.read() as connection:
            recorded = stored.latest(connection, kind)
        assert recorded is not None
        assert recorded.rows == len(one.found.ids)
        assert (recorded.communities, recorded.method, recorded.graph) == (2, "leiden", "user_similarities")
        assert recorded.parameters["resolution"] == 0.9
        assert recorded.parameters["random_seeds"] == list(range(1, 21))
        assert recorded.parameters["by"] == ("pairs" if kind == "user" else "listeners")
        assert recorded.stability == 1
    assert read(store, "track") == {track: int(track > 10) for track in (*range(1, 9), *range(11, 19))}
    assert read(store, "artist") == {500: 0, 501: 1}


def test_a_second_build_gives_the_same_and_replaces_the_first(store: Store) -> None:
    first = build(store, two_scenes())
    second = {one.run.kind: one for one in build_communities(store, config(), ["user", "track"])}
    for kind, one in second.items():
        assert groups_of(one.found) == groups_of(first[kind].found)
        assert read(store, kind) == groups_of(one.found)
    assert read(store, "artist") == groups_of(first["artist"].found)
    with store.read() as connection:
        counted = sa.select(schema.community_runs.c.kind, sa.func.count()).group_by(
            schema.community_runs.c.kind
        )
        assert dict(map(tuple, connection.execute(counted))) == {"artist": 1, "track": 2, "user": 2}


@pytest.mark.parametrize("kind", ["track", "artist"])
def test_the_numbers_of_tracks_and_artists_are_those_of_the_stored_users(store: Store, kind: str) -> None:
    build(store, two_scenes())
    built = build_communities(store, config(resolution=40), [kind])
    assert [one.run.kind for one in built] == [kind, "user"]
    assert len(set(read(store, "user").values())) > 2
    assert read(store, "user") == groups_of(built[1].found)
    (alone,) = build_communities(store, config(by="pairs"), [kind])
    assert alone.run.kind == kind


def test_the_share_of_tracks_is_of_all_that_are_liked(store: Store) -> None:
    world = two_scenes()
    world.engagements |= {(999, track, "like") for track in (31, 32, 33, 34)}
    built = build(store, world)
    assert 999 not in groups_of(built["user"].found)
    assert (built["track"].run.rows, built["track"].run.inputs["nodes"]) == (16, 20)
    with store.read() as connection:
        text = reports.as_text(reports.collect(connection, ["track"]))
    assert "for 80.0% of those liked" in " ".join(text)


def set_q(store: Store, value: sa.ColumnElement[float] | float | None) -> None:
    table = sa.table("user_similarities", sa.column("q"), sa.column("user_id_a"), sa.column("user_id_b"))
    with store.write() as connection:
        connection.execute(sa.update(table).values(q=value))


def test_only_significant_pairs_count_if_all_are_known(store: Store) -> None:
    two_scenes().spill(store)
    relate(store, config())
    pair: sa.ColumnClause[int] = sa.column("user_id_b")
    set_q(store, sa.case((pair <= 12, 0.01), else_=0.2))
    (validated,) = build_communities(store, config(), ["user"])
    assert set(groups_of(validated.found)) == set(range(1, 13))
    assert validated.run.validated
    assert validated.run.inputs["used_pairs"] < validated.run.inputs["pairs"]
    assert validated.run.inputs["nodes"] == 24
    (everything,) = build_communities(store, config(validated=None), ["user"])
    assert len(everything.found.ids) == 24
    assert not everything.run.validated
    set_q(store, sa.case((pair <= 11, 0.01), else_=sa.null()))
    (unknown,) = build_communities(store, config(), ["user"])
    assert len(unknown.found.ids) == 24
    assert not unknown.run.validated


def test_no_significant_pair_gives_no_community(store: Store) -> None:
    two_scenes().spill(store)
    relate(store, config())
    set_q(store, 0.9)
    built = build_communities(store, config())
    assert [one.run.rows for one in built] == [0, 0, 0]
    with store.read() as connection:
        lines = reports.as_text(reports.collect(connection))
    assert lines[0] == "Tracks: no communities; 0 of 132 pairs in user_similarities are significant"


def test_communities_of_their_own_pairs(store: Store) -> None:
    built = build(store, two_scenes(), by="pairs")
    assert [one.run.graph for one in built.values()] == [
        "track_relationships",
        "user_similarities",
        "artist_relationships",
    ]
    assert built["track"].run.rows == 0  # no playlists
    assert built["artist"].run.inputs["pairs"] == len(built["artist"].found.ids) == 0


def test_tables_that_were_never_built_are_named(store: Store) -> None:
    with pytest.raises(ArgumentError, match="user_similarities: was never built"):
        build_communities(store, config())


def test_a_cancelled_build_changes_nothing(store: Store) -> None:
    first = build(store, two_scenes())
    with pytest.raises(CancelledError):
        build_communities(store, config(resolution=50), is_cancelled=lambda: True)
    assert read(store, "user") == groups_of(first["user"].found)


def test_communities_are_fresh_until_the_pairs_are_rebuilt(store: Store) -> None:
    world = two_scenes()
    built = build(store, world)["user"].run

    def is_fresh() -> bool:
        with store.read() as connection:
            return stored.is_fresh(connection, built, "user_similarity")

    assert is_fresh()
    relate(store, config())
    assert is_fresh()
    relate(
        store, HarvestConfig.model_validate({"relationships": {"user_similarity": {"min_similarity": 0.2}}})
    )
    assert not is_fresh()


def test_what_is_forgotten_has_no_community(store: Store) -> None:
    build(store, two_scenes())
    with store.write() as connection:
        done = forgetting.forget(connection, [("user", 1), ("track", 12), ("user", 501)])
    assert done.removed["communities"] > 2
    assert 1 not in read(store, "user")
    assert set(read(store, "track")) == set(range(1, 9))  # those of the artist are forgotten, too
    assert set(read(store, "artist")) == {500}


def test_what_is_forgotten_during_a_build_has_no_community(store: Store) -> None:
    build(store, two_scenes())
    find = build_module._build

    def find_and_forget(*args: Any) -> list[Built]:
        found = find(*args)
        with store.write() as connection:
            forgetting.forget(connection, [("user", 1), ("track", 12)])
        return found

    with mock.patch.object(build_module, "_build", find_and_forget):
        build_communities(store, config())
    assert set(read(store, "user")) == {*range(2, 13), *range(101, 113)}
    assert set(read(store, "track")) == {*range(1, 9), 11, *range(13, 19)}
    with store.read() as connection:
        recorded = stored.latest(connection, "user")
    assert recorded is not None
    assert (recorded.rows, recorded.communities) == (23, 2)


def test_removed_nodes_are_not_exported_as_present(store: Store) -> None:
    build(store, two_scenes())
    gone = {"removed_at": "2026-02-01T00:00:00.000000Z", "removed_reason": "gone"}
    with store.write() as connection:
        connection.execute(sa.update(schema.tracks).where(schema.tracks.c.track_id == 3).values(gone))
        connection.execute(sa.update(schema.users).where(schema.users.c.user_id == 500).values(gone))
    table = schema.communities
    assert condition_of(table, Extent(include_removed=True)) is None
    assert not is_known(table, Extent(as_of="2026-03-01"))
    condition = condition_of(table, PRESENT)
    assert condition is not None
    with store.read() as connection:
        rows = set(
            map(tuple, connection.execute(sa.select(table.c.kind, table.c.node_id).where(sa.not_(condition))))
        )
    assert rows == {("track", 3), ("artist", 500)}


def test_pseudonyms_leave_no_communities(store: Store) -> None:
    build(store, two_scenes())
    with store.write() as connection:
        users._delete_derived(connection)
    assert [read(store, kind) for kind in stored.KINDS] == [{}] * 3


def test_the_command_shows_communities_by_genre_and_member(tmp_path: Path) -> None:
    path = tmp_path / "harvest.db"
    store = Store.open(url_of(path))
    two_scenes().spill(store)
    tracks, people = schema.tracks, schema.users
    with store.write() as connection:
        genre = sa.case((tracks.c.track_id % 3 == 0, "Drum and Bass"), else_="DnB")
        connection.execute(sa.update(tracks).where(tracks.c.track_id < 9).values(genre=genre))
        connection.execute(
            sa.update(people).where(people.c.user_id == 7).values(followers_count=9, username="A\tz")
        )
    relate(store, config())
    store.close()
    text, plain, wrong, low = scrapy_in_one(
        path,
        ["communities"],
        ["communities", "--only", "users,tracks", "--json", "--resolution", "1.5"],
        ["communities", "--only", "user"],
        ["communities", "--resolution", "x"],
    )
    assert text.code == 0, text
    lines = text.out.splitlines()
    users_at = next(place for place, line in enumerate(lines) if line.startswith("Users: "))
    assert "2 communities of 24 users (leiden, modularity 0.5" in lines[users_at]
    first = next(line for line in lines[users_at:] if line.split()[0] == "0")
    assert first.split()[:3] == ["0", "12", "1.00"]
    assert "drum & bass" in first
    found = json.loads(plain.out)
    assert [one["kind"] for one in found] == ["track", "user"]
    assert found[1]["parameters"]["resolution"] == 1.5
    assert found[1]["communities"][0]["members"][0] == "A\tz"
    assert found[1]["communities"][0]["genres"] == ["drum & bass"]
    assert wrong.code == low.code == 2
    assert wrong.err.strip().endswith(
        "option `--only`: must be tracks, users or artists, not 'user' (did you mean `users`?)"
    )
    assert low.err.strip().endswith("option `--resolution`: not a number: 'x'")


def test_the_report_shows_stored_communities_while_they_are_fresh(store: Store) -> None:
    build(store, two_scenes(), resolution=40)
    pairs = TYPES["user"].table

    def draw() -> Graph:
        limits = Limits(nodes=100, edges=500)
        nobody = np.empty(0, np.int64)
        with store.read() as connection:
            graph = read_graph(connection, pairs, [], limits, only_around=False, removed=nobody)
            return content._with_stored_communities(connection, graph)

    fresh, found = draw(), read(store, "user")
    assert fresh.are_stored
    assert len(set(found.values())) > 2
    assert dict(zip(fresh.ids.tolist(), fresh.communities.tolist(), strict=True)) == found
    changed = {"relationships": {"user_similarity": {"min_similarity": 0.2}}}
    relate(store, HarvestConfig.model_validate(changed))
    stale = draw()
    assert not stale.are_stored
    assert len(set(stale.communities.tolist())) == 2


@pytest.mark.parametrize("on_close", [True, False])
def test_a_crawl_finds_communities_at_its_end_if_asked_to(store: Store, *, on_close: bool) -> None:
    two_scenes().spill(store)
    finished = asyncio.run(
        run_post_crawl_steps(
            store, config(on_close=on_close), [1], Outcome("complete", 0, None), lambda: False
        )
    )
    assert finished.outcome.name == "complete"
    assert finished.missing == ()
    assert len(read(store, "user")) == (24 if on_close else 0)


def test_communities_that_cannot_be_found_do_not_spoil_a_crawl(store: Store) -> None:
    two_scenes().spill(store)
    unrelated = HarvestConfig.model_validate(
        {"relationships": {"on_close": False}, "communities": {"on_close": True}}
    )
    finished = asyncio.run(
        run_post_crawl_steps(store, unrelated, [1], Outcome("complete", 0, None), lambda: False)
    )
    assert finished.outcome.name == "complete"
    (missing,) = finished.missing
    assert missing.startswith("Communities not built: table user_similarities: was never built")


def test_the_method_without_igraph_is_named(store: Store) -> None:
    with mock.patch.object(importlib.util, "find_spec", return_value=None):
        assert build(store, two_scenes())["user"].run.method == "louvain"
