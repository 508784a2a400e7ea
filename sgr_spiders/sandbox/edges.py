"""Timed links (likes, reposts, follows), readable from both ends, newest first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sgr_spiders.sandbox.seeding import Bools, Indices, Ints, starts_of


@dataclass(frozen=True)
class TimedList:
    """The links of one owner or item: indices at the other end, newest first, with times in ms.

    Times are unique within a kind of link, so a time is a position.
    """

    indices: Indices
    times_ms: Ints

    def position_after(self, time_ms: int) -> int:
        """Return the number of links at ``time_ms`` or newer."""
        return int(np.searchsorted(-self.times_ms, -time_ms, side="right"))


@dataclass(frozen=True)
class Edges:
    """Links from owners to items as two compact row-pointer tables."""

    owner_starts: Ints
    items: Indices
    owner_times: Ints
    item_starts: Ints
    owners: Indices
    item_times: Ints

    @classmethod
    def build(cls, owners: Indices, items: Indices, times_ms: Ints, size: tuple[int, int]) -> Edges:
        """Build both tables; ``size`` is (number of owners, number of items), times must be unique."""
        newest = np.argsort(-times_ms, kind="stable")
        by_owner = newest[np.argsort(owners[newest], kind="stable")]
        by_item = newest[np.argsort(items[newest], kind="stable")]
        return cls(
            owner_starts=starts_of(owners[by_owner], size[0]),
            items=items[by_owner].astype(np.int32),
            owner_times=times_ms[by_owner],
            item_starts=starts_of(items[by_item], size[1]),
            owners=owners[by_item].astype(np.int32),
            item_times=times_ms[by_item],
        )

    def __len__(self) -> int:
        return len(self.items)

    def of_owner(self, owner: int) -> TimedList:
        part = slice(self.owner_starts[owner], self.owner_starts[owner + 1])
        return TimedList(self.items[part], self.owner_times[part])

    def of_item(self, item: int) -> TimedList:
        part = slice(self.item_starts[item], self.item_starts[item + 1])
        return TimedList(self.owners[part], self.item_times[part])

    def owner_degree(self, owner: int) -> int:
        return int(self.owner_starts[owner + 1] - self.owner_starts[owner])

    def item_degree(self, item: int) -> int:
        return int(self.item_starts[item + 1] - self.item_starts[item])

    def owner_of_each(self) -> Indices:
        """Return the owner of each link, in the order of ``items``."""
        counts = np.diff(self.owner_starts)
        return np.repeat(np.arange(len(counts), dtype=np.int32), counts)

    def keep(self, mask: Bools) -> Edges:
        """Return the links for which ``mask`` (in the order of ``items``) is true."""
        size = (len(self.owner_starts) - 1, len(self.item_starts) - 1)
        return Edges.build(self.owner_of_each()[mask], self.items[mask], self.owner_times[mask], size)
