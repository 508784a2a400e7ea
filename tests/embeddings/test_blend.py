"""The blend of a walk and a spectrum: its formula, and the choice of its weights on the data itself."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.sparse as sp
import sqlalchemy as sa

from sgr_spiders.config.harvest import Embeddings
from sgr_spiders.embeddings import blend_weights, similar
from sgr_spiders.embeddings.base import Corpus
from sgr_spiders.embeddings.blend import Blend, BlendRecommender, Parts, Weights
from sgr_spiders.embeddings.blend_search import BlendSearch, read_blend
from sgr_spiders.embeddings.blend_weights import choose_weights
from sgr_spiders.embeddings.embed import embed
from sgr_spiders.embeddings.evaluation.pairs_file import read_pairs
from sgr_spiders.embeddings.evaluation.ranking import recommend_best
from sgr_spiders.embeddings.evaluation.trial import Trial
from sgr_spiders.embeddings.recommend import continue_playlist, recommend
from sgr_spiders.embeddings.similar import find_similar
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage import interactions_read, neighbours, schema, vectors
from sgr_spiders.storage.neighbours import FANS, NeighbourReader
from tests.embeddings.communities import Tastes, tastes
from tests.relationships.worlds import World

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sgr_spiders.storage.store import Connection, Store

NO_SEEDS = np.empty(0, np.int64)


@pytest.fixture(scope="module")
def world() -> Tastes:
    return tastes(users=150, tracks=200, likes=4_500, communities=4)


def by_formula(
    whole: NDArray[np.float64], newest: NDArray[np.float64], seed: int, weights: Weights
) -> NDArray[np.float64]:
    """Return the scores of all users by dense products.

    *newest*: the weights of likes by their places. *seed*: a column that all libraries leave out.
    """
    fans, lengths = whole.sum(axis=0), whole.sum(axis=1)
    own = whole * newest
    own[whole.sum(axis=1) > whole[:, seed], seed] = 0
    powers = {
        power: np.where(fans > 0, np.maximum(fans, 1) ** power, 0) for power in (-0.5, -weights.damping)
    }
    step = np.maximum(lengths, 1)[:, None] ** -weights.damping * whole
    walk = (own * powers[-weights.damping]) @ whole.T @ step * powers[-0.5]
    right = singular_vectors(whole, weights.dimensions)
    spectrum = (own * powers[-0.5]) @ right @ right.T
    sums = np.zeros_like(whole)
    for part, weight in ((walk, 1.0), (spectrum, weights.spectrum)):
        part[:, seed] = 0
        scores = np.where(whole > 0, 0, part) * np.maximum(fans, 1) ** weights.popularity
        sums += weight * scores / scores.max(axis=1, keepdims=True)
    return sums


def singular_vectors(whole: NDArray[np.float64], dimensions: int) -> NDArray[np.float64]:
    fans, lengths = (np.maximum(whole.sum(axis=axis), 1) for axis in (0, 1))
    normalised = lengths[:, None] ** -0.5 * whole * fans**-0.5
    vectors: NDArray[np.float64] = np.linalg.svd(normalised, full_matrices=False)[2][:dimensions].T
    return vectors


@pytest.mark.parametrize("recency", [0.0, 0.8])
def test_the_scores_equal_the_formula(world: Tastes, recency: float) -> None:
    seed = 7
    whole = world.train.toarray().astype(float)
    whole[:, seed] = 1
    whole[:, 9] = 0
    whole[3] = 0
    whole[3, seed] = 1  # a user who likes only the seed
    weights = Weights(damping=0.8, popularity=0.3, spectrum=0.4, dimensions=6, recency=recency)
    matrix = sp.csr_array(whole.astype(np.float32))
    # The newest like of each user is the track with the highest number; that of the lowest is unknown.
    sizes = np.diff(matrix.indptr)
    positions = np.concatenate([np.append(-1, np.arange(size - 1)[::-1]) for size in sizes])
    newest = np.zeros_like(whole)
    newest[matrix.nonzero()] = np.where(positions < 0, np.repeat(sizes, sizes), positions + 1.0) ** -recency
    vectors = singular_vectors(whole, 6).astype(np.float32)
    users = np.arange(len(whole))
    corpus = Corpus(matrix, seeds=np.array([seed]), recency=positions)
    found = BlendRecommender(Parts(corpus, vectors), weights).scores(users)
    expected = by_formula(whole, newest, seed, weights)
    assert (found[:, [seed, 9]] == -np.inf).all()
    assert (found[expected <= 0] < 1e-6).all()
    reached = expected > 1e-3
    np.testing.assert_allclose(found[reached], expected[reached], rtol=1e-3)
    assert found[3].max() > 0


def test_the_weights_are_the_usual_ones_if_nothing_tells_others() -> None:
    alone = Corpus(sp.csr_array(np.ones((2, 1), np.float32)))
    assert choose_weights(alone, 512, 1) == Weights(0.8, 0.4, 0.4, 1)
    method = Blend(16)
    method.fit(Corpus(tastes(40, 60, 400, 2).train))
    assert method.weights is not None
    assert method.weights.dimensions <= 16
    assert set(method.parameters()) == {
        *("dimensions", "max_dimensions", "random_seed", "damping", "popularity", "spectrum", "recency")
    }


def test_the_nearest_weights_within_one_standard_error_are_chosen() -> None:
    """The last candidate is the best; the first is within one standard error of it, then not."""
    random = np.random.default_rng(1)
    best = random.random(100)
    noise = random.normal(0, 0.1, 100)
    noise -= noise.mean()
    near = np.stack([best - 0.005 + noise, best - 0.004 + noise, best], axis=1)
    far = np.stack([best - 0.05 + noise, best - 0.005 + noise, best], axis=1)
    assert blend_weights._first_good(near) == 0
    assert blend_weights._first_good(far) == 1
    assert blend_weights._first_good(far[:9]) == 0


def test_the_newest_likes_choose_if_their_order_is_known(world: Tastes) -> None:
    """The newest likes of all are the most popular tracks, or the rarest ones: the popularity follows."""
    matrix = world.train
    fans = np.bincount(matrix.indices, minlength=matrix.shape[1])[matrix.indices]
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    recency = {"popular": np.empty(len(fans), np.int64), "rare": np.empty(len(fans), np.int64)}
    for name, keys in (("popular", -fans), ("rare", fans)):
        order = np.lexsort((keys, row))
        recency[name][order] = np.arange(len(fans)) - matrix.indptr[row]
    recency["mostly unknown"] = np.where(np.arange(len(fans)) % 5 < 3, -1, recency["rare"])
    chosen = {
        name: choose_weights(Corpus(matrix, recency=given), 512, 1).popularity
        for name, given in recency.items()
    }
    chosen["random"] = choose_weights(Corpus(matrix), 512, 1).popularity
    assert chosen["rare"] < chosen["popular"]
    assert chosen["mostly unknown"] == chosen["random"] != chosen["rare"]


def test_a_like_of_a_seed_is_never_held_out() -> None:
    matrix = sp.csr_array(np.ones((30, 5), np.float32))
    for corpus in (
        Corpus(matrix, seeds=np.array([2])),
        Corpus(matrix, seeds=np.array([2]), recency=np.tile(np.array([2, 1, 0, 3, 4]), 30)),
    ):
        held = [
            matrix.indices[held_out] for held_out in blend_weights._hold_out(matrix, corpus, random_seed=1)
        ]
        assert held
        assert all(2 not in columns for columns in held)


def test_the_newest_likes_count_most_if_they_foretell_the_next(world: Tastes) -> None:
    """Each user's taste has changed to that of another user, or the order of likes says nothing."""
    random = np.random.default_rng(1)
    late = world.train[random.permutation(world.train.shape[0])]
    matrix = sp.csr_array(world.train + late)
    matrix.data[:] = 1
    row, column = matrix.nonzero()
    is_late, hashes = late.toarray()[row, column], random.permutation(matrix.nnz)
    chosen = {}
    for name, keys in (("changed", (hashes, -is_late)), ("shuffled", (hashes,))):
        order = np.lexsort((*keys, row))
        recency = np.empty(matrix.nnz, np.int64)
        recency[order] = np.arange(matrix.nnz) - matrix.indptr[row]
        chosen[name] = choose_weights(Corpus(matrix, recency=recency), 512, 1).recency
    assert chosen["changed"] > chosen["shuffled"] == 0


