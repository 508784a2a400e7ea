"""Finding all pairs: what the compiled and the plain way have in common."""

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
    """Finds the pairs of an arrangement's rows. Threads may search different rows at once."""

    def __init__(self, arrangement: Arrangement) -> None:
        self.arrangement = arrangement

    @abstractmethod
    def work(self) -> NDArray[np.int64]:
        """Estimate for each row how much there is to do."""

    @abstractmethod
    def keys(self, first: int, last: int) -> Iterator[Keys]:
        """Give the pairs of rows *first* to *last* (not included) with later rows, in any order."""
