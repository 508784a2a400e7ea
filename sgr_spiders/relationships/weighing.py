"""The values of the contexts that two nodes share, if they do not all count once.

Contexts are numbered by their owners, those of one owner by descending value. So of the shared contexts of a
pair, in the order of these numbers, the first ones of each owner are those that count.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.inputs import Incidence

    Evidence = NDArray[np.float64]

ALL = 2**31 - 1
"""More contexts than an owner has."""
UNKNOWN_OWNER = 0
MIN_COMPILED_WORK = 1 << 22
"""Contexts to compare from which loading the kernel (half a second) pays off."""
ENTRIES = 1 << 22
"""Contexts to compare at a time without it."""


class PairWeights:
    """The values of the contexts that nodes share, with at most *most* contexts of each owner.

    Of an owner's contexts that two nodes share, those with the highest values count. A context of an unknown
    owner is the only one of its owner.
    """

    def __init__(self, incidence: Incidence, values: Evidence, most: int | None) -> None:
        """Use *values*, one for each context."""
        owners = incidence.context_owners
        if owners is None or most is None:
            owners = np.full(incidence.context_count, UNKNOWN_OWNER)
        order = np.lexsort((np.arange(len(owners)), -values, owners))
        number = np.empty(len(order), np.int32)
        number[order] = np.arange(len(order), dtype=np.int32)
        sorted_owners = owners[order]
        is_new = np.diff(sorted_owners, prepend=-1) != 0
        self._groups = np.cumsum(is_new | (sorted_owners == UNKNOWN_OWNER)).astype(np.int32)
        self._values = values[order]
        self._most = ALL if most is None else most
        ones = np.ones(len(incidence.contexts), np.uint8)
        shape = (len(incidence.ids), incidence.context_count)
        self._matrix = sparse.csr_array((ones, number[incidence.contexts], incidence.starts), shape=shape)
        self._matrix.sort_indices()
        self._sizes = incidence.sizes
        nodes = np.repeat(np.arange(len(incidence.ids)), self._sizes)
        _, self.own = self._add(nodes, self._matrix.indices, len(incidence.ids))

    @property
    def limits(self) -> bool:
        """Return whether some shared contexts may not count at all."""
        return self._most < ALL

    def of(self, node: Counts, other: Counts) -> tuple[Counts, Evidence]:
        """Return how many contexts count that each pair shares, and the sum of their values."""
        if not len(node):
            return np.empty(0, np.int64), np.empty(0)
        work = int(self._sizes[node].sum() + self._sizes[other].sum())
        if work >= MIN_COMPILED_WORK and importlib.util.find_spec("numba") is not None:
            # Lazy import: numba takes longer to import than a small harvest takes to weigh.
            from sgr_spiders.relationships.weighing_kernel import Lists, weigh_pairs  # noqa: PLC0415

            lists = Lists(self._matrix.indptr.astype(np.int64), self._matrix.indices)
            return weigh_pairs(node, other, lists, self._groups, self._values, self._most)
        parts = [self._of_some(node[some], other[some]) for some in self._divide(node, other)]
        counts, evidence = zip(*parts, strict=True)
        return np.concatenate(counts), np.concatenate(evidence)

    def _divide(self, node: Counts, other: Counts) -> Iterator[slice]:
        work = np.cumsum(self._sizes[node] + self._sizes[other]) // ENTRIES
        edges = [0, *(np.flatnonzero(np.diff(work)) + 1).tolist(), len(node)]
        return map(slice, edges[:-1], edges[1:])

    def _of_some(self, node: Counts, other: Counts) -> tuple[Counts, Evidence]:
        shared = self._matrix[node].multiply(self._matrix[other]).tocsr()
        shared.sort_indices()
        pairs = np.repeat(np.arange(len(node)), np.diff(shared.indptr))
        return self._add(pairs, shared.indices, len(node))

    def _add(self, rows: Counts, contexts: NDArray[np.int32], count: int) -> tuple[Counts, Evidence]:
        """Return the number and the sum of the contexts of each row that count; the contexts ascend."""
        groups = self._groups[contexts]
        is_new = np.ones(len(rows), bool)
        is_new[1:] = (rows[1:] != rows[:-1]) | (groups[1:] != groups[:-1])
        begins = np.flatnonzero(is_new)
        rank = np.arange(len(rows)) - np.repeat(begins, np.diff([*begins.tolist(), len(rows)]))
        taken = rank < self._most
        kept = rows[taken]
        evidence = np.bincount(kept, self._values[contexts[taken]], count).astype(np.float64)
        return np.bincount(kept, minlength=count), evidence
