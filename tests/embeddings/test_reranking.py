"""Reranking: diversity and novelty change the list as MMR says, whatever the source, and break no promise."""

from __future__ import annotations

from contextlib import closing
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.sparse as sp

from sgr_spiders.embeddings.evaluation import metrics
from sgr_spiders.embeddings.evaluation.results import measure_all
from sgr_spiders.embeddings.evaluation.trial import Trial
from sgr_spiders.embeddings.recommend import Recommended, continue_playlist, recommend
from sgr_spiders.embeddings.reranking import (
    AS_SCORED,
    SAME_ARTIST,
    Reranker,
    Reranking,
    count_candidates,
    unit_rows,
)
from sgr_spiders.storage.store import Store
from tests.databases import url_of
from tests.embeddings.communities import tastes
from tests.relationships.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TWINS, OTHER, RARE, ALONE = (11, 12, 13), 21, 31, 41
FANS = {**dict.fromkeys(TWINS, range(1, 9)), OTHER: (21, 22), RARE: (31,), ALONE: (23, 24)}
ARTISTS = {1: 500, **dict.fromkeys(TWINS, 501), OTHER: 502, RARE: 502, ALONE: 503}


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    lengths = np.sqrt(one.sum() * other.sum())
    return float((one * other).sum() / lengths) if lengths else 0.0


def scale(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(value - low) / (high - low) for value in values]


def choose_by_hand(
    fans: np.ndarray, artists: Sequence[int], scores: Sequence[float], how: Reranking, limit: int
) -> list[int]:
    """Choose one track after the other, as the formula says."""
    surprise = scale([-np.log2(max(1, row.sum())) for row in fans])
    value = [
        (1 - how.novelty) * score + how.novelty * new
        for score, new in zip(scale(scores), surprise, strict=True)
    ]
    chosen: list[int] = []
    while len(chosen) < min(limit, len(fans)):
        marginal = {}
        for track in range(len(fans)):
            if track not in chosen:
                near = [
                    max(
                        cosine(fans[track], fans[above]),
                        SAME_ARTIST if artists[track] == artists[above] >= 0 else 0,
                    )
                    for above in chosen
                ]
                marginal[track] = (1 - how.diversity) * value[track] - how.diversity * max(near, default=0)
        chosen.append(max(marginal, key=lambda track: round(marginal[track], 9)))
    return chosen


@pytest.mark.parametrize(("diversity", "novelty"), [(0.3, 0), (0.7, 0.2), (0, 0.5), (1, 0), (0.5, 1)])
def test_the_choice_is_that_of_the_formula(diversity: float, novelty: float) -> None:
    how = Reranking(diversity, novelty)
    for seed in range(5):
        random = np.random.default_rng(seed)
        fans = (random.random((12, 20)) < random.random((12, 1))).astype(np.float32)
        fans[3] = 0  # nobody likes it
        artists = random.integers(-1, 4, 12)
        scores = -np.sort(-random.random(12))
        found = Reranker(how, sp.csr_array(fans), artists).choose(np.arange(12), scores, 8)
        assert found.tolist() == choose_by_hand(fans, artists.tolist(), scores.tolist(), how, 8)


def test_some_tracks_are_chosen_by_their_own_rows() -> None:
    fans = sp.csr_array(np.array([[1, 0, 0], [1, 1, 0], [1, 1, 0], [0, 0, 1]], np.float32))
    found = Reranker(Reranking(diversity=0.5), fans).choose(np.array([1, 2, 3]), np.array([3.0, 2.9, 1]), 2)
    assert found.tolist() == [0, 2]


@pytest.mark.parametrize(("score", "second"), [(0.55, 1), (0.45, 2)])
def test_tracks_of_one_artist_are_half_alike(score: float, second: int) -> None:
    """Track 1 has the artist of track 0, no fan in common with it, and the marginal relevance of track 2."""
    fans, artists = sp.csr_array(np.eye(3, dtype=np.float32)), np.array([7, 7, 8])
    reranker = Reranker(Reranking(diversity=0.5), fans, artists)
    assert reranker.choose(np.arange(3), np.array([1, score, 0]), 2).tolist() == [0, second]


def test_without_candidates_or_differences() -> None:
    how = Reranking(0.5, 0.5)
    fans = sp.csr_array(np.ones((3, 2), np.float32))
    assert Reranker(how, fans).choose(np.empty(0, np.int64), np.empty(0), 5).tolist() == []
    assert Reranker(how, fans).choose(np.arange(3), np.ones(3), 5).tolist() == [0, 1, 2]