SHAPES = {
    "few users, many likes": partial(tastes, 200, 600, 12_000, 6),
    "short libraries": partial(tastes, 1_000, 800, 8_000, 20),
    "mixed tastes": partial(tastes, 500, 400, 15_000, 8, loyalty=0.5),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_about_as_good_as_the_best_of_its_parts(shape: str) -> None:
    drawn = SHAPES[shape](seed=2)
    trial = Trial(drawn.train, drawn.test)
    blended = trial.measure("blend")
    assert blended.chosen.keys() == {"damping", "popularity", "spectrum", "dimensions", "recency"}
    for name in ("walk", "svd", "itemknn"):
        assert blended.ndcg >= 0.99 * trial.measure(name).ndcg, (name, blended.chosen)


def test_the_order_of_lines_is_the_order_of_likes(tmp_path: Path) -> None:
    (tmp_path / "test").write_text("1 30\n")
    (tmp_path / "train").write_text("1 20\n2 40\n1 10\n2 40\n1 40\n2 20\n")
    pairs = read_pairs(tmp_path / "train", tmp_path / "test")
    assert pairs.positions is not None
    rows = [pairs.positions.of(pairs.train)[start:end].tolist() for start, end in ((0, 3), (3, 5))]
    assert pairs.tracks[pairs.train.indices].tolist() == [10, 20, 40, 20, 40]
    assert rows == [[1, 2, 0], [0, 1]]
    (tmp_path / "train").write_text("1 10\n2 40\n1 20\n")
    assert read_pairs(tmp_path / "train", tmp_path / "test").positions is None


# ---- recommended from the database


@pytest.fixture
def learned(store: Store, world: Tastes, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return a store with a blend in which both parts count."""
    monkeypatch.setattr(blend_weights, "choose_weights", lambda *_: Weights(0.6, 0.3, 0.8, 16))
    world.world().spill(store)
    embed(store, Embeddings(method="blend", dimensions=16))
    return store


def test_recommendations_are_those_that_were_evaluated(learned: Store, world: Tastes) -> None:
    with learned.read() as connection:
        run = vectors.latest(connection, "blend")
        found = [recommend(connection, user, limit=10) for user in range(1, 20)]
    assert run is not None
    recommender = Blend(16).recommender(Corpus(world.train))
    assert recommender.chosen.items() <= run.parameters.items()
    best = recommend_best(recommender, world.train, np.arange(19), 10)
    for row, recommended in zip(best, found, strict=True):
        assert (recommended.by, recommended.fallback) == ("blend", None)
        assert [one.id for one in recommended.found] == (row + 1001).tolist()
        assert [one.score for one in recommended.found] == sorted(
            (one.score for one in recommended.found), reverse=True
        )


def test_the_newest_likes_of_a_user_count_most(
    learned: Store, world: Tastes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The highest ID is the newest in each list, which lacks the lowest."""
    weights = Weights(0.6, 0.3, 0.8, 16, recency=0.8)
    monkeypatch.setattr(blend_weights, "choose_weights", lambda *_: weights)
    matrix = world.train
    recency = np.full(matrix.nnz, -1)
    with learned.write() as connection:
        for row in range(matrix.shape[0]):
            start, end = matrix.indptr[row : row + 2]
            recency[start + 1 : end] = np.arange(end - start - 1)[::-1]
            listed = (matrix.indices[start + 1 : end][::-1] + 1001).tolist()
            add_list(connection, row + 1, listed)
    embed(learned, Embeddings(method="blend", dimensions=16))
    recommender = Blend(16).recommender(Corpus(matrix, recency=recency))
    best = recommend_best(recommender, matrix, np.arange(19), 10)
    with learned.read() as connection:
        found = [recommend(connection, user, limit=10) for user in range(1, 20)]
        run = vectors.latest(connection, "blend")
    assert run is not None
    assert run.parameters["recency"] == 0.8
    assert [[one.id for one in recommended.found] for recommended in found] == (best + 1001).tolist()
    newest = [matrix.indices[matrix.indptr[row + 1] - 1] + 1001 for row in range(19)]
    named = [{reason.id for reason in recommended.found[0].because} for recommended in found]
    assert sum(track in reasons for track, reasons in zip(newest, named, strict=True)) >= 10


def add_list(connection: Connection, user: int, tracks: list[int]) -> None:
    """Add the list of a user's likes, newest first."""
    connection.execute(
        schema.walks.insert().values(
            walk_id=user, endpoint="user_likes", target=str(user), status="done", cursor="", generation=1,
            pages=1, empty_pages=0, received=1, kept=1, created_at="2026",
        )
    )  # fmt: skip
    common = {"walk_id": user, "kind": "track", "generation": 1}
    records = [common | {"record_id": track, "position": place} for place, track in enumerate(tracks)]
    connection.execute(schema.walk_records.insert(), records)


def test_reasons_are_the_tracks_that_add_most(learned: Store) -> None:
    with learned.read() as connection:
        library = neighbours.read_library(connection, 1, "present")
        blend_of_all = read_blend(connection)
        assert blend_of_all is not None
        reader = NeighbourReader(connection, FANS["track"])
        search = BlendSearch(blend_of_all, reader, library, library, np.ones(len(library), np.float32), 10**6)
        (first, *_) = recommend(connection, 1).found
    place = np.searchsorted(blend_of_all.tracks, [first.id])
    support = search.support(place)[:, 0]
    assert support.sum() == pytest.approx(search.scores[place[0]], rel=1e-4)
    most = search.own[np.argsort(-support, kind="stable")[:3]]
    assert [reason.id for reason in first.because] == most.tolist()


def test_seeds_are_neither_evidence_nor_recommended(
    learned: Store, world: Tastes, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = world.train[[0]].indices + 1001
    new = int(np.setdiff1d(world.train.indices + 1001, known)[0])
    monkeypatch.setattr(interactions_read, "read_seeds", lambda _: np.sort([known[0], new]))
    with learned.read() as connection:
        found = recommend(connection, 1, limit=5_000).found
        blend_of_all = read_blend(connection)
        assert blend_of_all is not None
        alone = blend_of_all.evidence_of_taste(known[:1])
        near = find_similar(connection, "track", int(known[1]), by="blend", limit=500).found
    assert new not in {one.id for one in found}
    assert known[0] not in {reason.id for one in found for reason in one.because}
    assert alone.tolist() == [known[0]]
    assert {known[0], new}.isdisjoint(one.id for one in near)


def test_without_a_blend_the_walk_takes_its_place(store: Store, world: Tastes) -> None:
    world.world().spill(store)
    with store.read() as connection:
        found = recommend(connection, 1)
        with pytest.raises(ArgumentError, match=r"no blend vectors in this database; run .*--method blend"):
            recommend(connection, 1, by="blend")
        with pytest.raises(ArgumentError, match="blend finds similar tracks only, not users"):
            find_similar(connection, "user", 1, by="blend")
    assert (found.by, str(found.fallback)[:32]) == ("walk", "no blend vectors in this databas")


def add_likes(store: Store, pairs: set[tuple[int, int]]) -> None:
    """Add likes of new users, whose libraries count as those of ``World`` do."""
    with store.write() as connection:
        known = set(connection.scalars(sa.select(schema.tracks.c.track_id)))
        whole = dict(connection.execute(sa.select(schema.users).limit(1)).mappings().one())
        row = dict(connection.execute(sa.select(schema.tracks).limit(1)).mappings().one())
        like = dict(connection.execute(sa.select(schema.engagements).limit(1)).mappings().one())
        users = sorted({user for user, _ in pairs})
        tracks = sorted({track for _, track in pairs} - known)
        connection.execute(sa.insert(schema.users), [whole | {"user_id": user} for user in users])
        if tracks:
            connection.execute(sa.insert(schema.tracks), [row | {"track_id": track} for track in tracks])
        likes = [like | {"user_id": user, "track_id": track} for user, track in sorted(pairs)]
        connection.execute(sa.insert(schema.engagements), likes)


def test_a_blend_that_knows_nothing_of_a_library_is_not_used(learned: Store) -> None:
    add_likes(learned, {(7001, 9001), (7002, 9001), (7002, 9002)})
    with learned.read() as connection:
        found = recommend(connection, 7001)
        with pytest.raises(ArgumentError, match=r"^track 9001: nothing in it was known when the blend "):
            find_similar(connection, "track", 9001, by="blend")
    assert [one.id for one in found.found] == [9002]
    assert found.by == "walk"
    assert str(found.fallback).startswith("the library of user 7001: nothing in it was known")


def test_a_blend_of_other_sources_is_not_used(store: Store, world: Tastes) -> None:
    world.world().spill(store)
    embed(store, Embeddings(method="blend", dimensions=8, sources=("like", "repost")))
    with store.read() as connection:
        found = recommend(connection, 1)
    assert (found.by, str(found.fallback)[:45]) == ("walk", "the blend was learned from like, repost, not ")


def test_new_likes_do_not_make_a_track_the_neighbour_of_all(learned: Store, world: Tastes) -> None:
    """Three hundred new users like two tracks that had few fans when the blend was learned."""
    fans = np.bincount(world.train.indices, minlength=200)
    own, other = (np.flatnonzero(fans > 2)[np.argsort(fans[fans > 2])[:2]] + 1001).tolist()
    user = int(world.train[:, [own - 1001]].nonzero()[0][0]) + 1
    with learned.read() as connection:
        before = {one.id for one in recommend(connection, user, limit=20).found}
    add_likes(learned, {(8000 + n, track) for n in range(300) for track in (own, other)})
    with learned.read() as connection:
        after = recommend(connection, user, limit=20).found
    assert len(before & {one.id for one in after}) >= 10
    assert after[5].score > 0.3 * after[0].score


def test_a_playlist_is_continued_by_blend(learned: Store, world: Tastes) -> None:
    with learned.read() as connection:
        found = continue_playlist(connection, 9001, by="blend").found
        tracks = neighbours.read_playlist(connection, 9001, "present")
    assert len(found) == 10
    assert not set(tracks.tolist()) & {one.id for one in found}
    assert {reason.id for one in found for reason in one.because} <= set(tracks.tolist())
    assert np.mean([world.tracks[one.id - 1001] == 0 for one in found]) > 0.8


def test_similar_tracks_are_of_the_same_community(learned: Store, world: Tastes) -> None:
    fans = np.bincount(world.train.indices, minlength=200)
    own = []
    with learned.read() as connection:
        for track in np.argsort(-fans)[:30]:
            near = find_similar(connection, "track", int(track) + 1001)
            assert (near.by, near.fallback) == ("blend", None)
            own += [world.tracks[one.id - 1001] == world.tracks[track] for one in near.found]
    assert len(own) == 300
    assert np.mean(own) > 0.95


def test_popular_tracks_are_not_similar_to_all(
    learned: Store, world: Tastes, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = []
    for popularity in (similar.POPULARITY, 0.5):
        monkeypatch.setattr(similar, "POPULARITY", popularity)
        named: Counter[int] = Counter()
        with learned.read() as connection:
            for track in np.unique(world.train.indices)[::3]:
                found = find_similar(connection, "track", int(track) + 1001, by="blend").found
                named.update(one.id for one in found)
        shares.append(sum(times for _, times in named.most_common(20)) / named.total())
    assert shares[0] < 0.75 * shares[1], shares


def test_the_popularity_of_recommendations_is_not_that_of_similar_tracks(learned: Store) -> None:
    with learned.read() as connection:
        before = find_similar(connection, "track", 1001).found
    with learned.write() as connection:
        (stored,) = connection.execute(sa.select(schema.vector_runs.c.parameters)).scalars()
        changed = json.dumps(json.loads(stored) | {"popularity": 0.45})
        connection.execute(sa.update(schema.vector_runs).values(parameters=changed))
        assert find_similar(connection, "track", 1001).found == before


def test_a_track_that_no_blend_knows_has_neighbours_by_npmi(learned: Store) -> None:
    add_likes(learned, {(7001, 9001), (7002, 9001), (7002, 9002)})
    with learned.read() as connection:
        track, user = find_similar(connection, "track", 9001), find_similar(connection, "user", 1)
    assert (track.by, user.by, user.fallback) == ("npmi", "walk", None)
    assert str(track.fallback).startswith("track 9001: nothing in it was known when the blend was learned")


def test_what_everyone_likes_has_neighbours_by_the_walk_in_spite_of_a_blend(store: Store) -> None:
    World({(user, track, "like") for user in range(1, 9) for track in (1, 100 + user % 3)}).spill(store)
    embed(store, Embeddings(method="blend", dimensions=2))
    with store.read() as connection:
        near, other = (find_similar(connection, "track", track) for track in (1, 100))
    assert (near.by, near.by_everyone, near.fallback) == ("walk", True, None)
    assert (other.by, other.by_everyone) == ("blend", False)


def test_a_blend_from_before_recency_is_used(learned: Store) -> None:
    with learned.read() as connection:
        before = recommend(connection, 1).found
    with learned.write() as connection:
        (stored,) = connection.execute(sa.select(schema.vector_runs.c.parameters)).scalars()
        parameters = json.loads(stored)
        assert parameters.pop("recency") == 0
        connection.execute(sa.update(schema.vector_runs).values(parameters=json.dumps(parameters)))
    with learned.read() as connection:
        assert recommend(connection, 1).found == before
