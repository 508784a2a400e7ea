"""The walk equals P3alpha of the paper, however it is computed."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sgr_spiders.embeddings import walk
from sgr_spiders.embeddings.base import Corpus
from sgr_spiders.embeddings.interactions import read_interactions
from sgr_spiders.embeddings.similar import find_similar
from sgr_spiders.embeddings.walk import RandomWalk, WalkRecommender
from sgr_spiders.storage.store import Store
from tests.relationships.worlds import World

REUSED = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
USERS, TRACKS = st.integers(1, 8), st.integers(101, 110)
WORLDS = st.builds(
    World,
    st.sets(st.tuples(USERS, TRACKS, st.just("like")), min_size=1, max_size=50),
    st.dictionaries(st.integers(1001, 1006), st.sets(TRACKS, min_size=1)),
    st.dictionaries(TRACKS, st.integers(1, 4)),
    owners=st.dictionaries(st.integers(1001, 1006), USERS),
)


def by_hand(matrix: np.ndarray, alpha: float = 1) -> np.ndarray:
    """Return the probabilities from each track to each other, step by step."""
    reached = np.zeros((matrix.shape[1],) * 2)
    for start in range(matrix.shape[1]):
        for user in np.flatnonzero(matrix[:, start]):
            to_user = matrix[user, start] / matrix[:, start].sum()
            for end in np.flatnonzero(matrix[user]):
                if end != start:
                    to_track = matrix[user, end] / matrix[user].sum()
                    reached[start, end] += to_user**alpha * to_track**alpha
    return reached


@pytest.mark.parametrize("alpha", [1, 0.5, 2])
def test_it_equals_the_formula(alpha: float) -> None:
    random = np.random.default_rng(3)
    matrix = (random.random((12, 9)) < 0.3) * random.integers(1, 4, (12, 9)).astype(np.float32)
    reached = RandomWalk(sp.csr_array(matrix), alpha, neighbours=99).reach(np.arange(9))
    assert reached.toarray() == pytest.approx(by_hand(matrix, alpha), abs=1e-6)


def test_only_the_likeliest_tracks_are_kept() -> None:
    matrix = (np.random.default_rng(4).random((30, 20)) < 0.4).astype(np.float32)
    whole = by_hand(matrix)
    reached = RandomWalk(sp.csr_array(matrix), neighbours=3).reach(np.arange(20)).toarray()
    for row, kept in zip(whole, reached, strict=True):
        assert np.count_nonzero(kept) == 3
        assert np.sort(kept)[-3:] == pytest.approx(np.sort(row)[-3:], abs=1e-6)


def test_parts_give_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = sp.csr_array((np.random.default_rng(5).random((40, 30)) < 0.2).astype(np.float32))
    whole = RandomWalk(matrix, neighbours=5).reach(np.arange(30))
    monkeypatch.setattr(walk, "ENDS_AT_A_TIME", 50)
    assert len(RandomWalk(matrix)._parts(np.arange(30))) > 5
    assert (RandomWalk(matrix, neighbours=5).reach(np.arange(30)) != whole).nnz == 0


def test_unreached_tracks_are_not_recommended() -> None:
    matrix = sp.csr_array(np.array([[1, 1, 0, 0], [0, 0, 1, 1]], np.float32))
    scores = WalkRecommender(Corpus(matrix)).scores(np.array([0]))
    assert np.isinf(scores[0]).tolist() == [False, False, True, True]


def test_an_empty_matrix() -> None:
    assert RandomWalk(sp.csr_array((0, 0), dtype=np.float32)).reach(np.arange(0)).shape == (0, 0)
    alone = RandomWalk(sp.csr_array(np.ones((1, 1), np.float32))).reach(np.arange(1))
    assert alone.nnz == 0


@REUSED
@given(world=WORLDS)
def test_the_neighbourhood_of_a_track_is_enough_for_its_walk(store: Store, world: World) -> None:
    """``find_similar`` reads only the neighbourhood; the whole matrix gives the same result."""
    world.spill(store)
    with store.write() as connection:
        interactions = read_interactions(connection)
        whole = by_hand(interactions.matrix.toarray())
        for place, track in enumerate(interactions.tracks.tolist()):
            found = find_similar(connection, "track", track, by="walk", limit=99).found
            others = np.flatnonzero(whole[place])
            wanted = dict(zip(interactions.tracks[others].tolist(), whole[place][others], strict=True))
            assert {track.id: track.score for track in found} == pytest.approx(wanted)
            assert [track.score for track in found] == sorted((track.score for track in found), reverse=True)


def sets_of(world: World, kind: str, over: str) -> dict[int, set[int]]:
    """Return the contexts of each node."""
    likes = world.libraries().items()
    playlists = world.playlists.items()
    pairs = {
        ("track", "likes"): {(track, user) for user, library in likes for track in library},
        ("user", "likes"): {(user, track) for user, library in likes for track in library},
        ("track", "playlists"): {(track, playlist) for playlist, own in playlists for track in own},
        ("user", "playlists"): {
            (world.owners[playlist], track)
            for playlist, own in playlists
            if playlist in world.owners
            for track in own
        },
    }
    for other in ("likes", "playlists"):
        pairs["artist", other] = {
            (world.artists[track], context)
            for track, context in pairs["track", other]
            if track in world.artists
        }
    found: dict[int, set[int]] = {}
    for node, context in pairs[kind, over]:
        found.setdefault(node, set()).add(context)
    return found


@REUSED
@given(
    world=WORLDS, kind=st.sampled_from(["track", "user", "artist"]), by=st.sampled_from(["walk", "playlists"])
)
def test_neighbours_share_the_stated_counts(store: Store, world: World, kind: str, by: str) -> None:
    world.spill(store)
    over_likes, over_playlists = (sets_of(world, kind, over) for over in ("likes", "playlists"))
    sets = over_likes if by == "walk" else over_playlists
    with store.write() as connection:
        for node in sets:
            found = find_similar(connection, kind, node, by=by, limit=99).found
            assert {neighbour.id for neighbour in found} == {
                other for other in sets if other != node and sets[other] & sets[node]
            }
            for neighbour in found:
                assert neighbour.shared == (
                    len(over_likes.get(node, set()) & over_likes.get(neighbour.id, set())),
                    len(over_playlists.get(node, set()) & over_playlists.get(neighbour.id, set())),
                )
