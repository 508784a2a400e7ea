"""How long to wait before trying again."""

from __future__ import annotations

import random


def backoff(attempt: int, base: float, maximum: float) -> float:
    """Seconds to wait after the given failed attempt (from 1): doubled each time, up to a maximum.

    Between half and all of it, at random: those that failed together do not come back together, and
    no wait is close to nothing.
    """
    full = min(maximum, base * 2.0 ** min(attempt - 1, 60))
    return full * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, protects nothing
