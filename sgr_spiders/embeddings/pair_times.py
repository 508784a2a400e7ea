"""When the pairs of a matrix were first liked or reposted, as intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.storage import interactions_read
from sgr_spiders.storage.lookup import is_among
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sgr_spiders.embeddings.interactions import Interactions
    from sgr_spiders.storage.libraries import Rows
    from sgr_spiders.storage.store import Connection

    Ids = NDArray[np.int64]
    Times = NDArray[np.datetime64]

DATED = interactions_read.DATED
"""The sources whose times are known."""


@dataclass(frozen=True, slots=True)
class PairTimes:
    """The interval of each entry of the matrix of interactions, in its order; NaT if unknown.

    A pair that was liked and reposted has the interval of the first of both. ``keys`` are the places of the
    entries in the matrix, row by row; they ascend.
    """

    width: int
    keys: Ids
    not_before: Times
    not_after: Times

    def __repr__(self) -> str:
        return f"PairTimes({pluralize(len(self.keys), 'pair')})"

    def at(self, rows: Ids, columns: Ids) -> tuple[Times, Times]:
        """Return both ends of the intervals of these entries."""
        places = np.searchsorted(self.keys, rows.astype(np.int64) * self.width + columns)
        return self.not_before[places], self.not_after[places]


def read_pair_times(
    connection: Connection, interactions: Interactions, sources: Iterable[str], rows: Rows = "present"
) -> PairTimes:
    """Return the intervals of all pairs, from those of *sources* whose times are known."""
    matrix = interactions.matrix
    width = max(1, len(interactions.tracks))
    row = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    keys = row * width + matrix.indices
    ends = [np.full(len(keys), np.datetime64("NaT"), "datetime64[us]") for _ in range(2)]
    is_known = np.zeros(len(keys), bool)
    for kind in (kind for kind in DATED if kind in set(sources)):
        times = interactions_read.read_times(connection, [kind], rows)
        user, track = interactions.user_indices(times.users), interactions.track_indices(times.tracks)
        is_inside = (user >= 0) & (track >= 0)
        pair = user * width + track
        # A like that the matrix leaves out may have a user and a track that are in it.
        is_inside &= is_among(pair, keys)
        found = pair[is_inside]
        places = np.searchsorted(keys, found)
        for end, given in zip(ends, (times.not_before, times.not_after), strict=True):
            new = given[is_inside]
            # An unknown start of either makes that of the first unknown: np.minimum returns NaT then.
            end[places] = np.where(is_known[places], np.minimum(end[places], new), new)
        is_known[places] = True
    return PairTimes(width, keys, *ends)
