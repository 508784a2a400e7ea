"""The inner loops, compiled by numba. They release the GIL, so threads run them in parallel.

Rows are unsigned and iterated as slices, because numba checks each signed index for wraparound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sgr_spiders.relationships.kernel_cache import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIP = 1_024
"""Counters in a strip. They are checked one by one only if the largest reaches the minimum."""
SPARSE = 32
"""Counters that can be checked in the time of one second visit."""


class Index(NamedTuple):
    """The rows, and the rows of each context.

    Row ``i`` has the entries ``starts[i]:starts[i + 1]``, one for each of its contexts that has later rows:
    ``rows_of[begins[e]:ends[e]]``. Contexts of very many rows are stored separately: row ``i`` has the
    contexts ``common[common_starts[i]:common_starts[i + 1]]``, and ``flags[k, j]`` is 1 if row ``j`` has the
    k-th of them.
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
    """Turn the contexts of each row into the rows of each context, in lists that end at *ends*.

    Returns the lists, and for each entry of a row the position after it in the list of its context.
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
    node: np.uint64, other: np.uint64, count: np.uint64, shifts: tuple[np.uint64, np.uint64]
) -> np.uint64:
    """Pack a pair and its count into 64 bits, like ``KeyLayout.pack``."""
    return (min(node, other) << shifts[0]) | (max(node, other) << shifts[1]) | count


@kernel
def count_lists(i: int, index: Index, counters: NDArray[Any]) -> int:
    """Increment the counter of each later row for each context shared with row *i*; return the visits."""
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
    """Collect the pairs of row *i* by visiting the touched counters a second time; return the new size."""
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
    """Collect the pairs of row *i* from the counters of all later rows, in strips; return the new size."""
    for at in range(i + 1, index.classes.size, STRIP):
        strip = counters[at : min(index.classes.size, at + STRIP)]
        for k in index.common[index.common_starts[i] : index.common_starts[i + 1]]:
            column = index.flags[k, at : at + strip.size]
            for j in range(strip.size):
                strip[j] += column[j]
        most = counters.dtype.type(0)
        for j in range(strip.size):
            most = max(most, strip[j])
        # Later rows are at least as large, so the first row of the strip has the lowest minimum.
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
    """Find the pairs of each row from *first* with later rows; return the next row and the number of pairs.

    The search stops before *last* if another row might not fit into *found*. A pair needs ``needs[class of i
    - class of first, class of j]`` common contexts. *counters* are 0 before and after the call.
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
