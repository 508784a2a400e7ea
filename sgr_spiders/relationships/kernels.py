"""The inner loops, compiled by numba. They release the interpreter's lock, so threads run them side by side.

Rows are unsigned numbers, walked over as slices: numba would check each signed index for a wrap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sgr_spiders.relationships.kernel_cache import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIP = 1_024
"""Counters that are looked at together: first only for the largest, then one by one if that is enough."""
SPARSE = 32
"""Looking at so many counters takes as long as visiting one a second time."""


class Index(NamedTuple):
    """The rows, and for each context the rows in it.

    Row ``i`` has the entries ``starts[i]:starts[i + 1]``, one for each of its contexts that a later row is
    in: ``rows_of[begins[e]:ends[e]]`` are those rows. Contexts that very many rows share stand apart: row
    ``i`` has ``common[common_starts[i]:common_starts[i + 1]]`` of them, and ``flags[k, j]`` is 1 if row ``j``
    has the k-th.
    """

    starts: NDArray[np.int64]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    rows_of: NDArray[np.uint32]
    common_starts: NDArray[np.int64]
    common: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    classes: NDArray[np.uint32]
    nodes: NDArray[np.uint64]
    shifts: tuple[np.uint64, np.uint64]


@kernel
def invert(
    starts: NDArray[np.int64], contexts: NDArray[np.uint32], ends: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Turn the contexts of each row into the rows of each context, whose lists end at *ends*.

    Give the lists, and for each entry of a row the place behind it in the list of its context.
    """
    rows_of = np.empty(contexts.size, np.uint32)
    behind = np.empty(contexts.size, np.int64)
    filled = np.zeros(ends.size, np.int64)
    filled[1:] = ends[:-1]
    for i in range(starts.size - 1):
        for e in range(starts[i], starts[i + 1]):
            rows_of[filled[contexts[e]]] = i
            filled[contexts[e]] += 1
            behind[e] = filled[contexts[e]]
    return rows_of, behind


@kernel
def pack(
    one: np.uint64, other: np.uint64, count: np.uint64, shifts: tuple[np.uint64, np.uint64]
) -> np.uint64:
    """Put a pair and its count into 64 bits, as ``KeyLayout`` does."""
    return (min(one, other) << shifts[0]) | (max(one, other) << shifts[1]) | count


@kernel
def count_lists(i: int, index: Index, counters: NDArray[Any]) -> int:
    """Add one to the counter of each later row, for each context it shares with row *i*."""
    one = counters.dtype.type(1)
    visited = 0
    for e in range(index.starts[i], index.starts[i + 1]):
        part = index.rows_of[index.begins[e] : index.ends[e]]
        visited += part.size
        for j in part:
            counters[j] += one
    return visited


@kernel
def take_from_lists(
    i: int,
    index: Index,
    need: NDArray[np.uint32],
    counters: NDArray[Any],
    found: NDArray[np.uint64],
    size: int,
) -> int:
    """Take the pairs of row *i* by visiting the counters that were touched once more."""
    for e in range(index.starts[i], index.starts[i + 1]):
        for j in index.rows_of[index.begins[e] : index.ends[e]]:
            count = counters[j]
            counters[j] = 0
            if count >= need[index.classes[j]]:
                found[size] = pack(index.nodes[i], index.nodes[j], np.uint64(count), index.shifts)
                size += 1
    return size


@kernel
def take_from_all(
    i: int,
    index: Index,
    need: NDArray[np.uint32],
    counters: NDArray[Any],
    found: NDArray[np.uint64],
    size: int,
) -> int:
    """Take the pairs of row *i* by looking at the counters of all later rows, strip by strip."""
    for at in range(i + 1, index.classes.size, STRIP):
        strip = counters[at : min(index.classes.size, at + STRIP)]
        for k in index.common[index.common_starts[i] : index.common_starts[i + 1]]:
            column = index.flags[k, at : at + strip.size]
            for j in range(strip.size):
                strip[j] += column[j]
        most = counters.dtype.type(0)
        for j in range(strip.size):
            most = max(most, strip[j])
        # Later rows are no smaller, and need no less than the first.
        if most >= need[index.classes[at]]:
            for j in range(strip.size):
                if strip[j] >= need[index.classes[at + j]]:
                    found[size] = pack(index.nodes[i], index.nodes[at + j], np.uint64(strip[j]), index.shifts)
                    size += 1
        strip[:] = 0
    return size


@kernel
def pairs_of_rows(
    first: int,
    last: int,
    index: Index,
    needs: NDArray[np.uint32],
    counters: NDArray[Any],
    found: NDArray[np.uint64],
) -> tuple[int, int]:
    """Find the pairs of each row from *first* on with a later row; give where it stopped, and how many.

    It stops before *last* when another row might not fit into *found*. ``needs[class of i - class of
    first, class of j]`` contexts in common make a pair. *counters* are 0, before and after.
    """
    size = 0
    lowest = index.classes[first]
    for i in range(first, last):
        later = index.classes.size - i - 1
        if found.size - size < later:
            return i, size
        need = needs[index.classes[i] - lowest]
        visited = count_lists(i, index, counters)
        has_common = index.common_starts[i] < index.common_starts[i + 1]
        if has_common or visited * SPARSE > later:
            size = take_from_all(i, index, need, counters, found, size)
        else:
            size = take_from_lists(i, index, need, counters, found, size)
    return last, size
