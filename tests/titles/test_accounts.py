from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.titles.accounts import best_account, same_name


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Kestrel Wren", "kestrel_wren"), ("Kestrel Wren", "kestrel-wren"), ("Zoë 🌙", "zoe"),
        ("@marlow", "Marlow"), ("Sable.wav", "sablewav"), ("Алиса и Зима", "алиса-и-зима"),
        ("夜の散歩", "夜の散歩"),        ("!!!", "!!!"), ("Ok", "OK"),
    ],
)  # fmt: skip
def test_names_are_equal_apart_from_case_accents_and_symbols(a: str, b: str) -> None:
    assert same_name(a, b) == 1.0


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Kestrel", "kestrelofficial"),
        ("Kestrel", "The Kestrel"),
        ("Marlow", "Marlowe"),
        ("Marlow", "Marlow Music"),
    ],
)
def test_names_with_an_addition_or_another_letter_match(a: str, b: str) -> None:
    assert 0.85 <= same_name(a, b) < 1.0


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Kestrel", "kestrel2"), ("Kofi", "Kofy"), ("Ok", "Oka"), ("Mira Silva", "Mira Tanaka"),
        ("", ""), ("", "x"), ("Wren", "Wrenfield"), ("夜の散歩", "朝の散歩"), ("!!!", "???"),
    ],
)  # fmt: skip
def test_different_names_do_not_match(a: str, b: str) -> None:
    assert same_name(a, b) < 0.85


@given(st.text(max_size=30), st.text(max_size=30))
def test_bounds_and_symmetry(a: str, b: str) -> None:
    score = same_name(a, b)
    assert 0.0 <= score <= 1.0
    assert same_name(b, a) == score


def test_an_equal_name_comes_before_a_similar_one_with_more_followers() -> None:
    assert best_account("Marlow", [(1, "Marlowe", None, 9_000), (2, None, "marlow", 3)]) == (2, 1.0)


def test_ties_go_to_most_followers_then_to_the_lowest_id() -> None:
    twins = [(4, "Wren", "w4", None), (3, "wren", "w3", 7), (2, "WREN", "w2", 9), (1, "Wren", "w1", 0)]
    assert best_account("Wren", twins) == (2, 1.0)
    assert best_account("Wren", [(4, "Wren", None, 5), (3, "Wren", None, 5), (9, "Wren", None, 5)]) == (
        3,
        1.0,
    )
    assert best_account("Wren", [(3, "Wren", None, None), (4, "Wren", None, 0)]) == (4, 1.0)


def test_no_account_is_better_than_a_wrong_one() -> None:
    assert best_account("Wren", [(1, "Wrenfield", "w", 10**6), (2, None, None, None)]) is None
    assert best_account("Wren", []) is None
    assert best_account("", [(1, "", None, 1)]) is None


@pytest.mark.parametrize("unit", ["a", "ab ", "a.", " ", "é́", "'a"])
def test_a_huge_name_costs_little(unit: str) -> None:
    huge = unit * (100_000 // len(unit))
    started = time.perf_counter()
    same_name(huge, huge[1:])
    assert time.perf_counter() - started < 1.0
