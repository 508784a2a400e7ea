"""What a relationship type is: which nodes, what they share, when a pair counts, and how near it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import RelationshipSection
    from sgr_spiders.relationships.inputs import Incidence, Lake
    from sgr_spiders.storage.pairs.tables import PairTable

    Counts = NDArray[np.int64]


class RelationshipType(ABC):
    """Nodes are related when they stand together in enough contexts.

    A type says what is special about it; finding the pairs, all of them and exactly, is not.
    """

    name: ClassVar[str]
    table: ClassVar[PairTable]

    def __init__(self, config: RelationshipSection) -> None:
        self.top_k = config.top_k

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Give what shapes the result, as plain data. It is recorded, and a change builds the table anew."""

    @abstractmethod
    def incidence(self, lake: Lake) -> Incidence:
        """Give the nodes, and the contexts each stands in."""

    @abstractmethod
    def fewest(self, size_a: Counts, size_b: Counts) -> Counts:
        """Tell in how many contexts two nodes must stand together to be kept, given in how many each stands.

        At least 1; never less for larger sizes. Whole numbers only, so that a threshold is met exactly.
        """

    @abstractmethod
    def measures(self, common: Counts, size_a: Counts, size_b: Counts) -> Sequence[NDArray[Any]]:
        """Compute the table's measures, in its order, from the contexts in common and those of each node."""

    def score(self, common: Counts, size_a: Counts, size_b: Counts) -> NDArray[np.float64]:
        """Compute the measure by which the nearest are found."""
        names = [measure.name for measure in self.table.measures]
        columns = self.measures(common, size_a, size_b)
        score: NDArray[np.float64] = columns[names.index(self.table.score)].astype(float)
        return score
