"""The guarantees of every method, on invented tastes."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest
import scipy.sparse as sp

from sgr_spiders.embeddings import lightgcn
from sgr_spiders.embeddings.als import Als
from sgr_spiders.embeddings.base import Corpus, Library, VectorRecommender, Vectors, unit
from sgr_spiders.embeddings.early_stop import hold_out
from sgr_spiders.embeddings.evaluation.trial import Trial
from sgr_spiders.embeddings.lightgcn import PATIENCE, LightGcn
from sgr_spiders.embeddings.recommenders import METHODS
from sgr_spiders.embeddings.svd import Svd
from sgr_spiders.model.exceptions import EmbeddingError, NothingToLearnError
from tests.embeddings.communities import Tastes, tastes

NEEDS = {"blend": "scipy", "svd": "scipy", "als": "implicit", "item2vec": "gensim", "lightgcn": "torch"}
NAMES = list(METHODS)


@pytest.fixture(scope="module")
def world() -> Tastes:
    return tastes(users=120, tracks=200, likes=3_600, communities=4)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a method whose packages are installed."""
    package = pytest.importorskip(NEEDS[request.param])
    monkeypatch.setattr(LightGcn, "epochs", 25)
    if request.param == "lightgcn":
        package.set_num_threads(1)  # more threads are slower for small data
    return str(request.param)


def corpus(world: Tastes, method: str) -> Corpus:
    """Return the corpus, with one playlist per community for the method that learns from playlists."""
    if method != "item2vec":
        return Corpus(world.train)
    random = np.random.default_rng(1)
    own = [np.flatnonzero(world.tracks == random.integers(0, 4)) for _ in range(60)]
    return Corpus(world.train, [random.choice(tracks, 15, replace=False) for tracks in own])


LEARNED: dict[str, Vectors] = {}
"""Trained vectors by method, shared by all tests of this process."""


@pytest.fixture
def vectors(world: Tastes, name: str) -> Vectors:
    if name not in LEARNED:
        LEARNED[name] = METHODS[name](16).fit(corpus(world, name))
    return LEARNED[name]


def test_vectors_separate_communities(world: Tastes, vectors: Vectors) -> None:
    assert vectors.users.shape == (120, vectors.dimensions)
    assert vectors.tracks.shape == (200, vectors.dimensions)
    assert vectors.users.dtype == vectors.tracks.dtype == np.float32
    assert vectors.dimensions <= 16
    known = vectors.tracks.any(axis=1)
    directions = unit(vectors.tracks[known])
    cosines = directions @ directions.T
    np.fill_diagonal(cosines, -1)
    of = world.tracks[known]
    nearest = np.argsort(-cosines, axis=1)[:, :5]
    assert (of[nearest] == of[:, None]).mean() > 0.85


def test_it_beats_popularity(world: Tastes, name: str, vectors: Vectors) -> None:
    trial = Trial(world.train, world.test)
    found = trial.test_recommender(name, VectorRecommender(vectors), cpu_seconds=0)
    popular = trial.measure("popularity")
    assert found.recall > 1.5 * popular.recall
    assert found.ndcg > 1.5 * popular.ndcg
    assert found.tail_recall > popular.tail_recall
    assert found.coverage > popular.coverage
    assert found.popularity_lift < popular.popularity_lift


def test_the_same_seed_gives_the_same_bytes(world: Tastes, name: str, vectors: Vectors) -> None:
    again = METHODS[name](16).fit(corpus(world, name))
    if name == "lightgcn":  # threads add in any order
        assert again.tracks == pytest.approx(vectors.tracks, abs=1e-3)
        assert again.users == pytest.approx(vectors.users, abs=1e-3)
    else:
        assert again.tracks.tobytes() == vectors.tracks.tobytes()
        assert again.users.tobytes() == vectors.users.tobytes()


def test_folding_in_gives_nearly_the_learned_vector(world: Tastes, name: str, vectors: Vectors) -> None:
    method = METHODS[name](16)
    fans = world.train.sum(axis=0).astype(np.float32)
    folded = []
    for user in range(40):
        own = world.train[[user]].indices
        library = Library(vectors.tracks, own.astype(np.int64), fans[own], np.ones(len(own), np.float32))
        folded.append(method.fold_in(library))
    learned = unit(vectors.users[:40])
    alike = (unit(np.stack(folded).astype(np.float32)) * learned).sum(axis=1)
    # The last als round updates the tracks; lightgcn uses more than one step along the graph.
    least = {"blend": 0.99999, "svd": 0.99999, "item2vec": 0.99999, "als": 0.99, "lightgcn": 0.8}[name]
    assert alike.min() > least


