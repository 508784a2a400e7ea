"""The measures of the pairs of one incidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sgr_spiders.relationships.engine import FilteredFinder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import Counts, RelationshipType
    from sgr_spiders.relationships.engine import PairFinder
    from sgr_spiders.relationships.inputs import Incidence
    from sgr_spiders.relationships.keys import Keys


class Measuring:
    """Measures pairs of nodes by the contexts they share, or by their weights if the type has any.

    With weights, the score is computed by the same formula from the values of the shared contexts and of the
    contexts of each node, instead of their numbers; the other measures are unchanged.
    """

    def __init__(self, relationship: RelationshipType, incidence: Incidence) -> None:
        self._relationship = relationship
        self._sizes = incidence.sizes
        self._weights = relationship.weigh(incidence)

    def measures(self, node_a: Counts, node_b: Counts, common: Counts) -> list[NDArray[Any]]:
        """Return the measures, in table order."""
        table = self._relationship.table
        columns = self._relationship.measures(common, self._sizes[node_a], self._sizes[node_b])
        if self._weights is None:
            return list(columns)
        return [
            self.score(node_a, node_b, common) if measure.name == table.score else column
            for measure, column in zip(table.measures, columns, strict=True)
        ]

    def score(self, node_a: Counts, node_b: Counts, common: Counts) -> NDArray[np.float64]:
        """Return the measure that ranks neighbours."""
        if self._weights is None:
            return self._relationship.score(common, self._sizes[node_a], self._sizes[node_b])
        _, shared = self._weights.of(node_a, node_b)
        own = self._weights.own
        return self._relationship.score(shared, own[node_a], own[node_b])

    def are_enough(self, node_a: Counts, node_b: Counts) -> NDArray[np.bool_] | None:
        """Return which pairs have enough contexts that count; ``None``: all do, as all contexts count."""
        if self._weights is None or not self._weights.limits:
            return None
        counted, _ = self._weights.of(node_a, node_b)
        return counted >= self._relationship.fewest(self._sizes[node_a], self._sizes[node_b])

    def filter(self, finder: PairFinder) -> PairFinder:
        """Return a finder of those pairs with enough contexts that count."""

        def choose(keys: Keys) -> Keys:
            node_a, node_b, _ = finder.arrangement.layout.unpack(keys)
            enough = self.are_enough(node_a, node_b)
            return keys if enough is None else keys[enough]

        return FilteredFinder(finder, choose)
