"""The found pairs as table rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.storage.pairs.tables import LEVEL, SIGNIFICANCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.inputs import Incidence
    from sgr_spiders.relationships.keys import KeyLayout, Keys
    from sgr_spiders.relationships.measuring import Measuring
    from sgr_spiders.relationships.significance.assessment import Significance
    from sgr_spiders.relationships.spool import Spool


class FoundPairs:
    """Sorted pairs with node IDs and measures. They can be read once."""

    def __init__(
        self,
        measuring: Measuring,
        incidence: Incidence,
        layout: KeyLayout,
        found: Iterator[Keys],
        mirrored: Spool | None,
        significance: Significance | None = None,
    ) -> None:
        """Prepare the rows; *mirrored* is an empty spool that ``rows`` fills, or ``None``."""
        self._measuring = measuring
        self._ids = incidence.ids
        self._cut = incidence.is_cut
        self._layout = layout
        self._found = found
        self._mirrored = mirrored
        self.largest_id = int(self._ids.max(initial=0))
        self.largest_count = int(incidence.sizes.max(initial=0))
        self.has_significance = significance is not None
        self._significance = significance
        self.significant = None if significance is None else 0
        """The number of significant pairs among the rows so far."""

    def rows(self) -> Iterator[tuple[NDArray[Any] | None, ...]]:
        """Yield all columns, sorted by the two IDs; ``None``: a column of nulls."""
        for keys in self._found:
            if self._mirrored is not None:
                self._mirrored.add(self._layout.mirror(keys))
            node_a, node_b, common = self._layout.unpack(keys)
            measures = self._measuring.measures(node_a, node_b, common)
            cut = self._cut[node_a] | self._cut[node_b]
            tested = self._test(node_a, node_b, common)
            yield self._ids[node_a], self._ids[node_b], *measures, *tested, cut

    def _test(self, node_a: Counts, node_b: Counts, common: Counts) -> Sequence[NDArray[Any] | None]:
        if self._significance is None or self.significant is None:
            return [None] * len(SIGNIFICANCE)
        columns = self._significance.columns(node_a, node_b, common)
        self.significant += int((columns[-1] <= LEVEL).sum())
        return columns

    def mirrored(self) -> Iterator[tuple[NDArray[Any], ...]]:
        """Yield the two IDs, the larger first, sorted by both."""
        assert self._mirrored is not None
        for keys in self._mirrored.sorted():
            node_b, node_a = self._layout.unpack_mirrored(keys)
            yield self._ids[node_b], self._ids[node_a]
