"""The pairs that a split holds out."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.embeddings.base import Corpus
from sgr_spiders.embeddings.early_stop import hold_out
from sgr_spiders.embeddings.interactions import Interactions
from sgr_spiders.embeddings.split import Split, split
from sgr_spiders.model.exceptions import ArgumentError

NO_SEEDS = np.empty(0, np.int64)
PAIRS = st.sets(st.tuples(st.integers(1, 12), st.integers(100, 130)), max_size=150)


def build_interactions(pairs: set[tuple[int, int]]) -> Interactions:
    users = np.array(sorted({user for user, _ in pairs}), np.int64)
    tracks = np.array(sorted({track for _, track in pairs}), np.int64)
    rows = np.searchsorted(users, [user for user, _ in pairs])
    columns = np.searchsorted(tracks, [track for _, track in pairs])
    weights = np.ones(len(pairs), np.float32)
    shape = (len(users), len(tracks))
    matrix = sp.csr_array((weights, (rows, columns)), shape=shape) if pairs else sp.csr_array(shape)
    return Interactions(users, tracks, matrix)


def pairs_of(interactions: Interactions, part: sp.csr_array) -> set[tuple[int, int]]:
    found = part.tocoo()
    users, tracks = interactions.users[found.row].tolist(), interactions.tracks[found.col].tolist()
    return set(zip(users, tracks, strict=True))


def parts_of(interactions: Interactions, found: Split) -> list[set[tuple[int, int]]]:
    return [pairs_of(interactions, part) for part in (found.train, found.validation, found.test)]


@given(PAIRS, st.sets(st.integers(100, 130), max_size=3), st.integers(-5, 5))
def test_each_pair_is_in_one_part_and_seeds_in_training(
    pairs: set[tuple[int, int]], seeds: set[int], seed: int
) -> None:
    whole = build_interactions(pairs)
    found = split(whole, np.array(sorted(seeds), np.int64), test=0.3, validation=0.2, seed=seed)
    train, validation, test = parts_of(whole, found)
    assert sorted([*train, *validation, *test]) == sorted(pairs)
    assert {pair for pair in pairs if pair[1] in seeds} <= train
    for user in whole.users.tolist():
        free = sum(1 for owner, track in pairs if owner == user and track not in seeds)
        most = min(free, sum(owner == user for owner, _ in pairs) - 1)
        assert sum(owner == user for owner, _ in test) == min(most, (3 * free + 5) // 10)
        held = sum(owner == user for owner, _ in validation | test)
        assert held == min(most, (5 * free + 5) // 10)
    learnt = {track for _, track in train}
    assert whole.tracks[found.cold_tracks].tolist() == [t for t in whole.tracks.tolist() if t not in learnt]
    assert found.cold_pairs == sum(track not in learnt for _, track in validation | test)
    tested = {user for user, _ in test}
    assert whole.users[found.untested_users].tolist() == [u for u in whole.users.tolist() if u not in tested]


@given(PAIRS.filter(len), st.integers(0, 3))
def test_the_split_ignores_other_users_and_the_order_of_rows(pairs: set[tuple[int, int]], seed: int) -> None:
    whole = build_interactions(pairs)
    all_held = parts_of(whole, split(whole, NO_SEEDS, seed=seed))
    some = {pair for pair in pairs if pair[0] % 2}
    part = build_interactions(some)
    part_held = parts_of(part, split(part, NO_SEEDS, seed=seed))
    assert part_held == [{pair for pair in held if pair[0] % 2} for held in all_held]
    shuffled = Interactions(whole.users, whole.tracks, reverse_rows(whole.matrix))
    assert parts_of(shuffled, split(shuffled, NO_SEEDS, seed=seed)) == all_held


def reverse_rows(matrix: sp.csr_array) -> sp.csr_array:
    """Reverse the entries of each row."""
    order = np.concatenate(
        [
            np.arange(end - 1, start - 1, -1)
            for start, end in zip(matrix.indptr, matrix.indptr[1:], strict=False)
        ]
    ).astype(np.int64)
    return sp.csr_array((matrix.data[order], matrix.indices[order], matrix.indptr), shape=matrix.shape)


def test_another_seed_holds_out_other_pairs_uniformly() -> None:
    whole = build_interactions({(user, track) for user in range(400) for track in range(1000, 1050)})
    first, second = (split(whole, NO_SEEDS, seed=seed).test for seed in (1, 2))
    assert first.nnz == second.nnz == 400 * 10
    both = first.multiply(second).nnz
    assert 640 < both < 960  # about a fifth of a fifth of the 20,000
    drawn = np.bincount(first.indices, minlength=50)
    assert drawn.min() > 45  # the mean is 80, and 45 is over four standard deviations below
    assert drawn.max() < 115


@pytest.mark.parametrize(("test", "validation"), [(1.0, 0.0), (0.6, 0.4), (-0.1, 0.0), (0.1, float("nan"))])
def test_invalid_shares(test: float, validation: float) -> None:
    with pytest.raises(ArgumentError, match="at least 0 and their sum less than 1"):
        split(build_interactions({(1, 101)}), NO_SEEDS, test=test, validation=validation)


def test_the_likes_that_stop_a_training_are_few_and_never_the_last_of_a_track() -> None:
    """Each user likes track 0 and a track that nobody else likes."""
    likes = np.eye(101, dtype=np.float32)[1:]
    likes[:, 0] = 1
    corpus = Corpus(sp.csr_array(likes))
    left, (users, tracks) = hold_out(corpus, 1)
    assert (left.nnz, len(users), set(tracks.tolist())) == (190, 10, {0})
    assert np.bincount(left.indices, minlength=101).min() > 0
    assert hold_out(corpus, 2)[1][0].tolist() != users.tolist()
    many = Corpus(sp.csr_array(np.ones((400, 300), np.float32)))
    assert hold_out(many, 1)[1].shape == (2, 5_000)
