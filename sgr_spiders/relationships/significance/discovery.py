"""False discovery rates over all pairs.

Source: Y. Benjamini, Y. Hochberg: Controlling the False Discovery Rate: A Practical and Powerful Approach to
Multiple Testing (Journal of the Royal Statistical Society B, 1995).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]


def discovery_rates(p: Reals, numbers: NDArray[np.int64], tests: int) -> Reals:
    """Return the false discovery rate of each probability in *p*, which *numbers* of pairs have.

    With the pairs sorted by ``p``, it is the least of ``p_j tests / j`` over all ``j`` from the rank of the
    pair on. *tests* is the number of all pairs; those that *p* does not cover have a probability of 1.
    """
    order = np.argsort(p, kind="stable")
    ranks = np.cumsum(numbers[order])
    rates = np.minimum(p[order] * (tests / ranks), 1)
    rates = np.minimum.accumulate(rates[::-1])[::-1]
    found = np.empty_like(rates)
    found[order] = rates
    return found