def test_candidates() -> None:
    assert [count_candidates(limit) for limit in (1, 20, 5_000)] == [10, 200, 6_000]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Yield a world in which three twins have the same fans, more than the others have."""
    likes = {(user, liked, "like") for track, users in FANS.items() for user in users for liked in (1, track)}
    likes |= {(100, 1, "like"), (100, 2, "like")}
    world = World(likes, {9000: {1, 2}, 9001: {1, *TWINS, OTHER, RARE, ALONE}, 9002: {1, *TWINS}})
    world.artists = ARTISTS
    with closing(Store.open(url_of(tmp_path_factory.mktemp("reranking") / "x.db"))) as store:
        world.spill(store)
        yield store


def ask(store: Store, by: str, how: Reranking, limit: int = 2) -> Recommended:
    options = {"by": by, "method": "svd", "limit": limit, "reranking": how}
    with store.read() as connection:
        if by == "walk":
            return recommend(connection, 100, **options)  # type: ignore[arg-type]
        return continue_playlist(connection, 9000, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("by", ["walk", "playlists", "sequence"])
def test_diversity_replaces_a_twin_whatever_the_source(store: Store, by: str) -> None:
    assert {track.id for track in ask(store, by, AS_SCORED).found} <= set(TWINS)
    diverse = ask(store, by, Reranking(diversity=0.6)).found
    first, second = (track.id for track in diverse)
    assert first in TWINS
    assert second not in TWINS
    assert [(track.rank, track.tied) for track in diverse] == [(1, 1), (2, 1)]


@pytest.mark.parametrize("by", ["walk", "playlists", "sequence"])
@pytest.mark.parametrize("how", [Reranking(0.6, 0.3), Reranking(0, 0.6), Reranking(0.9, 0)])
def test_the_fans_and_artists_are_those_of_each_track(store: Store, by: str, how: Reranking) -> None:
    candidates = ask(store, by, AS_SCORED, 10).found
    fans = np.zeros((len(candidates), 40))
    for row, track in zip(fans, candidates, strict=True):
        row[list(FANS[track.id])] = 1
    artists = [ARTISTS[track.id] for track in candidates]
    chosen = choose_by_hand(fans, artists, [track.score for track in candidates], how, 4)
    found = ask(store, by, how, 4).found
    assert [track.id for track in found] == [candidates[place].id for place in chosen]


def test_novelty_prefers_what_few_like(store: Store) -> None:
    assert ask(store, "walk", AS_SCORED, 6).found[-1].id == RARE
    assert ask(store, "walk", Reranking(novelty=0.8), 5).found[0].id == RARE


def test_scores_reasons_and_what_is_owned_do_not_change(store: Store) -> None:
    as_scored = {track.id: track for track in ask(store, "sequence", AS_SCORED, 10).found}
    for how in (Reranking(0.9), Reranking(0, 0.9), Reranking(1, 1)):
        found = ask(store, "sequence", how, 10).found
        assert {track.id for track in found} == as_scored.keys()
        assert not {1, 2} & as_scored.keys()
        for track in found:
            same = as_scored[track.id]
            assert (track.score, track.because) == (same.score, same.because)


def test_the_similarity_of_a_list_is_that_of_its_pairs() -> None:
    random = np.random.default_rng(2)
    fans = (random.random((9, 15)) < 0.4).astype(np.float32)
    fans[4] = 0
    lists = np.array([[0, 1, 2, 3], [4, 5, -1, -1], [6, -1, -1, -1], [-1, -1, -1, -1]])
    found = metrics.list_similarity(lists, unit_rows(sp.csr_array(fans)))
    pairs = [[cosine(fans[a], fans[b]) for a, b in combinations(row[row >= 0], 2)] for row in lists]
    assert found[:2] == pytest.approx([np.mean(pairs[0]), 0])
    assert np.isnan(found[2:]).all()


def test_repeated_artists_are_those_named_before() -> None:
    artists = np.array([7, 7, 8, -1, -1, 7])
    lists = np.array([[0, 2, 1, 5], [3, 4, -1, -1], [-1, -1, -1, -1]])
    found = metrics.repeated_artists(lists, artists)
    assert found[:2].tolist() == [0.5, 0]
    assert np.isnan(found[2])
    assert np.isnan(metrics.repeated_artists(lists, None)).all()


def test_evaluation_measures_the_methods_with_and_without() -> None:
    world = tastes(users=60, tracks=80, likes=1_500, communities=3)
    trial = Trial(world.train, world.test, k=10, seeds=np.array([5]), artists=np.arange(80) // 4)
    how = Reranking(diversity=0.6, novelty=0.3)
    tested = {one.method: one for _, one, _ in measure_all([trial], ["popularity", "walk"], reranking=how)}
    assert list(tested) == ["popularity", "walk", "walk reranked"]
    base, reranked = tested["walk"], tested["walk reranked"]
    assert (base.reranking, reranked.reranking) == (AS_SCORED, how)
    assert reranked.list_similarity < 0.9 * base.list_similarity
    assert reranked.repeated_artists < 0.7 * base.repeated_artists
    assert reranked.novelty > base.novelty
    assert reranked.coverage > base.coverage
    assert reranked.recall < base.recall
    assert 5 not in reranked.lists
    known = trial.train.toarray() > 0
    for row, tracks in zip(reranked.rows, reranked.lists, strict=True):
        assert not known[row][tracks[tracks >= 0]].any()
        assert len(set(tracks.tolist())) == 10
    unchanged = {one.method for _, one, _ in measure_all([trial], ["popularity", "walk"])}
    assert unchanged == {"popularity", "walk"}
