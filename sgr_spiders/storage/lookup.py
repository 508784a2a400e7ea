"""Work on many ids at once: the distinct ones, and what belongs to each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ids = NDArray[np.int64]

Number = TypeVar("Number", bound=np.integer[Any])


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """Return each of the *values* once, in order.

    By sorting: ``numpy.unique`` hashes, which takes five times as long where most are different.
    """
    ordered = np.sort(values)
    first = np.concatenate([np.ones(len(ordered[:1]), bool), ordered[1:] != ordered[:-1]])
    kept: NDArray[Number] = ordered[first]
    return kept


def matched(keys: Ids, values: Ids, wanted: Ids) -> Ids:
    """Give for each of *wanted* the value of its key; -1: there is no such key. *keys* ascend."""
    if not len(keys):
        return np.full(len(wanted), -1)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], -1)
