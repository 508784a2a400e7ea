"""The matrix contains the interactions of its sources, recomputed with sets and dictionaries."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sgr_spiders.embeddings.interactions import Interactions, read_interactions
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage import schema
from sgr_spiders.storage.libraries import Inclusion
from tests.relationships.worlds import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sgr_spiders.storage.store import Store

REUSED = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
USERS, TRACKS, PLAYLISTS = st.integers(1, 9), st.integers(101, 112), st.integers(1001, 1006)
WORLDS = st.builds(
    World,
    st.sets(st.tuples(USERS, TRACKS, st.sampled_from(["like", "repost", "comment"])), max_size=60),
    st.dictionaries(PLAYLISTS, st.sets(TRACKS, min_size=1)),
    owners=st.dictionaries(PLAYLISTS, USERS),
)
SOURCES = st.dictionaries(
    st.sampled_from(["like", "repost", "comment", "playlist"]), st.sampled_from([0.5, 1.0, 3.0]), min_size=1
)


def expected(
    world: World, sources: Mapping[str, float], min_per_user: int, min_per_track: int
) -> dict[tuple[int, int], float]:
    interactions = {(user, track, kind) for user, track, kind in world.engagements if kind in sources}
    if "playlist" in sources:
        owned = {number: owner for number, owner in world.owners.items() if number in world.playlists}
        interactions |= {
            (owner, track, "playlist") for number, owner in owned.items() for track in world.playlists[number]
        }
    pairs: dict[tuple[int, int], float] = {}
    for user, track, kind in interactions:
        pairs[user, track] = pairs.get((user, track), 0) + sources[kind]
    while True:
        of_users, of_tracks = Counter(user for user, _ in pairs), Counter(track for _, track in pairs)
        kept = {
            (user, track): weight
            for (user, track), weight in pairs.items()
            if of_users[user] >= min_per_user and of_tracks[track] >= min_per_track
        }
        if kept == pairs:
            return kept
        pairs = kept


def pairs_of(interactions: Interactions) -> dict[tuple[int, int], float]:
    found = interactions.matrix.tocoo()
    users, tracks = interactions.users[found.row].tolist(), interactions.tracks[found.col].tolist()
    return dict(zip(zip(users, tracks, strict=True), found.data.tolist(), strict=True))


@REUSED
@given(WORLDS, SOURCES, st.integers(0, 4), st.integers(0, 4))
def test_the_matrix_contains_the_interactions_of_its_sources(
    store: Store, world: World, sources: dict[str, float], min_per_user: int, min_per_track: int
) -> None:
    world.spill(store)
    with store.write() as connection:
        found = read_interactions(
            connection, sources=sources, min_per_user=min_per_user, min_per_track=min_per_track
        )
    wanted = expected(world, sources, min_per_user, min_per_track)
    assert pairs_of(found) == wanted
    assert found.users.tolist() == sorted({user for user, _ in wanted})
    assert found.tracks.tolist() == sorted({track for _, track in wanted})
    assert found.matrix.nnz == len(wanted)
    assert found.matrix.dtype == np.float32
    assert found.matrix.has_canonical_format
    assert found.matrix.indices.dtype == found.matrix.indptr.dtype == np.int32


def test_the_default_source_is_likes(store: Store) -> None:
    World({(1, 101, "like"), (1, 102, "repost"), (2, 101, "comment")}).spill(store)
    with store.write() as connection:
        found = read_interactions(connection)
    assert pairs_of(found) == {(1, 101): 1.0}


def test_what_has_been_removed_does_not_count(store: Store) -> None:
    world = World(
        {(1, 101, "like"), (1, 102, "like")},
        {1001: {103, 104}},
        owners={1001: 1},
        removed={(1, 102, "like"), (1001, 104, "place")},
    )
    world.spill(store)
    sources = {"like": 1, "playlist": 2}
    with store.write() as connection:
        usual = read_interactions(connection, sources=sources)
        everything = read_interactions(connection, sources=sources, include=Inclusion(removed=True))
    assert pairs_of(usual) == {(1, 101): 1, (1, 103): 2}
    assert pairs_of(everything) == {(1, 101): 1, (1, 102): 1, (1, 103): 2, (1, 104): 2}


def test_scope_of_a_seed(store: Store) -> None:
    """A playlist outside the scope does not count, even if its owner and track are in scope."""
    world = World(
        {(1, 101, "like"), (2, 101, "like"), (1, 102, "like")},
        {1001: {101, 103}, 1002: {104}},
        owners={1001: 1, 1002: 1},
    )
    world.spill(store)
    found_there = [("user", 1), ("track", 101), ("track", 103), ("track", 104), ("playlist", 1001)]
    rows = [{"seed_id": 7, "layer": "x", "kind": kind, "record_id": number} for kind, number in found_there]
    with store.write() as connection:
        connection.execute(sa.insert(schema.selections), rows)
        found = read_interactions(connection, sources={"like": 1, "playlist": 2}, seeds=[7])
    assert pairs_of(found) == {(1, 101): 3.0, (1, 103): 2.0}


def test_ids_and_indices(store: Store) -> None:
    World({(1, 101, "like"), (5, 103, "like")}).spill(store)
    with store.write() as connection:
        found = read_interactions(connection)
        empty = read_interactions(connection, min_per_user=2)
    assert found.user_indices(np.array([5, 1, 2, 99])).tolist() == [1, 0, -1, -1]
    assert found.track_indices(np.array([103, 102])).tolist() == [1, -1]
    assert empty.matrix.shape == (0, 0)
    assert empty.user_indices(np.array([5])).tolist() == [-1]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"likes": 1.0}, r"no such source: 'likes' \(did you mean `like`\?\)"),
        ({"like": 0.0}, "weight of like must be greater than 0, not 0.0"),
        ({"like": float("nan")}, "weight of like must be greater than 0, not nan"),
        ({}, "name at least one source"),
    ],
)
def test_bad_sources(store: Store, sources: dict[str, float], message: str) -> None:
    with store.write() as connection, pytest.raises(ArgumentError, match=message):
        read_interactions(connection, sources=sources)
