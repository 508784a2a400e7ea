"""The numbers of pairs by the classes of both nodes and by the number of contexts that they share."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]
    Counts = NDArray[np.int64]
    Integers = NDArray[np.integer[Any]]

CLASS_BITS, COUNT_BITS = np.uint64(16), np.uint64(32)
MOST_PENDING = 1 << 22
"""Cells to collect before equal ones are added."""


def pack_cells(first: Integers, second: Integers, common: Integers) -> Keys:
    """Return a key of each cell: the classes of the smaller and of the larger node, and the overlap."""
    keys: Keys = first.astype(np.uint64) << (CLASS_BITS + COUNT_BITS)
    keys |= second.astype(np.uint64) << COUNT_BITS
    keys |= common.astype(np.uint64)
    return keys


def with_first_class(keys: Keys, first: int) -> Keys:
    """Return the *keys* of cells, which lack the class of the smaller node, with that class."""
    whole: Keys = keys | (np.uint64(first) << (CLASS_BITS + COUNT_BITS))
    return whole


def unpack_cells(keys: Keys) -> tuple[Counts, Counts, Counts]:
    """Return both classes and the overlap of each cell."""
    low, count = np.uint64(2**16 - 1), np.uint64(2**32 - 1)
    return (
        (keys >> (CLASS_BITS + COUNT_BITS)).astype(np.int64),
        (keys >> COUNT_BITS & low).astype(np.int64),
        (keys & count).astype(np.int64),
    )


def add_equal(keys: Keys, numbers: Counts) -> tuple[Keys, Counts]:
    """Return the distinct *keys* in ascending order, and the sum of the *numbers* of each."""
    order = np.argsort(keys, kind="stable")
    keys, numbers = keys[order], numbers[order]
    begins = np.flatnonzero(np.concatenate([np.ones(min(1, len(keys)), bool), keys[1:] != keys[:-1]]))
    return keys[begins], np.add.reduceat(numbers, begins) if len(begins) else numbers


class Tally:
    """Adds up the numbers of pairs in cells that several threads find in any order."""

    def __init__(self) -> None:
        self._keys: list[Keys] = []
        self._numbers: list[Counts] = []
        self._pending = 0
        self._lock = threading.Lock()

    def add(self, keys: Keys, numbers: Counts) -> None:
        with self._lock:
            self._keys.append(keys)
            self._numbers.append(numbers)
            self._pending += len(keys)
            if self._pending > MOST_PENDING:
                self._merge()

    def cells(self) -> tuple[Keys, Counts]:
        """Return the cells in ascending order, and the number of pairs in each."""
        self._merge()
        return self._keys[0], self._numbers[0]

    def _merge(self) -> None:
        keys = np.concatenate([np.empty(0, np.uint64), *self._keys])
        numbers = np.concatenate([np.empty(0, np.int64), *self._numbers])
        whole = add_equal(keys, numbers)
        self._keys, self._numbers, self._pending = [whole[0]], [whole[1]], 0
