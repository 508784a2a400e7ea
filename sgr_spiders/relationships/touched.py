"""The pairs of some nodes with all others: what changes if only the contexts of these nodes have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from sgr_spiders.relationships.engine import CancelledError
from sgr_spiders.relationships.measuring import Measuring
from sgr_spiders.storage.lookup import look_up, mix
from sgr_spiders.storage.pairs.tables import SIGNIFICANCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sgr_spiders.relationships.base import Counts, RelationshipType
    from sgr_spiders.relationships.inputs import Ids, Incidence

ENTRIES = 1 << 20
"""Approximate number of common contexts that are counted at a time."""


class Signatures:
    """A hash of each node. Nodes with equal hashes have the same contexts, and are both cut or not."""

    def __init__(self, ids: Ids, incidence: Incidence) -> None:
        """Hash the contexts in *incidence*, whose context numbers stand for *ids*."""
        hashes = mix(ids.astype(np.uint64))[incidence.contexts]
        # The sum of any order; it wraps around, as do the differences.
        total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(hashes, dtype=np.uint64)])
        self._ids = incidence.ids
        sums = total[incidence.starts[1:]] - total[incidence.starts[:-1]]
        self._hashes = (sums + incidence.is_cut.astype(np.uint64)).view(np.int64)
        self._sizes = incidence.sizes

    def changed_since(self, before: Signatures) -> Ids:
        """Return the IDs of the nodes that are new, have gone, or have other contexts than *before*."""
        positions = np.arange(len(before._ids))
        known = look_up(before._ids, positions, self._ids)
        same = known >= 0
        same[same] = (before._hashes[known[same]] == self._hashes[same]) & (
            before._sizes[known[same]] == self._sizes[same]
        )
        return np.concatenate([self._ids[~same], np.setdiff1d(before._ids, self._ids)])


class TouchedSearch:
    """Finds all pairs in which at least one node is touched."""

    def __init__(self, relationship: RelationshipType, incidence: Incidence, touched: Ids) -> None:
        """Search the pairs of the nodes with the IDs *touched*."""
        self._relationship = relationship
        self._incidence = incidence
        self._measuring = Measuring(relationship, incidence)
        self._is_touched = np.isin(incidence.ids, touched)
        ones = np.ones(len(incidence.contexts), np.int32)
        shape = (len(incidence.ids), incidence.context_count)
        self._matrix = sparse.csr_array((ones, incidence.contexts, incidence.starts), shape=shape)
        degrees = np.bincount(incidence.contexts, minlength=incidence.context_count)
        total = np.concatenate([[0], np.cumsum(degrees[incidence.contexts], dtype=np.int64)])
        self._work = np.diff(total[incidence.starts])

    @property
    def share(self) -> float:
        """The share of the work of a whole build, from 0 to 1."""
        return float(self._work[self._is_touched].sum() / max(1, self._work.sum()))

    def rows(self, is_cancelled: Callable[[], bool]) -> Iterator[list[tuple[int | float | None, ...]]]:
        """Yield the pairs as rows of the table, in any order; raise ``CancelledError`` once cancelled."""
        ids, is_cut = self._incidence.ids, self._incidence.is_cut
        for node, other, common in self._pairs():
            if is_cancelled():
                raise CancelledError
            a, b = np.minimum(node, other), np.maximum(node, other)
            measures = self._measuring.measures(a, b, common)
            columns = [column.tolist() for column in (ids[a], ids[b], *measures)]
            # Each depends on all pairs: the next whole build fills them in.
            unknown = [[None] * len(a)] * len(SIGNIFICANCE)
            yield list(zip(*columns, *unknown, (is_cut[a] | is_cut[b]).tolist(), strict=True))

    def _pairs(self) -> Iterator[tuple[Counts, Counts, Counts]]:
        touched = np.flatnonzero(self._is_touched)
        transposed = self._matrix.T.tocsr()
        blocks = np.cumsum(self._work[touched]) // ENTRIES
        for rows in np.split(touched, np.flatnonzero(np.diff(blocks)) + 1):
            product = (self._matrix[rows] @ transposed).tocoo()
            node, other, common = rows[product.row], product.col, product.data.astype(np.int64)
            # A pair of two touched nodes is found twice.
            once = (node < other) | ~self._is_touched[other]
            node, other, common = node[once], other[once], common[once]
            sizes = self._incidence.sizes
            enough = common >= self._relationship.fewest(sizes[node], sizes[other])
            counted = self._measuring.are_enough(node, other)
            enough = enough if counted is None else enough & counted
            yield node[enough], other[enough], common[enough]
