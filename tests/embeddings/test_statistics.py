"""Intervals cover as often as they say, and tests are those of the textbooks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgr_spiders.embeddings.evaluation import statistics
from sgr_spiders.embeddings.evaluation.statistics import holm, paired_p, percentile_interval, resample_ratios


def test_intervals_contain_the_true_mean_as_often_as_they_say() -> None:
    """Skewed values with the mean 2, like recalls. The standard deviation of the share is .015."""
    random = np.random.default_rng(3)
    values = random.exponential(2, (60, 200))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "RESAMPLES", 1_000)
        samples = resample_ratios(values, np.ones_like(values), 1)
    intervals = [percentile_interval(column) for column in samples.T]
    covered = np.mean([low <= 2 <= high for low, high in filter(None, intervals)])
    assert len(list(filter(None, intervals))) == 200
    assert 0.90 <= covered <= 0.97


def test_an_interval_has_the_width_of_the_standard_error() -> None:
    random = np.random.default_rng(5)
    values = random.normal(10, 3, (400, 1))
    interval = percentile_interval(resample_ratios(values, np.ones_like(values), 1)[:, 0])
    assert interval is not None
    error = values.std() / np.sqrt(len(values))
    assert interval == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.02)


def test_samples_do_not_depend_on_the_memory_at_a_time() -> None:
    values = np.random.default_rng(1).random((30, 2))
    whole = resample_ratios(values, np.ones_like(values), 7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "CELLS_AT_A_TIME", 100)
        assert resample_ratios(values, np.ones_like(values), 7) == pytest.approx(whole)
    assert resample_ratios(values, np.ones_like(values), 8) != pytest.approx(whole)


def test_users_without_a_value_do_not_count() -> None:
    values, have = np.array([[2.0], [0.0], [4.0], [0.0]]), np.array([[1.0], [0.0], [1.0], [0.0]])
    samples = resample_ratios(values, have, 1)[:, 0]
    assert set(np.unique(samples[~np.isnan(samples)])) <= {2, 4, 3, 8 / 3, 10 / 3, 2.5, 3.5}
    assert percentile_interval(samples) == (2, 4)
    assert percentile_interval(np.full(9, np.nan)) is None


def test_a_method_does_not_differ_from_itself() -> None:
    assert paired_p(np.zeros(50), 1) == 1
    assert paired_p(np.empty(0), 1) == 1


@settings(max_examples=50)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_few_users_are_exchanged_in_all_ways(differences: list[int]) -> None:
    ways = [
        abs(sum(sign * value for sign, value in zip(signs, differences, strict=True)))
        for signs in itertools.product([-1, 1], repeat=len(differences))
    ]
    expected = np.mean([way >= abs(sum(differences)) for way in ways])
    assert paired_p(np.array(differences, np.float64), 1) == pytest.approx(expected)


def test_many_users_are_exchanged_at_random() -> None:
    """The mean is 2 of its standard errors from 0: p = .0455 for a normal one."""
    random = np.random.default_rng(2)
    values = random.normal(0, 1, 500)
    values += 2 * np.sqrt((values**2).sum()) / 500 - values.mean()
    found = paired_p(values, 1)
    assert found == pytest.approx(0.0455, abs=0.01)
    assert paired_p(-values, 1) == pytest.approx(found, abs=0.01)
    assert paired_p(values + 10, 1) == 1 / statistics.PERMUTATIONS


def test_tests_at_once_are_those_of_one_by_one() -> None:
    random = np.random.default_rng(6)
    few = np.zeros(60)
    few[:4] = [1, 2, 3, 4]
    differences = np.column_stack([random.normal(0.2, 1, 60), few, np.zeros(60), random.normal(0, 1, 60)])
    together = statistics.paired_p_values(differences, 1)
    assert together == pytest.approx([paired_p(column, 1) for column in differences.T])
    assert together[1:3] == [2 / 16, 1]


def test_many_users_are_no_overflow() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "PERMUTATIONS", 20)
        assert paired_p(np.ones(5_000), 1) == 1 / 20


def test_equal_methods_are_called_different_as_rarely_as_they_should() -> None:
    random = np.random.default_rng(4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "PERMUTATIONS", 400)
        found = [paired_p(random.standard_t(3, 40), 1) for _ in range(400)]
    assert 0.02 <= np.mean(np.array(found) <= 0.05) <= 0.08


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.5, 0.5, 0.001], [1, 1, 0.003]),
        ([0.02, 0.021, 0.022], [0.06, 0.06, 0.06]),
        ([0.3], [0.3]),
        ([], []),
    ],
)
def test_holm(given: list[float], expected: list[float]) -> None:
    """As ``multipletests(…, method="holm")`` of statsmodels and ``p.adjust(…, "holm")`` of R."""
    assert holm(given) == pytest.approx(expected)
