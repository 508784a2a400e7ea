"""Keys: a pair of nodes and its count packed into 64 bits. Sorting keys sorts the pairs."""

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
    """The number of bits for a node number and for a count."""

    node_bits: int
    count_bits: int

    @classmethod
    def of(cls, nodes: int, largest_count: int) -> KeyLayout:
        """Choose a layout.

        Raises:
            ConfigError: the nodes and counts do not fit into 64 bits.
        """
        layout = cls(max(1, (nodes - 1).bit_length()), max(1, largest_count.bit_length()))
        if 2 * layout.node_bits + layout.count_bits > 64:
            raise ConfigError(
                f"relationships: too many nodes ({nodes:,}, with up to {largest_count:,} contexts each); "
                "reduce them with `scope` or `user_sample`"
            )
        return layout

    @property
    def shifts(self) -> tuple[int, int]:
        """The shifts of the smaller and of the larger node number."""
        return self.node_bits + self.count_bits, self.count_bits

    def pack(self, node: Numbers, other: Numbers, counts: Numbers) -> Keys:
        return self.pack_neighbours(np.minimum(node, other), np.maximum(node, other), counts)

    def pack_neighbours(self, node: Numbers, other: Numbers, counts: Numbers) -> Keys:
        """Return keys that sort by *node*, whether or not it is the smaller one."""
        first, second = self.shifts
        keys: Keys = node.astype(np.uint64) << np.uint64(first)
        keys |= other.astype(np.uint64) << np.uint64(second)
        keys |= counts.astype(np.uint64)
        return keys

    def unpack(self, keys: Keys) -> tuple[Numbers, Numbers, Numbers]:
        """Return the smaller node, the larger node and the count; of neighbours, node, other and count."""
        node, count = np.uint64(2**self.node_bits - 1), np.uint64(2**self.count_bits - 1)
        first, second = (np.uint64(shift) for shift in self.shifts)
        return (
            (keys >> first).astype(np.int64),
            (keys >> second & node).astype(np.int64),
            (keys & count).astype(np.int64),
        )

    def mirror(self, keys: Keys) -> Keys:
        """Return keys without counts that sort by the larger node first."""
        first, second = (np.uint64(shift) for shift in self.shifts)
        node, bits = np.uint64(2**self.node_bits - 1), np.uint64(self.node_bits)
        return (keys >> second & node) << bits | keys >> first

    def unpack_mirrored(self, mirrored: Keys) -> tuple[Numbers, Numbers]:
        """Return the larger and the smaller node."""
        node, bits = np.uint64(2**self.node_bits - 1), np.uint64(self.node_bits)
        return (mirrored >> bits).astype(np.int64), (mirrored & node).astype(np.int64)
