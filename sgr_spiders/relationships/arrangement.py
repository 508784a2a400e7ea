"""Nodes as rows, in the order that finds pairs fastest: those with the fewest contexts first.

Each row is compared only with later rows. Most rows have few contexts and touch few counters; the rows with
many contexts have few later rows. No count exceeds the number of the row's own contexts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from sgr_spiders.relationships.keys import KeyLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import Counts, RelationshipType
    from sgr_spiders.relationships.inputs import Incidence

TABLE_CELLS = 1 << 22
"""Maximum size of a table of minimum counts."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Rows by ascending size. ``matrix`` has a row for each of them and a column for each context."""

    relationship: RelationshipType
    nodes: Counts
    """The node number of each row."""
    sizes: Counts
    distinct_sizes: Counts
    classes: NDArray[np.uint32]
    """The index of each row's size in ``distinct_sizes``."""
    matrix: sparse.csr_array
    layout: KeyLayout

    @property
    def rows(self) -> int:
        return len(self.nodes)

    def needs(self, first: int, last: int) -> NDArray[np.uint32]:
        """Return the minimum number of common contexts, by the sizes of these rows and by all sizes."""
        low, high = self.classes[first], self.classes[last - 1] + 1
        fewest = self.relationship.fewest(self.distinct_sizes[low:high, None], self.distinct_sizes[None, :])
        # No count reaches the largest uint32, so larger minimums can be capped to it.
        return np.minimum(fewest, 2**32 - 1).astype(np.uint32)

    def total_work(self) -> int:
        """Count how often two rows share a context."""
        sizes = np.bincount(self.matrix.indices, minlength=self.matrix.shape[1])
        return int((sizes * (sizes - 1) // 2).sum())

    def blocks(self, work: NDArray[np.int64], count: int) -> list[tuple[int, int]]:
        """Divide the rows into about *count* blocks of equal *work*."""
        if not self.rows:
            return []
        total = np.cumsum(work + 1)
        cuts = np.searchsorted(total, np.linspace(0, total[-1], count + 1)[1:-1])
        # No block may have more sizes than fit into one table.
        sizes_at_a_time = max(1, TABLE_CELLS // len(self.distinct_sizes))
        by_size = np.flatnonzero(np.diff(self.classes // sizes_at_a_time)) + 1
        edges = np.unique(np.concatenate([[0], cuts, by_size, [self.rows]]))
        return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def arrange(incidence: Incidence, relationship: RelationshipType, *, every: bool = False) -> Arrangement:
    """Sort the nodes into rows; drop those with too few contexts for any pair, unless *every* is to count."""
    sizes = incidence.sizes
    able = np.flatnonzero((sizes > 0) if every else (relationship.fewest(sizes, sizes) <= sizes))
    nodes = able[np.argsort(sizes[able], kind="stable")]
    distinct, classes = np.unique(sizes[nodes], return_inverse=True)
    whole = sparse.csr_array(
        (np.ones(len(incidence.contexts), np.uint8), incidence.contexts, incidence.starts),
        shape=(len(sizes), incidence.context_count),
    )
    layout = KeyLayout.of(len(sizes), int(sizes.max(initial=0)))
    return Arrangement(
        relationship, nodes, sizes[nodes], distinct, classes.astype(np.uint32), whole[nodes], layout
    )
