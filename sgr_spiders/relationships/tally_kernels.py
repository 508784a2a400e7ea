"""The inner loops that count the pairs by class and overlap, compiled by numba."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sgr_spiders.relationships.kernel_cache import kernel
from sgr_spiders.relationships.kernels import SPARSE, STRIP, Index, count_lists

if TYPE_CHECKING:
    from numpy.typing import NDArray

LANE = 224
"""Counters that are compared at a time: the number of equal ones fits into a byte."""
RUN, PASSES = 32, 16
"""Counters of one class from which equal ones are counted at once, and the overlaps for which that pays."""


class TallyTable(NamedTuple):
    """``pairs[class, overlap]`` is the number of pairs, and ``most[class]`` the largest overlap.

    Overlaps beyond its width are rare: each of these pairs is a key in ``rest``.
    """

    pairs: NDArray[np.int64]
    most: NDArray[np.int64]
    rest: NDArray[np.uint64]


@kernel
def note(other: np.uint32, count: np.int64, table: TallyTable, size: int) -> int:
    """Add a pair with a row of the class *other*; return the new size of the rest."""
    if count < table.pairs.shape[1]:
        table.pairs[other, count] += 1
        table.most[other] = max(table.most[other], count)
        return size
    table.rest[size] = (np.uint64(other) << np.uint64(32)) | np.uint64(count)
    return size + 1


@kernel
def tally_lists(i: int, index: Index, counters: NDArray[Any], table: TallyTable, size: int) -> int:
    """Add the pairs of row *i* by visiting the touched counters a second time; return the new size."""
    for e in range(index.starts[i], index.starts[i + 1]):
        for j in index.rows_of[index.begins[e] : index.ends[e]]:
            count = np.int64(counters[j])
            if count:
                counters[j] = 0
                size = note(index.classes[j], count, table, size)
    return size


@kernel
def count_equal(part: NDArray[Any], value: int) -> np.int64:
    """Count the elements of *part* that equal *value*."""
    wanted = part.dtype.type(value)
    total = np.int64(0)
    for at in range(0, part.size, LANE):
        lane = part[at : at + LANE]
        found = np.uint8(0)
        for j in range(lane.size):
            found = np.uint8(found + np.uint8(lane[j] == wanted))
        total += np.int64(found)
    return total


@kernel
def tally_run(other: np.uint32, part: NDArray[Any], table: TallyTable, size: int) -> int:
    """Add the pairs with rows of one class, from their counters; return the new size."""
    least = 1
    if part.size >= RUN:
        left = part.size - count_equal(part, 0)
        while left and least < min(PASSES, table.pairs.shape[1]):
            found = count_equal(part, least)
            if found:
                table.pairs[other, least] += found
                table.most[other] = max(table.most[other], least)
                left -= found
            least += 1
        if not left:
            return size
    for j in range(part.size):
        count = np.int64(part[j])
        if count >= least:
            size = note(other, count, table, size)
    return size


@kernel
def tally_all(
    i: int, index: Index, ends: NDArray[np.int64], counters: NDArray[Any], table: TallyTable, size: int
) -> int:
    """Add the pairs of row *i* from the counters of all later rows, in strips; return the new size."""
    for at in range(i + 1, index.classes.size, STRIP):
        strip = counters[at : min(index.classes.size, at + STRIP)]
        for k in index.common[index.common_starts[i] : index.common_starts[i + 1]]:
            column = index.flags[k, at : at + strip.size]
            for j in range(strip.size):
                strip[j] += column[j]
        begin = 0
        while begin < strip.size:
            other = index.classes[at + begin]
            end = min(strip.size, ends[other] - at)
            size = tally_run(other, strip[begin:end], table, size)
            begin = end
        strip[:] = 0
    return size


@kernel
def tally_rows(
    rows: tuple[int, int], index: Index, ends: NDArray[np.int64], counters: NDArray[Any], table: TallyTable
) -> tuple[int, int]:
    """Add the pairs of these rows, all of one class, with later rows; return the next row and the rest.

    The last row of each class is before *ends*. The search stops early if another row might not fit into the
    rest of the table. *counters* are 0 before and after the call.
    """
    size = 0
    for i in range(rows[0], rows[1]):
        later = index.classes.size - i - 1
        if table.rest.size - size < later:
            return i, size
        visited = count_lists(i, index, counters)
        has_common = index.common_starts[i] < index.common_starts[i + 1]
        if has_common or visited * SPARSE > later:
            size = tally_all(i, index, ends, counters, table, size)
        else:
            size = tally_lists(i, index, counters, table, size)
    return rows[1], size


@kernel
def take_tally(first: int, table: TallyTable, keys: NDArray[np.uint64], numbers: NDArray[np.int64]) -> int:
    """Move the table of the classes from *first* on to *keys* and *numbers*; return how many there are."""
    size = 0
    for other in range(first, table.most.size):
        for count in range(1, table.most[other] + 1):
            if table.pairs[other, count]:
                keys[size] = (np.uint64(other) << np.uint64(32)) | np.uint64(count)
                numbers[size] = table.pairs[other, count]
                table.pairs[other, count] = 0
                size += 1
        table.most[other] = 0
    return size
