"""The expected size of a table, estimated before it is built, and the size that it may have."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage.pairs.writing import COPIES, row_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sgr_spiders.config.harvest import Relationships
    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.relationships.engine import PairFinder
    from sgr_spiders.relationships.inputs import Incidence

logger = logging.getLogger(__name__)

SAMPLE = 400
"""Rows to search for the estimate."""
SMALL = 1_000_000
"""Pairs that need no forecast: they take a few megabytes and a second."""
MANY = 5_000_000
"""Pairs from which ``top_k`` is suggested."""
ROOM_SHARE = 0.9
"""Share of the free space that a build may use."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The most pairs that a table may have, and the size of the largest row in bytes.

    ``free`` is the free space in bytes if that is the cause.
    """

    pairs: int
    pair_bytes: int
    free: int | None = None

    def describe(self) -> str:
        """Return the cause of the limit."""
        if self.free is not None:
            return f"the free space ({_format_size(self.free)})"
        return f"relationships.max_pairs ({self.pairs:,})"


@dataclass(frozen=True, slots=True)
class Forecast:
    """The expected number of pairs.

    ``neighbours`` is the expected number of pairs of a node in each of the equal groups that the nodes are
    sampled by, or empty for a small table.
    """

    pairs: int
    nodes: int
    neighbours: NDArray[np.float64]

    def pairs_with(self, top_k: int) -> int:
        """Return the number of pairs that ``top_k`` keeps at most."""
        # Each of them is among the nearest of at least one of its nodes.
        kept = np.minimum(self.neighbours, top_k).mean() if len(self.neighbours) else top_k
        return min(self.pairs, int(kept * self.nodes))

    def top_k_for(self, pairs: int) -> int:
        """Return the largest ``top_k`` that is expected to keep at most so many pairs, but at least 1."""
        low, high = 1, max(1, self.nodes)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.pairs_with(middle) <= pairs else (low, middle - 1)
        return low


def forecast(finder: PairFinder, enough: int) -> Forecast:
    """Estimate the number of pairs from evenly spaced rows.

    The result is an upper bound if that is small and at most *enough*.
    """
    rows, nodes = finder.arrangement.rows, finder.arrangement.nodes
    bound = min(finder.arrangement.total_work(), rows * (rows - 1) // 2)
    if bound <= min(SMALL, enough):
        return Forecast(bound, rows, np.empty(0))
    sample = np.unique(np.linspace(0, rows - 1, SAMPLE).astype(int))
    row_of = np.zeros(int(nodes.max()) + 1, np.int64)
    row_of[nodes] = np.arange(rows)
    neighbours = np.zeros(len(sample))
    for keys in finder.sample(sample):
        node_a, node_b, _ = finder.arrangement.layout.unpack(keys)
        row_a, row_b = row_of[node_a], row_of[node_b]
        # Each pair is found once, at its earlier row, but it is a neighbour of both.
        earlier = np.searchsorted(sample, np.minimum(row_a, row_b))
        later = np.maximum(row_a, row_b) * len(sample) // rows
        neighbours += np.bincount(earlier, minlength=len(sample))
        neighbours += np.bincount(later, minlength=len(sample))
    found = int(neighbours.sum()) // 2
    return Forecast(min(bound, found * rows // len(sample)), rows, neighbours)


def find_limit(
    relationship: RelationshipType, incidence: Incidence, config: Relationships, directory: Path
) -> Limit:
    """Return the limit that ``max_pairs`` or the free space sets."""
    free = shutil.disk_usage(directory).free
    pair_bytes = _pair_bytes(relationship, incidence, with_significance=config.significance != "none")
    room = int(free * ROOM_SHARE) // (COPIES * pair_bytes)
    if room < config.max_pairs:
        return Limit(room, pair_bytes, free)
    return Limit(config.max_pairs, pair_bytes)


def announce(
    relationship: RelationshipType, incidence: Incidence, pairs: int, limit: Limit, directory: Path
) -> None:
    """Log the expected size of a table of *pairs* rows.

    Raises:
        StorageError: there is no room for a table with one pair per node.
    """
    name, pair_bytes = relationship.table.name, limit.pair_bytes
    least = min(pairs, len(incidence.ids))
    if limit.free is not None and limit.pairs < least:
        needed = _format_size(least * pair_bytes * COPIES)
        raise StorageError(
            f"directory {directory.parent}: {name} needs about {needed} of free space for one pair per node, "
            f"{_format_size(limit.free)} available"
        )
    if pairs > SMALL:
        logger.info("%s: about %s pairs expected, %s", name, f"{pairs:,}", _format_size(pairs * pair_bytes))
    if limit.pairs >= pairs > MANY and relationship.top_k is None:
        logger.warning(
            "%s: relationships.%s.top_k: 100 would keep at most %s pairs, the nearest of each",
            name,
            relationship.name,
            f"{min(pairs, 100 * len(incidence.ids)):,}",
        )


def _pair_bytes(relationship: RelationshipType, incidence: Incidence, *, with_significance: bool) -> int:
    """Return the size of the largest row that the table may have."""
    ids, sizes = int(incidence.ids.max(initial=0)), int(incidence.sizes.max(initial=0))
    return row_bytes(relationship.table, ids, sizes, with_significance=with_significance)


def _format_size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
