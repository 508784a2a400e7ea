"""Find pairs as the non-zero entries of a sparse matrix product: slower, but without a compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.search import Search
from sgr_spiders.relationships.tally import add_equal, pack_cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sgr_spiders.relationships.arrangement import Arrangement
    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.keys import Keys

ENTRIES = 1 << 22
"""Approximate number of product entries per block."""


class SparseSearch(Search):
    """A search that multiplies blocks of rows with the later rows."""

    def __init__(self, arrangement: Arrangement, others_from: int = 0) -> None:
        super().__init__(arrangement, others_from)
        self._matrix = arrangement.matrix.astype(np.int32)
        self._transposed = self._matrix[others_from:].T.tocsr()
        degrees = np.diff(self._transposed.indptr)
        per_entry = np.concatenate([[0], np.cumsum(degrees[self._matrix.indices], dtype=np.int64)])
        self._work: NDArray[np.int64] = per_entry[self._matrix.indptr]

    def work(self) -> NDArray[np.int64]:
        return np.diff(self._work)

    def batches(self, first: int, last: int) -> Iterator[tuple[int, Keys]]:
        for begin, end in self._parts(first, last):
            yield end, self._block(begin, end)

    def tally(self, first: int, last: int) -> Iterator[tuple[int, Keys, Counts]]:
        classes = self.arrangement.classes
        for begin, end in self._parts(first, last):
            row, other, count = self._multiply(begin, end)
            later = row < other
            cells = pack_cells(classes[row[later]], classes[other[later]], count[later])
            yield end, *add_equal(cells, np.ones(len(cells), np.int64))

    def _parts(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        while first < last:
            end = int(np.searchsorted(self._work, self._work[first] + ENTRIES, side="right")) - 1
            end = min(last, max(first + 1, end))
            yield first, end
            first = end

    def _multiply(self, first: int, last: int) -> tuple[Counts, Counts, Counts]:
        """Return the rows, the other rows and the number of contexts that they share."""
        product = (self._matrix[first:last] @ self._transposed).tocoo()
        return product.row + first, product.col + self.others_from, product.data

    def _block(self, first: int, last: int) -> Keys:
        arrangement = self.arrangement
        row, other, count = self._multiply(first, last)
        classes = arrangement.classes
        need = arrangement.needs(first, last)[classes[row] - classes[first], classes[other]]
        kept = (row < other) & (count >= need)
        nodes = arrangement.nodes
        return arrangement.layout.pack(nodes[row[kept]], nodes[other[kept]], count[kept])
