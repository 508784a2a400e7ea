"""The metrics against values computed by hand."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from sgr_spiders.embeddings.evaluation import metrics

HITS = np.array([[True, False, True], [False, False, False], [True, True, True]])


def test_recall_is_the_share_of_held_out_tracks() -> None:
    assert metrics.recall(HITS, np.array([2, 1, 6])).tolist() == [1, 0, 0.5]


def test_ndcg_is_relative_to_the_best_list() -> None:
    # Hits at positions 1 and 3 of 2 held out; no hit; hits at all 3 positions.
    first = (1 + 1 / log2(4)) / (1 + 1 / log2(3))
    assert metrics.ndcg(HITS, np.array([2, 1, 6])) == pytest.approx([first, 0, 1])


def test_the_head_has_a_third_of_the_interactions() -> None:
    # 40 of 100: the first track is the head, which may exceed a third.
    assert metrics.tail(np.array([10, 40, 20, 0, 30])).tolist() == [True, False, True, True, True]
    # 20 and 20 of 100 exceed a third.
    assert metrics.tail(np.array([20, 20, 20, 20, 20])).tolist() == [False, False, True, True, True]


def test_coverage_counts_tracks_with_fans() -> None:
    # Of four tracks with fans, one is never recommended; the last track has no fans.
    assert metrics.coverage(np.array([5, 1, 0, 2, 3]), np.array([9, 1, 4, 2, 0])) == 3 / 4


def test_hub_share_is_that_of_the_twenty_most_recommended() -> None:
    given = np.array([1] * 10 + [8] * 20 + [0] * 5)
    assert metrics.hub_share(given) == 160 / 170
    assert metrics.hub_share(np.array([3, 1])) == 1
    assert np.isnan(metrics.hub_share(np.zeros(4, np.int64)))


def test_novelty_is_in_bits() -> None:
    bits = metrics.self_information(np.array([8, 2, 1, 0]), users=8)
    assert bits.tolist() == [0, 2, 3, 3]
    given = np.array([[True, True, False], [False, False, False]])
    means = metrics.mean_over_lists(np.array([[2.0, 3.0, 9.0], [1.0, 1.0, 1.0]]), given)
    assert means[0] == 2.5
    assert np.isnan(means[1])


def test_popularity_lift_compares_lists_with_libraries() -> None:
    assert metrics.popularity_lift(recommended=30, liked=20) == pytest.approx(0.5)
    assert metrics.popularity_lift(recommended=10, liked=20) == pytest.approx(-0.5)
