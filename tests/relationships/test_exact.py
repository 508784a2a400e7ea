"""The tables contain exactly the pairs that brute force finds in random small worlds."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.relationships import compiled_search, engine, weighing
from sgr_spiders.relationships.arrangement import arrange
from sgr_spiders.relationships.compiled_search import CompiledSearch
from sgr_spiders.relationships.inputs import Incidence
from sgr_spiders.relationships.processor import relate
from sgr_spiders.relationships.sparse_search import SparseSearch
from sgr_spiders.relationships.track_cooccurrence import TrackCooccurrence
from sgr_spiders.relationships.user_similarity import UserSimilarity
from tests.relationships.worlds import World, expected, stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.storage.store import Store

KNOWN = [*range(1, 13), 2**31 - 1, 2**31, 2**40 + 7, 2**62 + 1, 2**63 - 1]
IDS = st.sampled_from(KNOWN)
STATES = st.sampled_from(["whole", "whole", "newest", "unseen", "hidden"])
THIN = st.builds(
    World,
    engagements=st.sets(st.tuples(IDS, IDS, st.sampled_from(["like", "repost"])), max_size=120),
    playlists=st.dictionaries(IDS, st.sets(IDS), max_size=12),
    artists=st.dictionaries(IDS, IDS, max_size=12),
    owners=st.dictionaries(IDS, IDS, max_size=12),
    types=st.dictionaries(IDS, st.sampled_from(["album", "ep", "compilation", ""]), max_size=12),
    looks=st.none() | st.dictionaries(IDS, STATES, min_size=1),
    removed=st.sets(st.tuples(IDS, IDS, st.sampled_from(["like", "repost", "place"])), max_size=40),
)


def crowd(seed: int, density: float) -> World:
    """Return a dense world; the worlds that Hypothesis draws rarely have enough in common."""
    dice = random.Random(seed)  # noqa: S311 - not for secrets

    def some(of: Sequence[int]) -> set[int]:
        return {member for member in of if dice.random() < density}

    engagements = {
        (user, track, kind) for user in KNOWN for kind in ("like", "repost") for track in some(KNOWN)
    }
    playlists = {playlist: some(KNOWN) for playlist in KNOWN}
    artists = {track: dice.choice(KNOWN[3:9]) for track in some(KNOWN)}
    for playlist in KNOWN[:6]:  # albums, though some have a track that nobody is known to have made
        playlists[playlist] = {track for track in KNOWN if artists.get(track, 0) == KNOWN[3 + playlist % 3]}
        playlists[playlist] |= set(KNOWN[-1:]) - set(artists)
    places = {(playlist, track, "place") for playlist, tracks in playlists.items() for track in tracks}
    return World(
        engagements,
        playlists,
        artists,
        {playlist: KNOWN[3 + playlist % 3] for playlist in KNOWN},
        {playlist: dice.choice(["", "ep"]) for playlist in some(KNOWN)},
        looks={user: dice.choice(["whole", "whole", "newest", "unseen", "hidden"]) for user in KNOWN},
        cut_playlists=some(KNOWN),
        removed={link for link in sorted(engagements | places) if dice.random() < 0.1},
    )


WORLDS = THIN | st.builds(crowd, st.integers(0, 2**32), st.sampled_from([0.1, 0.2, 0.4, 0.8]))
CONFIGS = st.builds(
    lambda common, similarity, together, worth, fans, kinds, unseen, removed: HarvestConfig.model_validate(
        {
            "relationships": {
                "engagement_kinds": kinds,
                "include_unseen": unseen,
                "include_removed": removed,
                "user_similarity": {"min_common_tracks": common, "min_similarity": similarity},
                "user_cosine": {
                    "enabled": True,
                    "min_common_tracks": common,
                    "min_similarity": similarity,
                },
                "track_cooccurrence": {"min_cooccurrences": together, **worth},
                "artist_relation": {"min_shared_fans": fans},
            }
        }
    ),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.1, 0.2, 0.25, 0.333333, 0.5, 0.666667, 1.0]),
    st.integers(1, 3),
    st.fixed_dictionaries(
        {},
        optional={
            "playlists": st.sampled_from(["curated", "albums"]),
            "weighting": st.just("size"),
            "max_contribution": st.integers(1, 3),
        },
    ),
    st.integers(1, 3),
    st.sampled_from([["like"], ["like", "repost"], ["repost"]]),
    st.sampled_from([False, False, True]),
    st.sampled_from([False, False, True]),
)
REUSED = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["compiled", "plain"])
def _both_searches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each search on worlds of any size."""
    for module in (engine, weighing):
        monkeypatch.setattr(module, "MIN_COMPILED_WORK", 0 if request.param == "compiled" else 2**62)
    monkeypatch.setattr(compiled_search, "FEWEST_ROWS_OF_COMMON", 1)
    monkeypatch.setattr(compiled_search, "COMMON_SHARE", 3)


