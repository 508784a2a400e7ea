"""The agreement of two sides on the neighbours of the same nodes.

The overlap of two lists is the Jaccard index of their members. Their rank agreement is the rank-biased
overlap of Webber, Moffat and Zobel, A Similarity Measure for Indefinite Rankings (ACM Transactions on
Information Systems 28:4, 2010), extrapolated, for lists of unequal length (equation 32).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.storage.lookup import is_among

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sgr_spiders.reports.comparison.neighbours import Neighbours

    Ids = NDArray[np.int64]

PERSISTENCE = 0.9
"""The p of the rank-biased overlap: with 0.9, the first 10 ranks have 86% of the weight."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement of two sides: means over the nodes that have neighbours on both.

    *shared*: nodes that are present on both sides. *both*, *only_a*, *only_b*: those of them that have
    neighbours. The means are ``None`` if no node has neighbours on both sides.
    """

    shared: int
    both: int
    only_a: int
    only_b: int
    jaccard: float | None
    rank_biased_overlap: float | None


def compare_neighbours(a: Neighbours, b: Neighbours, shared: Ids) -> Agreement:
    """Compare the neighbours of the *shared* nodes, which ascend."""
    in_a, in_b = (near.ids[is_among(near.ids, shared)] for near in (a, b))
    both = in_a[is_among(in_a, in_b)]
    lists = [(a.of(node), b.of(node)) for node in both.tolist()]
    return Agreement(
        len(shared),
        len(both),
        len(in_a) - len(both),
        len(in_b) - len(both),
        _mean([jaccard(*pair) for pair in lists]),
        _mean([rank_biased_overlap(*pair) for pair in lists]),
    )


def jaccard(a: Sequence[int], b: Sequence[int]) -> float:
    """Return the members in both lists, divided by those in either; one must not be empty."""
    return len(set(a) & set(b)) / len(set(a) | set(b))


def rank_biased_overlap(a: Sequence[int], b: Sequence[int], p: float = PERSISTENCE) -> float:
    """Return the extrapolated rank-biased overlap of two rankings that are not empty: 0 to 1."""
    short, long = sorted((a, b), key=len)
    s, length = len(short), len(long)
    overlaps = _overlaps(short, long)
    total = sum(overlaps[d - 1] / d * p**d for d in range(1, length + 1))
    total += sum(overlaps[s - 1] * (d - s) / (s * d) * p**d for d in range(s + 1, length + 1))
    rest = (overlaps[length - 1] - overlaps[s - 1]) / length + overlaps[s - 1] / s
    return (1 - p) / p * total + rest * p**length


def _overlaps(short: Sequence[int], long: Sequence[int]) -> list[int]:
    """Return the number of common members at each depth of the longer ranking."""
    seen_short: set[int] = set()
    seen_long: set[int] = set()
    found = []
    for depth, member in enumerate(long):
        seen_long.add(member)
        if depth < len(short):
            seen_short.add(short[depth])
        found.append(len(seen_short & seen_long))
    return found


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