def als_weights(matrix: sp.csr_array, confidence: float) -> np.ndarray:
    """Return the weights of all pairs by the formula: 1 where there is no like."""
    whole = matrix.toarray().astype(float)
    sums = np.outer(whole.sum(axis=1), whole.sum(axis=0))
    weights: np.ndarray = 1 + confidence * np.divide(
        whole, np.sqrt(sums), out=np.zeros_like(whole), where=sums > 0
    )
    return weights


def test_als_folds_in_like_implicit(world: Tastes) -> None:
    als = pytest.importorskip("implicit.cpu.als")
    method = Als(16)
    train = world.train.astype(np.float32)
    tracks = method.fit(Corpus(train)).tracks
    own, fans = train[[3]].indices, train.sum(axis=0)
    model = als.AlternatingLeastSquares(
        factors=tracks.shape[1], regularization=method.regularization * method.confidence
    )
    model.item_factors = tracks
    weights = als_weights(train, method.confidence)[[3]] * (train[[3]].toarray() > 0)
    wanted = model.recalculate_user(0, sp.csr_matrix(weights))
    library = Library(tracks, own.astype(np.int64), fans[own], np.ones(len(own), np.float32))
    assert method.fold_in(library) == pytest.approx(np.ravel(wanted), abs=1e-5)


def test_als_minimises_its_formula() -> None:
    pytest.importorskip("implicit")
    random = np.random.default_rng(1)
    matrix = sp.csr_array((random.random((30, 20)) < 0.3) * random.integers(1, 4, (30, 20)), dtype=np.float32)
    method = Als(4)
    method.rounds = 200  # type: ignore[misc]  # until it converges
    vectors = method.fit(Corpus(matrix))
    weights, likes = als_weights(matrix, method.confidence), matrix.toarray() > 0
    errors = weights * (likes - vectors.users @ vectors.tracks.T)
    penalty = method.regularization * method.confidence
    # The gradient of the weighted squared errors and the squared lengths is zero.
    assert errors @ vectors.tracks == pytest.approx(penalty * vectors.users, abs=0.02 * penalty)
    assert errors.T @ vectors.users == pytest.approx(penalty * vectors.tracks, abs=0.02 * penalty)


@pytest.mark.parametrize("likes", [2_000, 24_000])
def test_als_holds_on_sparse_and_dense_data(likes: int) -> None:
    """A fixed regularisation and equal weights of all likes reach three quarters of svd's nDCG here."""
    pytest.importorskip("implicit")
    of = tastes(users=400, tracks=300, likes=likes, communities=4)
    trial = Trial(of.train, of.test)
    assert trial.measure("als").ndcg > 0.93 * trial.measure("svd").ndcg


def test_lightgcn_stops_early_with_the_vectors_of_the_best_epoch(world: Tastes) -> None:
    pytest.importorskip("torch").set_num_threads(1)
    method = LightGcn(16)
    vectors = method.fit(Corpus(world.train))
    best, trained = method.chosen["best_epoch"], method.chosen["epochs_trained"]
    assert trained == best + PATIENCE
    assert trained < LightGcn.epochs
    bounded = LightGcn(16)
    bounded.epochs = int(best)  # type: ignore[misc]
    again = bounded.fit(Corpus(world.train))
    assert bounded.chosen == {"best_epoch": best, "epochs_trained": best}
    assert again.tracks == pytest.approx(vectors.tracks, abs=1e-4)
    assert again.users == pytest.approx(vectors.users, abs=1e-4)


