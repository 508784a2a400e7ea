"""Backoff: doubled up to a maximum, of which a random half to all is used."""

from __future__ import annotations

import pytest

from sgr_spiders.traffic.backoff import backoff


@pytest.mark.parametrize(
    ("attempt", "least", "most"),
    [(1, 0.5, 1), (2, 1, 2), (3, 2, 4), (6, 16, 32), (7, 30, 60), (9, 30, 60), (10**6, 30, 60)],
)
def test_waits_double_up_to_the_maximum_and_vary(attempt: int, least: float, most: float) -> None:
    waits = [backoff(attempt, 1, 60) for _ in range(2000)]
    assert least <= min(waits) < least * 1.05
    assert most * 0.95 < max(waits) <= most
