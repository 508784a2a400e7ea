"""Evaluation ranks all unknown tracks, and reproduces published results on published data."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from sgr_spiders.embeddings.evaluation import trial as trial_module
from sgr_spiders.embeddings.evaluation.pairs_file import read_pairs
from sgr_spiders.embeddings.evaluation.ranking import recommend_best
from sgr_spiders.embeddings.evaluation.trial import Trial
from sgr_spiders.embeddings.evaluation.trials import TrialOptions, prepare_trials
from sgr_spiders.model.exceptions import ArgumentError, EmbeddingError
from sgr_spiders.storage import schema
from sgr_spiders.storage.store import Store
from tests.embeddings.communities import tastes
from tests.reference import note

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Array, Numbers
    from sgr_spiders.storage.store import Connection


class Fixed:
    """A recommender with fixed scores."""

    def __init__(self, scores: Array) -> None:
        self._scores = scores

    def scores(self, users: Numbers) -> Array:
        return self._scores[users].copy()


SCORES = st.lists(
    st.lists(st.sampled_from([-np.inf, -2.5, -0.0, 0.0, 1e-30, 0.5, 3.0]), min_size=7, max_size=7),
    min_size=1,
    max_size=4,
)


@given(scores=SCORES, known=st.integers(0, 2**28 - 1), k=st.integers(1, 9))
def test_the_best_tracks_equal_a_plain_sort(scores: list[list[float]], known: int, k: int) -> None:
    matrix = np.array(
        [[known >> (7 * user + track) & 1 for track in range(7)] for user in range(len(scores))]
    )
    found = recommend_best(
        Fixed(np.array(scores, np.float32)), sp.csr_array(matrix), np.arange(len(scores)), k
    )
    for user, row in enumerate(scores):
        left = [track for track in range(7) if not matrix[user, track] and row[track] > -np.inf]
        wanted = sorted(left, key=lambda track: (-row[track], track))[:k]
        assert found[user].tolist() == wanted + [-1] * (k - len(wanted))


def test_a_perfect_recommendation() -> None:
    train = sp.csr_array(np.array([[1, 0, 0, 1, 0], [0, 1, 0, 1, 0]], np.float32))
    test = sp.csr_array(np.array([[0, 0, 1, 0, 0], [0, 0, 1, 0, 1]], np.float32))
    found = Trial(train, test, k=3).measure("walk")
    # A walk from the tracks of user 0 reaches only track 1, one from the tracks of user 1 only track 0.
    assert (found.users, found.recall, found.ndcg) == (2, 0, 0)
    assert found.coverage == pytest.approx(2 / 3)
    # Both lists have one track with one fan; tracks in the libraries have 1.5 fans on average.
    assert found.popularity_lift == pytest.approx(1 / 1.5 - 1)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 8), block=st.integers(1, 40))
def test_metrics_equal_plain_loops(seed: int, k: int, block: int) -> None:
    random = np.random.default_rng(seed)
    users, tracks = 6, 8
    drawn = random.random((users, tracks))
    known, wanted = drawn < 0.25, (drawn > 0.75)
    known[:, 7] = False  # not in the training data, but it can be recommended
    known[0, 0], wanted[0, 0], wanted[0, 1], known[0, 1] = True, False, True, False
    scores = np.where(random.random((users, tracks)) < 0.2, -np.inf, random.random((users, tracks)))
    trial = Trial(sp.csr_array(known.astype(np.float32)), sp.csr_array(wanted.astype(np.float32)), k=k)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial_module, "SCORES_AT_A_TIME", block)
        found = trial.test_recommender("fixed", Fixed(scores.astype(np.float32)), 1.5)
    assert (found.method, found.cpu_seconds) == ("fixed", 1.5)
    expected = by_hand(known, wanted, scores.astype(np.float32), k)
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value, nan_ok=True), name


def by_hand(known: NDArray[np.bool_], wanted: NDArray[np.bool_], scores: Array, k: int) -> dict[str, float]:
    """Compute the metrics one user and one track at a time."""
    tracks = range(known.shape[1])
    fans = [int(known[:, track].sum()) for track in tracks]
    rare, before = set(tracks), 0
    for track in sorted(tracks, key=lambda track: (-fans[track], track)):
        if before < 0.33 * sum(fans):
            rare.discard(track)
        before += fans[track]
    recalls, ndcgs, tails, popular, liked, anybody = [], [], [], [], [], set()
    for user in range(len(known)):
        held = [track for track in tracks if wanted[user, track]]
        if not held:
            continue
        left = [track for track in tracks if not known[user, track] and scores[user, track] > -np.inf]
        given = sorted(left, key=lambda track: (-scores[user, track], track))[:k]
        anybody |= set(given)
        recalls.append(len(set(held) & set(given)) / len(held))
        gain = sum(1 / math.log2(place + 2) for place, track in enumerate(given) if track in held)
        ndcgs.append(gain / sum(1 / math.log2(place + 2) for place in range(min(k, len(held)))))
        rare_held = rare & set(held)
        if rare_held:
            tails.append(len(rare_held & set(given)) / len(rare_held))
        library = [track for track in tracks if known[user, track]]
        if library and given:
            popular.append(sum(fans[track] for track in given) / len(given))
            liked.append(sum(fans[track] for track in library) / len(library))
    some = {track for track in tracks if fans[track]}
    lift = (mean(popular) - mean(liked)) / mean(liked) if liked else math.nan
    return {
        "users": len(recalls),
        "recall": mean(recalls),
        "ndcg": mean(ndcgs),
        "coverage": len(anybody & some) / len(some),
        "tail_recall": mean(tails) if tails else math.nan,
        "popularity_lift": lift,
    }


def test_an_empty_test_set_is_an_error() -> None:
    nothing, something = sp.csr_array((2, 2)), sp.csr_array(np.eye(2))
    only_seeds = Trial(something, sp.csr_array(np.eye(2)[::-1]), seeds=np.array([0, 1]))
    for trial in (Trial(nothing, something), Trial(something, nothing), only_seeds):
        with pytest.raises(EmbeddingError, match=r"^nothing to evaluate: "):
            trial.measure("walk")


def mark_seed(connection: Connection, track: int) -> None:
    """Let a walk have been requested for this seed."""
    connection.execute(
        schema.walks.insert().values(
            walk_id=1, endpoint="x", target="1", status="done", cursor="", generation=0, pages=0,
            empty_pages=0, received=0, kept=0, created_at="",
        )
    )  # fmt: skip
    connection.execute(
        schema.walk_requests.insert().values(
            walk_id=1, seed_id=track, layer="user_depth", step="x", cap=1, widest=1, selective=False,
            expanded=0, settings="",
        )
    )  # fmt: skip


def test_seeds_are_never_held_out(store: Store) -> None:
    drawn = tastes(users=40, tracks=60, likes=800, communities=2)
    world = drawn.world()
    world.engagements |= {(user, 1001, "like") for user in range(1, 41)}
    world.spill(store)
    with store.write() as connection:
        mark_seed(connection, 1001)
        trial, again = (
            prepare_trials(connection, TrialOptions(share=0.25, random_seeds=[5], k=10)).trials[0]
            for _ in range(2)
        )
    assert trial.train.shape == trial.test.shape
    assert (trial.train.multiply(trial.test)).nnz == 0
    assert trial.train.nnz + trial.test.nnz == len(world.engagements)
    assert (trial.train[:, [0]].toarray() == 1).all()  # all likes of the seed
    assert np.array_equal(trial.test.indices, again.test.indices)
    assert trial.measure("svd").recall > trial.measure("popularity").recall


def test_popularity_recommends_no_track_without_fans() -> None:
    train, test = (sp.csr_array(np.array(rows, np.float32)) for rows in ([[1, 1, 0]] * 2, [[0, 0, 1]] * 2))
    assert Trial(train, test, k=5).measure("popularity").recall == 0


def lines(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_files_of_pairs(tmp_path: Path) -> None:
    train = lines(tmp_path / "train", "\ufeff7 100\n7 101 2.5\n\n9\t100\n7 100\n")
    test = lines(tmp_path / "test", "9,101\n9 100\n9 500\n")
    pairs = read_pairs(train, test)
    first, second = pairs.train, pairs.test
    assert (pairs.users.tolist(), pairs.tracks.tolist()) == ([7, 9], [100, 101, 500])
    assert first.toarray().tolist() == [[1, 1, 0], [1, 0, 0]]
    # A training pair is not a test pair.
    assert second.toarray().tolist() == [[0, 0, 0], [0, 1, 1]]
    assert Trial(first, second).cold_pairs == 1


def test_files_of_lists(tmp_path: Path) -> None:
    """As LightGCN publishes them: a line has all items of a user, and a user may have none."""
    train = lines(tmp_path / "train", "7 104 100 101 102 103\n8\n9 100\n")
    test = lines(tmp_path / "test", "7 105 106\n9 104\n8 \n")
    pairs = read_pairs(train, test)
    assert (pairs.users.tolist(), pairs.tracks.tolist()) == ([7, 9], [*range(100, 107)])
    assert pairs.train.toarray().tolist() == [[1, 1, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0, 0]]
    assert pairs.test.toarray().tolist() == [[0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 0, 0]]
    assert pairs.positions is not None
    assert pairs.positions.of(pairs.train).tolist() == [3, 2, 1, 0, 4, 0]
    with pytest.raises(ArgumentError, match="test, line 1: must be a user ID and an item ID, not '7 x'"):
        read_pairs(train, lines(test, "7 100 x\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2\n3\n", "train, line 2: must be a user ID and an item ID, not '3'"),
        ("user item\n", "train, line 1: must be a user ID and an item ID, not 'user item'"),
        (f"1 {2**70}\n", "train, line 1: must be a user ID and an item ID"),
        ("\0\x01\n", "train, line 1: must be a user ID and an item ID, not '\\x00\\x01'"),
        ("\n", "train: contains no `user item` lines"),
    ],
)
def test_invalid_files(tmp_path: Path, text: str, message: str) -> None:
    train = lines(tmp_path / "train", text)
    with pytest.raises(ArgumentError) as raised:
        read_pairs(train, train)
    assert message in str(raised.value)
    with pytest.raises(ArgumentError, match="No such file"):
        read_pairs(tmp_path / "nowhere", train)


@pytest.fixture(scope="module")
def published() -> Trial:
    """Read the Last.fm dataset with the split of the LightGCN repository."""
    folder = note("interactions/lightgcn_lastfm")
    pairs = read_pairs(folder / "data1.txt", folder / "test1.txt")
    return Trial(pairs.train, pairs.test)


@pytest.mark.parametrize(("name", "recall", "ndcg"), [("svd", 0.261, 0.204), ("walk", 0.246, 0.194)])
def test_published_results_are_reproduced(published: Trial, name: str, recall: float, ndcg: float) -> None:
    found = published.measure(name)
    assert found.users == 1858
    assert found.recall >= recall
    assert found.ndcg >= ndcg


def test_popularity_equals_published_results(published: Trial) -> None:
    found = published.measure("popularity")
    assert (found.recall, found.ndcg) == pytest.approx((0.037, 0.021), abs=5e-4)


def test_the_defaults_work_on_other_real_data() -> None:
    pairs = np.loadtxt(note("interactions/lastfm/user_artists.dat"), np.int64, skiprows=1, usecols=(0, 1))
    pairs = pairs[np.bincount(pairs[:, 1])[pairs[:, 1]] >= 5]
    users, artists = (np.unique(pairs[:, side], return_inverse=True)[1] for side in (0, 1))
    held = np.random.default_rng(1).random(len(pairs)) < 0.2
    shape = (int(users.max()) + 1, int(artists.max()) + 1)
    train, test = (
        sp.csr_array((np.ones(part.sum(), np.float32), (users[part], artists[part])), shape=shape)
        for part in (~held, held)
    )
    trial = Trial(train, test)
    popular = trial.measure("popularity")
    for name in ("walk", "svd"):
        found = trial.measure(name, {"dimensions": 64} if name == "svd" else {})
        assert found.recall > 2 * popular.recall
        assert found.ndcg > 2 * popular.ndcg
