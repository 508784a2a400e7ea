"""The interface of a relationship type: its nodes, their contexts, the minimum and the measures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import RelationshipSection
    from sgr_spiders.relationships.inputs import Incidence, RelationshipInput
    from sgr_spiders.relationships.weighing import PairWeights
    from sgr_spiders.storage.pairs.reading import InputName
    from sgr_spiders.storage.pairs.tables import PairTable

    Counts = NDArray[np.int64]
    Weights = NDArray[Any]
    """Counts, or sums of the values of contexts."""


class RelationshipType(ABC):
    """A kind of relationship: two nodes are related if they share enough contexts.

    A subclass defines the nodes and measures; the engine finds all pairs exactly.
    """

    name: ClassVar[str]
    reads: tuple[InputName, ...] = ("likes", "playlists", "uploads")
    """The input that ``incidence`` uses: a change in it rebuilds the table."""
    table: ClassVar[PairTable]

    def __init__(self, config: RelationshipSection) -> None:
        self.top_k = config.top_k

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Return the parameters that affect the result, as plain data. A change rebuilds the table."""

    @abstractmethod
    def incidence(self, inputs: RelationshipInput) -> Incidence:
        """Return the nodes and the contexts of each."""

    def weigh(self, incidence: Incidence) -> PairWeights | None:
        """Return the values of the contexts, if they do not all count once, as they do by default."""
        del incidence
        return None

    @abstractmethod
    def fewest(self, size_a: Counts, size_b: Counts) -> Counts:
        """Return the minimum number of common contexts for a pair, given the number of contexts of each node.

        The minimum is at least 1 and never decreases for larger sizes. Compute with integers only, so that a
        threshold is exact.
        """

    @abstractmethod
    def measures(self, common: Counts, size_a: Counts, size_b: Counts) -> Sequence[NDArray[Any]]:
        """Compute the measures, in table order, from the common contexts and those of each node."""

    def score(self, common: Weights, size_a: Weights, size_b: Weights) -> NDArray[np.float64]:
        """Compute the measure that ranks neighbours, from numbers of contexts or from their values."""
        names = [measure.name for measure in self.table.measures]
        columns = self.measures(common, size_a, size_b)
        score: NDArray[np.float64] = columns[names.index(self.table.score)].astype(float)
        return score
