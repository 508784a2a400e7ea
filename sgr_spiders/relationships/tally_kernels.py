"""The inner loops that count the pairs by class and overlap, compiled by numba."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sgr_spiders.relationships.kernel_cache import kernel
from sgr_spiders.relationships.kernels import SPARSE, STRIP, Index, count_lists

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TallyTable(NamedTuple):
    """``pairs[class, overlap]`` is the number of pairs; what is added for the overlap 0 means nothing.

    Overlaps beyond its width are rare: each of these pairs is a key in ``rest``.
    """

    pairs: NDArray[np.int64]
    rest: NDArray[np.uint64]


@kernel
def note(other: np.uint32, count: np.int64, table: TallyTable, size: int) -> int:
    """Add a pair with a row of the class *other*; return the new size of the rest."""
    if count < table.pairs.shape[1]:
        table.pairs[other, count] += 1
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
def tally_bytes(at: int, strip: NDArray[np.uint8], index: Index, table: TallyTable) -> None:
    """Add the pairs with the rows from *at* on, from their counters: eight at a time, unless all are 0."""
    words = strip[: strip.size // 8 * 8].view(np.uint64)
    for word in range(words.size):
        if words[word]:
            for j in range(8 * word, 8 * word + 8):
                table.pairs[index.classes[at + j], strip[j]] += 1
    for j in range(8 * words.size, strip.size):
        table.pairs[index.classes[at + j], strip[j]] += 1


@kernel
def tally_all(i: int, index: Index, counters: NDArray[Any], table: TallyTable, size: int) -> int:
    """Add the pairs of row *i* from the counters of all later rows, in strips; return the new size."""
    for at in range(i + 1, index.classes.size, STRIP):
        strip = counters[at : min(index.classes.size, at + STRIP)]
        for k in index.common[index.common_starts[i] : index.common_starts[i + 1]]:
            column = index.flags[k, at : at + strip.size]
            for j in range(strip.size):
                strip[j] += column[j]
        if strip.itemsize == 1:
            tally_bytes(at, strip, index, table)
        else:
            for j in range(strip.size):
                if strip[j]:
                    size = note(index.classes[at + j], np.int64(strip[j]), table, size)
        strip[:] = 0
    return size


@kernel
def tally_rows(
    rows: tuple[int, int], index: Index, counters: NDArray[Any], table: TallyTable
) -> tuple[int, int]:
    """Add the pairs of these rows, all of one class, with later rows; return the next row and the rest.

    The search stops early if another row might not fit into the rest of the table. *counters* are 0 before
    and after the call.
    """
    size = 0
    for i in range(rows[0], rows[1]):
        later = index.classes.size - i - 1
        if table.rest.size - size < later:
            return i, size
        visited = count_lists(i, index, counters)
        has_common = index.common_starts[i] < index.common_starts[i + 1]
        if has_common or visited * SPARSE > later:
            size = tally_all(i, index, counters, table, size)
        else:
            size = tally_lists(i, index, counters, table, size)
    return rows[1], size


@kernel
def take_tally(
    first: int, largest: int, table: TallyTable, keys: NDArray[np.uint64], numbers: NDArray[np.int64]
) -> int:
    """Move the table of the classes from *first* on to *keys* and *numbers*; return how many there are.

    No overlap is above *largest*.
    """
    size = 0
    for other in range(first, table.pairs.shape[0]):
        for count in range(1, min(largest + 1, table.pairs.shape[1])):
            if table.pairs[other, count]:
                keys[size] = (np.uint64(other) << np.uint64(32)) | np.uint64(count)
                numbers[size] = table.pairs[other, count]
                size += 1
        table.pairs[other] = 0
    return size
