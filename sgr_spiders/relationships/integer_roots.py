"""Exact integer square roots."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray


def ceil_root(ratio: Fraction, size_a: NDArray[np.int64], size_b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the smallest integer ``c`` with ``c >= ratio * sqrt(a * b)``.

    A float guess is off by at most one. Integers correct it: Python's unbounded ones where squares exceed 64
    bits.
    """
    import numpy as np  # noqa: PLC0415 - `scrapy status` needs none of it

    p, q = ratio.numerator, ratio.denominator
    largest = p * p * int(size_a.max(initial=0)) * int(size_b.max(initial=0))
    products: NDArray[Any] = size_a * size_b
    if max(largest, q * q) >= 2**62:
        products = products.astype(object)
    squares = -(-(p * p * products) // (q * q))
    guess = np.sqrt(squares.astype(float)).astype(np.int64)
    root = guess.astype(products.dtype)
    too_high = ((root - 1) * (root - 1) >= squares) & (root > 0)
    too_low = root * root < squares
    exact: NDArray[np.int64] = guess - too_high.astype(np.int64) + too_low.astype(np.int64)
    return exact