def test_lightgcn_without_patience_trains_on_everything(
    world: Tastes, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch").set_num_threads(1)
    monkeypatch.setattr(LightGcn, "epochs", 2)
    monkeypatch.setattr(lightgcn, "hold_out", None)
    method = LightGcn(4, patience=0)
    method.fit(Corpus(world.train))
    assert not method.chosen


def test_some_likes_are_held_out_to_stop_early(world: Tastes) -> None:
    popular = np.bincount(world.train.indices).argmax()
    known, (users, tracks) = hold_out(Corpus(world.train, seeds=np.array([popular])), 1)
    assert popular not in tracks
    held = sp.csr_array((np.ones(len(users), np.float32), (users, tracks)), shape=known.shape)
    assert held.nnz == int(0.05 * world.train.nnz)
    assert (known + held != world.train).nnz == 0
    assert held.multiply(known).nnz == 0
    for axis in (0, 1):
        assert ((known.sum(axis=axis) > 0) == (world.train.sum(axis=axis) > 0)).all()
    assert hold_out(Corpus(world.train, seeds=np.array([popular])), 1)[1].tolist() == [
        users.tolist(),
        tracks.tolist(),
    ]
    assert hold_out(Corpus(world.train), 2)[1].tolist() != [users.tolist(), tracks.tolist()]
    assert hold_out(Corpus(sp.csr_array(np.eye(60, dtype=np.float32))), 1)[1].size == 0


def test_users_and_tracks_without_likes_have_no_vector(name: str) -> None:
    matrix = sp.csr_array(np.array([[1, 1, 0, 0], [1, 1, 0, 1], [0, 0, 0, 0]], np.float32))
    vectors = METHODS[name](8).fit(Corpus(matrix))
    assert vectors.users.any(axis=1).tolist() == [True, True, False]
    assert vectors.tracks.any(axis=1).tolist() == [True, True, False, True]
    assert np.isfinite(vectors.users).all()
    assert np.isfinite(vectors.tracks).all()


@pytest.mark.parametrize("shape", [(0, 0), (3, 2)])
def test_an_empty_corpus_is_an_error(name: str, shape: tuple[int, int]) -> None:
    with pytest.raises(NothingToLearnError, match=r"^no interactions to train on: "):
        METHODS[name]().fit(Corpus(sp.csr_array(shape, dtype=np.float32)))


@pytest.mark.parametrize("matrix", [[[1.0]], [[1.0, 1.0]], [[1.0], [1.0]]])
def test_one_user_or_one_track_is_enough(matrix: list[list[float]]) -> None:
    vectors = Svd().fit(Corpus(sp.csr_array(np.array(matrix, np.float32))))
    assert vectors.dimensions == 1
    assert (vectors.users @ vectors.tracks.T == pytest.approx(np.array(matrix), abs=1e-5)) or len(
        matrix[0]
    ) > 1


@pytest.mark.parametrize("name", ["als", "item2vec", "lightgcn"])
def test_a_missing_package_is_an_error_of_one_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, NEEDS[name], None)
    for module in [module for module in sys.modules if module.startswith(f"{NEEDS[name]}.")]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EmbeddingError) as raised:
        METHODS[name]().fit(Corpus(sp.csr_array(np.ones((2, 2), np.float32))))
    assert str(raised.value).startswith(f"method {name}: the package {NEEDS[name]}")
    assert "`make ml`" in str(raised.value)


def test_every_method_cites_a_paper_and_lists_its_parameters() -> None:
    for name, method in METHODS.items():
        module = importlib.import_module(method.__module__)
        assert "https://" in (module.__doc__ or "")
        assert method.name == name
        assert {"dimensions", "random_seed"} <= set(method(8, 3).parameters())
    assert Als().parameters() == {
        "dimensions": 256,
        "random_seed": 1,
        "confidence": 200.0,
        "regularization": 0.2,
        "rounds": 10,
    }


def dense(matrix: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of the formula by numpy's own decomposition, filtered by V V^T."""
    whole = matrix.toarray().astype(float)
    of_users, of_tracks = whole.sum(axis=1), whole.sum(axis=0)
    with np.errstate(divide="ignore"):
        roots = np.where(of_tracks > 0, of_tracks**-0.5, 0)
        normalised = np.where(of_users > 0, of_users**-0.5, 0)[:, None] * whole * roots
    _, values, right = np.linalg.svd(normalised, full_matrices=False)
    return values, (whole * roots) @ (right[:8].T * values[:8]) @ right[:8] * np.sqrt(of_tracks)


def test_svd_equals_its_formula(world: Tastes) -> None:
    vectors = Svd(8).fit(Corpus(world.train))
    values, scores = dense(world.train)
    assert values[0] == pytest.approx(1)
    assert vectors.users @ vectors.tracks.T == pytest.approx(scores, abs=2e-3 * np.abs(scores).max())
