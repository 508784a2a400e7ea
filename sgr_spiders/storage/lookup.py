"""Find what belongs to each of many ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ids = NDArray[np.int64]


def matched(keys: Ids, values: Ids, wanted: Ids) -> Ids:
    """Give for each of *wanted* the value of its key; -1: there is no such key. *keys* ascend."""
    if not len(keys):
        return np.full(len(wanted), -1)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], -1)
