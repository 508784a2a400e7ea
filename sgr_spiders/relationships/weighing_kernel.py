"""The inner loop of weighing, compiled by numba. It adds values in the same order as numpy does without."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sgr_spiders.relationships.kernel_cache import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Lists(NamedTuple):
    """The contexts of each node: node ``i`` has ``contexts[starts[i]:starts[i + 1]]``, ascending."""

    starts: NDArray[np.int64]
    contexts: NDArray[np.int32]


@kernel
def weigh_pairs(
    nodes: NDArray[np.int64],
    others: NDArray[np.int64],
    lists: Lists,
    groups: NDArray[np.int32],
    values: NDArray[np.float64],
    most: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the number of shared contexts that count for each pair, and the sum of their values.

    The contexts of a group follow each other, and at most *most* of them count.
    """
    starts, contexts = lists.starts, lists.contexts
    counts = np.zeros(nodes.size, np.int64)
    sums = np.zeros(nodes.size, np.float64)
    for pair in range(nodes.size):
        i, end_i = starts[nodes[pair]], starts[nodes[pair] + 1]
        j, end_j = starts[others[pair]], starts[others[pair] + 1]
        group, used = -1, 0
        while i < end_i and j < end_j:
            if contexts[i] < contexts[j]:
                i += 1
            elif contexts[j] < contexts[i]:
                j += 1
            else:
                shared = contexts[i]
                used = used + 1 if groups[shared] == group else 1
                group = groups[shared]
                if used <= most:
                    counts[pair] += 1
                    sums[pair] += values[shared]
                i += 1
                j += 1
    return counts, sums
