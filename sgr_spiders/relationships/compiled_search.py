"""Pairs by counting: for each row, add one to a counter of every row it shares a context with."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from sgr_spiders.relationships.kernels import Index, pairs_of_rows
from sgr_spiders.relationships.search import Search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sgr_spiders.relationships.arrangement import Arrangement
    from sgr_spiders.relationships.keys import Keys

COMMON_SHARE = 24
"""A context that one in so many rows has is added as a whole column of flags: a processor adds 24 of those
in the time it takes to look up one row of a list."""
MOST_FLAGS = 1 << 28
"""Bytes for such columns."""
FEWEST_ROWS_OF_COMMON = 1_024
FOUND_AT_A_TIME = 1 << 18


class CompiledSearch(Search):
    """Holds the inverted index, and calls the kernel."""

    def __init__(self, arrangement: Arrangement) -> None:
        super().__init__(arrangement)
        self._index = _index(arrangement)
        # Up to here no count exceeds 255: a byte is enough, and bytes are added and compared by the dozen.
        self._small = int(np.searchsorted(arrangement.sizes, 255, side="right"))
        self._scratch = threading.local()

    def keys(self, first: int, last: int) -> Iterator[Keys]:
        yield from self._keys(first, min(last, self._small), np.uint8)
        yield from self._keys(max(first, self._small), last, np.uint32)

    def _keys(self, first: int, last: int, kind: type[np.uint8 | np.uint32]) -> Iterator[Keys]:
        while first < last:
            needs = self.arrangement.needs(first, last)
            counters, found = self._buffers(kind)
            first, size = pairs_of_rows(first, last, self._index, needs, counters, found)
            yield found[:size].copy()

    def _buffers(self, kind: type[np.uint8 | np.uint32]) -> tuple[NDArray[np.generic], Keys]:
        """Give this thread's counters, all 0 as the kernel leaves them, and its room for what is found."""
        kept = self._scratch.__dict__
        rows = self.arrangement.rows
        if kind.__name__ not in kept:
            kept[kind.__name__] = np.zeros(rows, kind)
        if "found" not in kept:
            kept["found"] = np.empty(rows + FOUND_AT_A_TIME, np.uint64)
        return kept[kind.__name__], kept["found"]


def _index(arrangement: Arrangement) -> Index:
    columns = arrangement.matrix.tocsc()
    sizes = np.diff(columns.indptr)
    common = _most_common(sizes, arrangement.rows)
    common_starts, rows_common = _rows_of_columns(arrangement.matrix, common)
    # Where in the lists of rows each entry of a row stands, and where its list ends.
    numbers = np.arange(columns.nnz)
    by_row = sparse.csc_array((numbers, columns.indices, columns.indptr), columns.shape).tocsr()
    begins, ends = by_row.data + 1, columns.indptr[1:][by_row.indices]
    is_common = np.zeros(len(sizes), bool)
    is_common[common] = True
    kept = (begins < ends) & ~is_common[by_row.indices]
    first, second = arrangement.layout.shifts
    return Index(
        starts=np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])[by_row.indptr],
        begins=begins[kept].astype(np.uint32),
        ends=ends[kept].astype(np.uint32),
        rows_of=columns.indices.astype(np.uint32),
        common_starts=common_starts,
        common=rows_common,
        flags=np.ascontiguousarray(columns[:, common].toarray().T),
        classes=arrangement.classes,
        nodes=arrangement.nodes.astype(np.uint64),
        shifts=(np.uint64(first), np.uint64(second)),
    )


def _most_common(sizes: NDArray[np.int32], rows: int) -> NDArray[np.int64]:
    order = np.argsort(-sizes, kind="stable")[: MOST_FLAGS // max(1, rows)]
    least = max(rows // COMMON_SHARE, FEWEST_ROWS_OF_COMMON)
    return order[sizes[order] > least]


def _rows_of_columns(
    matrix: sparse.csr_array, columns: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Tell for each row which of *columns* it has, by place: where a row's begin, and all of them."""
    place = np.full(matrix.shape[1], -1)
    place[columns] = np.arange(len(columns))
    placed = place[matrix.indices]
    starts = np.concatenate([[0], np.cumsum(placed >= 0, dtype=np.int64)])[matrix.indptr]
    return starts, placed[placed >= 0].astype(np.uint32)
