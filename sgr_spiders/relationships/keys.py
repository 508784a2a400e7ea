"""A pair of nodes and its count as one number of 64 bits: to sort such numbers is to sort the pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.model.exceptions import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]
    Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class KeyLayout:
    """How many bits a node's number takes, and how many a count."""

    node_bits: int
    count_bits: int

    @classmethod
    def of(cls, nodes: int, largest_count: int) -> KeyLayout:
        """Choose a layout. Raises ``ConfigError`` if 64 bits are too few, as far as no machine gets."""
        layout = cls(max(1, (nodes - 1).bit_length()), max(1, largest_count.bit_length()))
        if 2 * layout.node_bits + layout.count_bits > 64:
            raise ConfigError(
                f"relationships: {nodes} nodes with up to {largest_count} contexts each are too many; "
                "narrow it down with `scope` or `user_sample`"
            )
        return layout

    @property
    def shifts(self) -> tuple[int, int]:
        """How far the smaller node's number is shifted, and how far the larger's."""
        return self.node_bits + self.count_bits, self.count_bits

    def pack(self, one: Numbers, other: Numbers, counts: Numbers) -> Keys:
        first, second = self.shifts
        keys: Keys = np.minimum(one, other).astype(np.uint64) << np.uint64(first)
        keys |= np.maximum(one, other).astype(np.uint64) << np.uint64(second)
        keys |= counts.astype(np.uint64)
        return keys

    def unpack(self, keys: Keys) -> tuple[Numbers, Numbers, Numbers]:
        """Give smaller node, larger node and count."""
        node, count = np.uint64(2**self.node_bits - 1), np.uint64(2**self.count_bits - 1)
        first, second = (np.uint64(shift) for shift in self.shifts)
        return (
            (keys >> first).astype(np.int64),
            (keys >> second & node).astype(np.int64),
            (keys & count).astype(np.int64),
        )

    def mirror(self, keys: Keys) -> Keys:
        """Give keys that sort by the larger node first. They hold no counts."""
        first, second = (np.uint64(shift) for shift in self.shifts)
        node, bits = np.uint64(2**self.node_bits - 1), np.uint64(self.node_bits)
        return (keys >> second & node) << bits | keys >> first

    def unpack_mirrored(self, mirrored: Keys) -> tuple[Numbers, Numbers]:
        """Give larger node and smaller node."""
        node, bits = np.uint64(2**self.node_bits - 1), np.uint64(self.node_bits)
        return (mirrored >> bits).astype(np.int64), (mirrored & node).astype(np.int64)
