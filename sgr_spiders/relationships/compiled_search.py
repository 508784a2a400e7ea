"""Find pairs by counting: for each row, increment the counter of every row that shares a context."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.kernels import Index, invert, pairs_of_rows
from sgr_spiders.relationships.search import Search
from sgr_spiders.relationships.tally import with_first_class
from sgr_spiders.relationships.tally_kernels import TallyTable, take_tally, tally_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from scipy import sparse

    from sgr_spiders.relationships.arrangement import Arrangement
    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.keys import Keys

COMMON_SHARE = 24
"""A context that at least one in 24 rows has is added as a column of flags: a processor adds 24 flags in the
time of one list lookup."""
MOST_FLAGS = 1 << 28
"""Maximum bytes for these columns."""
FEWEST_ROWS_OF_COMMON = 1_024
FOUND_AT_A_TIME = 1 << 18


MOST_TALLIED = 256
"""Overlaps from which each pair is noted by itself: they are rare."""


class CompiledSearch(Search):
    """A search with an inverted index and compiled kernels."""

    def __init__(self, arrangement: Arrangement, others_from: int = 0) -> None:
        super().__init__(arrangement, others_from)
        self._index = _index(arrangement, others_from)
        # Counts of these rows fit into a byte; the processor adds and compares many bytes at once.
        self._small = int(np.searchsorted(arrangement.sizes, 255, side="right"))
        classes = np.arange(len(arrangement.distinct_sizes))
        self._class_ends = np.searchsorted(arrangement.classes, classes, side="right").astype(np.int64)
        self._scratch = threading.local()

    def work(self) -> NDArray[np.int64]:
        index = self._index
        visits = index.ends.astype(np.int64) - index.begins
        total = np.concatenate([[0], np.cumsum(visits)])
        later = np.arange(self.arrangement.rows)[::-1]
        added = np.diff(index.common_starts) * later // COMMON_SHARE
        by_row: NDArray[np.int64] = np.diff(total[index.starts]) + added
        return by_row

    def batches(self, first: int, last: int) -> Iterator[tuple[int, Keys]]:
        yield from self._batches(first, min(last, self._small), np.uint8)
        yield from self._batches(max(first, self._small), last, np.uint32)

    def tally(self, first: int, last: int) -> Iterator[tuple[int, Keys, Counts]]:
        classes = self.arrangement.classes
        while first < last:
            # The rows of one class at a time: a table for all pairs of classes would be too large.
            end = min(last, int(self._class_ends[classes[first]]))
            yield end, *self._tally_class(first, end)
            first = end

    def _tally_class(self, first: int, last: int) -> tuple[Keys, Counts]:
        kind = np.uint8 if first < self._small else np.uint32
        counters, rest = self._buffers(kind)
        table, keys, numbers = self._tally_buffers(rest)
        own = int(self.arrangement.classes[first])
        others = []
        while first < last:
            first, size = tally_rows((first, last), self._index, counters, table)
            others.append(rest[:size].copy())
        size = take_tally(own, int(self.arrangement.distinct_sizes[own]), table, keys, numbers)
        cells = np.concatenate([keys[:size], *others])
        counts = np.ones(len(cells), np.int64)
        counts[:size] = numbers[:size]
        return with_first_class(cells, own), counts

    def _tally_buffers(self, rest: Keys) -> tuple[TallyTable, Keys, Counts]:
        """Return this thread's table, which the kernel leaves at 0, and its buffers for cells."""
        kept = self._scratch.__dict__
        if "tally" not in kept:
            classes = len(self.arrangement.distinct_sizes)
            width = min(MOST_TALLIED, int(self.arrangement.sizes.max(initial=0)) + 1)
            table = TallyTable(np.zeros((classes, width), np.int64), rest)
            kept["tally"] = table, np.empty(table.pairs.size, np.uint64), np.empty(table.pairs.size, np.int64)
        buffers: tuple[TallyTable, Keys, Counts] = kept["tally"]
        return buffers

    def _batches(self, first: int, last: int, kind: type[np.uint8 | np.uint32]) -> Iterator[tuple[int, Keys]]:
        while first < last:
            needs = self.arrangement.needs(first, last)
            counters, found = self._buffers(kind)
            first, size = pairs_of_rows(first, last, self._index, needs, counters, found)
            yield first, found[:size].copy()

    def _buffers(self, kind: type[np.uint8 | np.uint32]) -> tuple[NDArray[np.generic], Keys]:
        """Return this thread's counters, which the kernel leaves at 0, and its buffer for pairs."""
        kept = self._scratch.__dict__
        rows = self.arrangement.rows
        if kind.__name__ not in kept:
            kept[kind.__name__] = np.zeros(rows, kind)
        if "found" not in kept:
            kept["found"] = np.empty(rows + FOUND_AT_A_TIME, np.uint64)
        return kept[kind.__name__], kept["found"]


def _index(arrangement: Arrangement, others_from: int) -> Index:
    matrix = arrangement.matrix
    starts, contexts = matrix.indptr.astype(np.int64), matrix.indices.astype(np.uint32)
    ends_of = np.cumsum(np.bincount(contexts, minlength=matrix.shape[1]))
    rows_of, begins = invert(starts, contexts, ends_of)
    common = _most_common(np.diff(ends_of, prepend=0), arrangement.rows)
    flags, common_starts, rows_common = _split_common(matrix, common)
    if others_from:
        # The rows of a context are ascending: skip those before the first other one.
        before = np.bincount(contexts[: starts[others_from]], minlength=matrix.shape[1])
        begins = np.maximum(begins, (np.concatenate([[0], ends_of[:-1]]) + before)[contexts])
        flags[:, :others_from] = 0
    is_common = np.zeros(matrix.shape[1], bool)
    is_common[common] = True
    ends = ends_of[contexts]
    kept = (begins < ends) & ~is_common[contexts]
    first, second = arrangement.layout.shifts
    return Index(
        starts=np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])[starts],
        begins=begins[kept],
        ends=ends[kept],
        rows_of=rows_of,
        common_starts=common_starts,
        common=rows_common,
        flags=flags,
        classes=arrangement.classes,
        nodes=arrangement.nodes.astype(np.uint64),
        shifts=(np.uint64(first), np.uint64(second)),
    )


def _most_common(sizes: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    order = np.argsort(-sizes, kind="stable")[: MOST_FLAGS // max(1, rows)]
    least = max(rows // COMMON_SHARE, FEWEST_ROWS_OF_COMMON)
    return order[sizes[order] > least]


def _split_common(
    matrix: sparse.csr_array, common: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint32]]:
    """Return the flags of the *common* contexts, the start of each row's common contexts, and these."""
    index = np.full(matrix.shape[1], -1)
    index[common] = np.arange(len(common))
    columns = index[matrix.indices]
    chosen = columns >= 0
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))[chosen]
    flags = np.zeros((len(common), matrix.shape[0]), np.uint8)
    flags[columns[chosen], row] = 1
    starts = np.concatenate([[0], np.cumsum(chosen, dtype=np.int64)])[matrix.indptr]
    return flags, starts, columns[chosen].astype(np.uint32)
