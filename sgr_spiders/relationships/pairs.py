"""Found pairs as the rows of their table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.relationships.inputs import Incidence
    from sgr_spiders.relationships.keys import KeyLayout, Keys
    from sgr_spiders.relationships.spool import Spool


class FoundPairs:
    """Sorted pairs, with what the nodes are and what the type measures. For one reading."""

    def __init__(
        self,
        relationship: RelationshipType,
        incidence: Incidence,
        layout: KeyLayout,
        found: Iterator[Keys],
        mirrored: Spool,
    ) -> None:
        """*mirrored* is empty, and is filled while the pairs are read in their first order."""
        self._relationship = relationship
        self._ids = incidence.ids
        self._sizes = incidence.sizes
        self._layout = layout
        self._found = found
        self._mirrored = mirrored
        self.largest_id = int(self._ids.max(initial=0))
        self.largest_count = int(self._sizes.max(initial=0))

    def rows(self) -> Iterator[tuple[NDArray[Any], ...]]:
        """Give all columns, sorted by the two ids."""
        for keys in self._found:
            self._mirrored.add(self._layout.mirror(keys))
            one, other, common = self._layout.unpack(keys)
            measures = self._relationship.measures(common, self._sizes[one], self._sizes[other])
            yield self._ids[one], self._ids[other], *measures

    def mirrored(self) -> Iterator[tuple[NDArray[Any], ...]]:
        """Give the two ids, the larger first, sorted by both."""
        for keys in self._mirrored.sorted():
            other, one = self._layout.unpack_mirrored(keys)
            yield self._ids[other], self._ids[one]
