"""EASE and ItemKNN compute what their papers say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from sgr_spiders.embeddings import itemknn
from sgr_spiders.embeddings.base import Corpus
from sgr_spiders.embeddings.ease import TINY, EaseRecommender
from sgr_spiders.embeddings.evaluation.trial import Trial
from sgr_spiders.embeddings.itemknn import ItemKnnRecommender
from sgr_spiders.model.exceptions import NothingToLearnError
from tests.embeddings.communities import tastes

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVERYONE = np.arange(12)


def draw_matrix(seed: int, users: int = 12, tracks: int = 8, density: float = 0.4) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    return np.where(random.random((users, tracks)) < density, random.integers(1, 3, (users, tracks)), 0.0)


def corpus_of(matrix: NDArray[np.float64]) -> Corpus:
    return Corpus(sp.csr_array(matrix.astype(np.float32)))


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), regularization=st.sampled_from([0.5, 10.0, 300.0]))
def test_ease_is_the_closed_form(seed: int, regularization: float) -> None:
    matrix = draw_matrix(seed)
    matrix[0, :] = 1  # each track has a fan
    inverse = np.linalg.inv(matrix.T @ matrix + regularization * np.eye(8))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    found = EaseRecommender(corpus_of(matrix), regularization).scores(EVERYONE)
    assert found == pytest.approx(matrix @ weights, abs=1e-4)


def test_the_weights_of_ease_minimise_its_loss() -> None:
    """No column of weights with 0 on the diagonal has a smaller loss, as by least squares."""
    matrix = draw_matrix(5, users=30)
    matrix[0, :] = 1
    recommender = EaseRecommender(corpus_of(matrix), 3.0)
    for track in range(8):
        others = np.delete(np.arange(8), track)
        ridge = np.vstack([matrix[:, others], np.sqrt(3.0) * np.eye(7)])
        wanted = np.concatenate([matrix[:, track], np.zeros(7)])
        best = np.linalg.lstsq(ridge, wanted, rcond=None)[0]
        assert recommender._weights[others, track] == pytest.approx(best, abs=1e-4)


def test_ease_is_limited_to_the_most_liked_tracks() -> None:
    matrix = np.zeros((12, 6))
    for track, fans in enumerate([5, 9, 0, 2, 9, 7]):
        matrix[:fans, track] = 1
    recommender = EaseRecommender(corpus_of(matrix), 10.0, max_tracks=3)
    scores = recommender.scores(EVERYONE)
    assert np.isfinite(scores[0]).tolist() == [False, True, False, False, True, True]
    assert recommender.left_out == 2  # of the five with fans
    alone = EaseRecommender(corpus_of(matrix[:, [1, 4, 5]]), 10.0)
    assert scores[:, [1, 4, 5]] == pytest.approx(alone.scores(EVERYONE))
    trial = Trial(sp.csr_array(matrix), sp.csr_array(np.roll(matrix, 1, axis=0) * (matrix == 0)), k=3)
    assert trial.measure("ease", {"max_tracks": 3}).tracks_left_out == 2


def test_ease_has_no_denormal_weights() -> None:
    """Chains of tracks have weights that fall with the distance, to below the smallest normal number."""
    chain = sp.diags_array([np.ones(400), np.ones(399)], offsets=[0, 1], format="csr", dtype=np.float32)
    weights = EaseRecommender(Corpus(chain), 1.0)._weights
    assert not ((weights != 0) & (np.abs(weights) < TINY)).any()
    assert weights[0, 399] == 0
    assert weights[0, 1] != 0


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    neighbours=st.integers(1, 8),
    shrinkage=st.sampled_from([0.0, 10.0]),
    paths=st.integers(1, 60),
)
def test_itemknn_equals_a_plain_loop(seed: int, neighbours: int, shrinkage: float, paths: int) -> None:
    matrix = draw_matrix(seed)
    matrix[0, 0] = 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(itemknn, "PATHS_AT_A_TIME", paths)
        found = ItemKnnRecommender(corpus_of(matrix), neighbours, shrinkage).scores(EVERYONE)
    expected = np.zeros(matrix.shape)
    for track in range(8):
        similarities = []
        for other in range(8):
            shared = matrix[:, track] @ matrix[:, other]
            lengths = np.linalg.norm(matrix[:, track]) * np.linalg.norm(matrix[:, other])
            if other != track and shared:
                similarities.append((-shared / (lengths + shrinkage), other))
        for similarity, other in sorted(similarities)[:neighbours]:
            expected[:, track] -= similarity * matrix[:, other]
    expected[expected == 0] = -np.inf
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("recommender", [EaseRecommender, ItemKnnRecommender])
def test_nothing_to_learn_from(recommender: type[EaseRecommender | ItemKnnRecommender]) -> None:
    with pytest.raises(NothingToLearnError):
        recommender(Corpus(sp.csr_array((3, 4), dtype=np.float32)))


@pytest.mark.parametrize("name", ["ease", "itemknn"])
def test_they_find_more_than_popularity(name: str) -> None:
    world = tastes(users=300, tracks=400, likes=9_000, communities=5)
    trial = Trial(world.train, world.test)
    assert trial.measure(name).recall > 2 * trial.measure("popularity").recall
