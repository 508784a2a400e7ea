"""The interface of the compiled and the sparse search for pairs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from sgr_spiders.relationships.arrangement import Arrangement
    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.keys import Keys


class Search(ABC):
    """A search for pairs in an arrangement. Threads may search different rows at the same time.

    Only rows from *others_from* on are the later row of a pair.
    """

    def __init__(self, arrangement: Arrangement, others_from: int = 0) -> None:
        self.arrangement = arrangement
        self.others_from = others_from

    @abstractmethod
    def work(self) -> NDArray[np.int64]:
        """Return the estimated work for each row."""

    @abstractmethod
    def batches(self, first: int, last: int) -> Iterator[tuple[int, Keys]]:
        """Yield the pairs of the next rows with later rows, in any order, and the row after these rows.

        Together, the batches have the pairs of rows *first* to *last* (exclusive).
        """

    @abstractmethod
    def tally(self, first: int, last: int) -> Iterator[tuple[int, Keys, Counts]]:
        """Yield the cells of the next rows with later rows, the number of pairs in each, and the next row.

        The numbers of a cell that is yielded several times are to be added.
        """

    def keys(self, first: int, last: int) -> Iterator[Keys]:
        """Yield the pairs of rows *first* to *last* (exclusive) with later rows, in any order."""
        for _, keys in self.batches(first, last):
            yield keys
