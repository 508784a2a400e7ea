"""The metrics, against values worked out by hand."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from sgr_spiders.embeddings import metrics

HITS = np.array([[True, False, True], [False, False, False], [True, True, True]])


def test_recall_is_the_share_found_of_all_that_is_held_out() -> None:
    assert metrics.recall(HITS, np.array([2, 1, 6])).tolist() == [1, 0, 0.5]


def test_ndcg_is_the_gain_of_the_best_possible() -> None:
    # Hits at 1 and 3 of 2 held out; none; all 3 of the best 3.
    first = (1 + 1 / log2(4)) / (1 + 1 / log2(3))
    assert metrics.ndcg(HITS, np.array([2, 1, 6])) == pytest.approx([first, 0, 1])


def test_the_head_holds_a_third_of_the_interactions() -> None:
    # 40 of 100: the first alone is the head, which may be a little more than a third.
    assert metrics.tail(np.array([10, 40, 20, 0, 30])).tolist() == [True, False, True, True, True]
    # 20 and 20 of 100 are needed for a third.
    assert metrics.tail(np.array([20, 20, 20, 20, 20])).tolist() == [False, False, True, True, True]


def test_popularity_lift_is_what_lists_have_beyond_libraries() -> None:
    assert metrics.popularity_lift(recommended=30, liked=20) == pytest.approx(0.5)
    assert metrics.popularity_lift(recommended=10, liked=20) == pytest.approx(-0.5)
