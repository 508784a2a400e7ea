"""Vectorised work on IDs: find the distinct ones, and look up their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ids = NDArray[np.int64]

Number = TypeVar("Number", bound=np.integer[Any])


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """Return the distinct *values*, in ascending order.

    This sorts: ``numpy.unique`` hashes, which takes five times as long if most values are distinct.
    """
    ordered = np.sort(values)
    first = np.concatenate([np.ones(len(ordered[:1]), bool), ordered[1:] != ordered[:-1]])
    kept: NDArray[Number] = ordered[first]
    return kept


def look_up(keys: Ids, values: Ids, wanted: Ids) -> Ids:
    """Return the value of each *wanted* key, or -1 if there is no such key; *keys* must be ascending."""
    if not len(keys):
        return np.full(len(wanted), -1)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], -1)
