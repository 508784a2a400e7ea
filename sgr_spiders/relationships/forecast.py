"""The expected size of a table, estimated before it is built."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage.pairs.writing import COPIES, row_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.relationships.inputs import Incidence
    from sgr_spiders.relationships.search import Search

logger = logging.getLogger(__name__)

SAMPLE = 400
"""Rows to search for the estimate."""
SMALL = 1_000_000
"""Pairs that need no forecast: they take a few megabytes and a second."""
MANY = 5_000_000
"""Pairs from which ``top_k`` is suggested."""


def expected_pairs(search: Search) -> int:
    """Estimate the number of pairs from evenly spaced rows; return the upper bound if it is small."""
    rows = search.arrangement.rows
    bound = min(search.arrangement.total_work(), rows * (rows - 1) // 2)
    if bound <= SMALL:
        return bound
    sample = np.unique(np.linspace(0, rows - 1, SAMPLE).astype(int)).tolist()
    found = sum(len(keys) for row in sample for keys in search.keys(row, row + 1))
    return min(bound, found * rows // len(sample))


def check_space(relationship: RelationshipType, incidence: Incidence, pairs: int, directory: Path) -> None:
    """Log the expected size of a table of *pairs* rows.

    Raises:
        StorageError: the disk is too full for it.
    """
    name, top_k = relationship.table.name, relationship.top_k
    if top_k is not None:
        pairs = min(pairs, top_k * len(incidence.ids))
    largest = int(incidence.ids.max(initial=0)), int(incidence.sizes.max(initial=0))
    size = pairs * row_bytes(relationship.table, *largest)
    free = shutil.disk_usage(directory).free
    if pairs > SMALL:
        logger.info("%s: about %s pairs expected, %s", name, f"{pairs:,}", _format_size(size))
    if pairs > MANY and top_k is None:
        logger.warning(
            "%s: relationships.%s.top_k: 100 would keep at most %s pairs, the nearest of each",
            name,
            relationship.name,
            f"{min(pairs, 100 * len(incidence.ids)):,}",
        )
    if size * COPIES > free:
        raise StorageError(
            f"directory {directory.parent}: {name} needs about {_format_size(size * COPIES)} of free space, "
            f"{_format_size(free)} available; make room, or set `relationships.{relationship.name}.top_k`"
        )


def _format_size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
