"""Exponential backoff."""

from __future__ import annotations

import random


def backoff(attempt: int, base: float, maximum: float) -> float:
    """Return the seconds to wait after failed attempt number *attempt* (from 1).

    The wait doubles from *base* up to *maximum*. A random half to all of it is used, so that requests that
    failed together are not retried together.
    """
    full = min(maximum, base * 2.0 ** min(attempt - 1, 60))
    return full * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, protects nothing
