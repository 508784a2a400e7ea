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


def test_popularity_lift_compares_lists_with_libraries() -> None:
    assert metrics.popularity_lift(recommended=30, liked=20) == pytest.approx(0.5)
    assert metrics.popularity_lift(recommended=10, liked=20) == pytest.approx(-0.5)
