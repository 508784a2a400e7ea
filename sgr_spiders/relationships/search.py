"""The interface of the compiled and the sparse search for pairs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from sgr_spiders.relationships.arrangement import Arrangement
    from sgr_spiders.relationships.keys import Keys


class Search(ABC):
    """A search for pairs in an arrangement. Threads may search different rows at the same time."""

    def __init__(self, arrangement: Arrangement) -> None:
        self.arrangement = arrangement

    @abstractmethod
    def work(self) -> NDArray[np.int64]:
        """Return the estimated work for each row."""

    @abstractmethod
    def keys(self, first: int, last: int) -> Iterator[Keys]:
        """Yield the pairs of rows *first* to *last* (exclusive) with later rows, in any order."""
