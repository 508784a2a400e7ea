"""The order of the pairs of a matrix in the lists of their users, which are newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.storage import list_positions
from sgr_spiders.storage.lookup import look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    import scipy.sparse as sp
    from numpy.typing import NDArray

    from sgr_spiders.embeddings.interactions import Interactions
    from sgr_spiders.storage.store import Connection

    Ids = NDArray[np.int64]

UNLISTED = -1
"""The position of what is in no list."""


@dataclass(frozen=True, slots=True)
class Positions:
    """The position of each pair in its user's list, 0 for the newest, or ``UNLISTED``.

    ``keys``: the places of the pairs in the matrix, row by row, in ascending order; ``width``: its columns.
    """

    width: int
    keys: Ids
    positions: Ids

    def of(self, matrix: sp.csr_array) -> Ids:
        """Return the position of each entry of a matrix of the same shape."""
        row = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
        return look_up(self.keys, self.positions, row * self.width + matrix.indices)


def read_positions(connection: Connection, interactions: Interactions, sources: Sequence[str]) -> Positions:
    """Return the positions in the lists of users; none with several *sources*, whose lists differ."""
    width = max(1, len(interactions.tracks))
    if len(sources) > 1:
        return Positions(width, np.empty(0, np.int64), np.empty(0, np.int64))
    read = list_positions.read_list_positions(connection, sources[0])
    row, column = interactions.user_indices(read.users), interactions.track_indices(read.tracks)
    is_inside = (row >= 0) & (column >= 0)
    keys = (row * width + column)[is_inside]
    order = np.argsort(keys)
    return Positions(width, keys[order], read.positions[is_inside][order])