@pytest.mark.usefixtures("_both_searches")
@REUSED
@given(WORLDS, CONFIGS)
def test_the_tables_equal_brute_force(store: Store, world: World, config: HarvestConfig) -> None:
    world.spill(store)
    related = relate(store, config)
    found = stored(store)
    assert found == expected(world, config.relationships)
    assert {result.table: result.rows for result in related} == {
        table: len(rows) for table, rows in found.items()
    }


@pytest.mark.usefixtures("_both_searches")
@pytest.mark.parametrize(("common", "extra", "kept"), [(3, 27, True), (3, 28, False), (2, 18, False)])
def test_one_in_ten_meets_a_threshold_of_a_tenth(store: Store, common: int, extra: int, kept: bool) -> None:  # noqa: FBT001
    shared = {(user, track, "like") for user in (1, 2) for track in range(1, common + 1)}
    World(shared | {(1, 1000 + track, "like") for track in range(extra)}).spill(store)
    relate(store, HarvestConfig())
    row = (common / (common + extra), common, common + extra, common, False)
    assert stored(store)["user_similarities"] == ({(1, 2): row} if kept else {})


def incidence(sets: list[NDArray[np.int64]], contexts: int) -> Incidence:
    starts = np.concatenate([[0], np.cumsum([len(contexts_of_node) for contexts_of_node in sets])]).astype(
        np.int64
    )
    members = np.concatenate(sets).astype(np.int32)
    return Incidence(np.arange(len(sets), dtype=np.int64), starts, members, contexts)


def both_searches(relationship: RelationshipType, nodes: Incidence) -> Iterator[NDArray[np.uint64]]:
    arrangement = arrange(nodes, relationship)
    for search in (CompiledSearch(arrangement), SparseSearch(arrangement)):
        blocks = arrangement.blocks(search.work(), 7)
        yield np.sort(np.concatenate([keys for block in blocks for keys in search.keys(*block)]))


def test_counts_above_one_and_two_bytes() -> None:
    sets = [np.arange(70_000), np.arange(1, 70_001), np.arange(33_000), np.arange(200), np.arange(300)]
    relationship = UserSimilarity(HarvestConfig().relationships.user_similarity)
    nodes = incidence(sets, 70_001)
    compiled, plain = both_searches(relationship, nodes)
    assert compiled.tolist() == plain.tolist()
    node_a, node_b, counts = arrange(nodes, relationship).layout.unpack(compiled)
    assert list(zip(node_a.tolist(), node_b.tolist(), counts.tolist(), strict=True)) == [
        (0, 1, 69_999),
        (0, 2, 33_000),
        (1, 2, 32_999),
        (3, 4, 200),
    ]


@pytest.mark.parametrize("popular", [0.0, 0.6])
def test_both_searches_agree_in_a_larger_world(popular: float) -> None:
    """A few thousand nodes exceed a strip of counters and have small and large rows and common contexts."""
    rng = np.random.default_rng(7)
    sizes = np.minimum(2 + rng.pareto(1.1, 3_000) * 3, 600).astype(int)
    sets = [
        np.unique(np.append((rng.random(size) ** 3 * 4_000).astype(np.int64) + 1, rng.random() >= popular))
        for size in sizes
    ]
    config = HarvestConfig().relationships
    for relationship in (
        UserSimilarity(config.user_similarity),
        TrackCooccurrence(config.track_cooccurrence),
    ):
        compiled, plain = both_searches(relationship, incidence(sets, 4_002))
        assert len(compiled) > 500
        assert np.array_equal(compiled, plain)


def test_both_searches_agree_in_a_sparse_world() -> None:
    """Each of 20,000 nodes shares contexts with about fifty others: too few to check all counters."""
    rng = np.random.default_rng(7)
    originals = rng.integers(0, 6_000, (10_000, 4))
    copies = np.concatenate([originals[:, :3], rng.integers(0, 6_000, (10_000, 1))], axis=1)
    nodes = incidence([np.unique(contexts) for contexts in np.concatenate([originals, copies])], 6_000)
    relationship = TrackCooccurrence(HarvestConfig().relationships.track_cooccurrence)
    compiled, plain = both_searches(relationship, nodes)
    assert len(compiled) > 10_000
    assert np.array_equal(compiled, plain)


@pytest.mark.slow
def test_playlists_of_five_hundred_tracks(store: Store) -> None:
    world = World(playlists={number: set(range(number, number + 500)) for number in range(1, 4)})
    world.spill(store)
    relate(store, HarvestConfig())
    rows = stored(store)["track_relationships"]
    assert rows == expected(world, HarvestConfig().relationships)["track_relationships"]
    assert len(rows) > 100_000


@pytest.mark.parametrize(
    "world",
    [
        World(),
        World({(1, 1, "like")}),
        World({(1, 1, "repost"), (2, 1, "repost")}),
        World({(user, track, "like") for user in range(1, 9) for track in range(1, 6)}),
        World(playlists={1: set()}),
    ],
)
def test_small_and_empty_worlds(store: Store, world: World) -> None:
    world.spill(store)
    relate(store, HarvestConfig())
    found = stored(store)
    del found["user_cosines"]  # off by default
    wanted = expected(world, HarvestConfig().relationships)
    assert found == {table: wanted[table] for table in found}
