"""A random walk over playlists in which the order of the tracks counts, to continue a playlist.

From a track to a playlist with it, and on to another track of that playlist, as in P3alpha (``walk``), except
that near tracks are likelier, those that follow most. A step to a track n places later has the weight
``1 + 4 / n``, n places earlier ``1 + 2 / n``. The weight 1 / n is that of the sequential rules (SR) of
Ludewig and Jannach, Evaluation of Session-based Recommendation Algorithms (UMUAI 2018),
https://arxiv.org/abs/1803.09587. As in their V-SKNN, the last tracks of the playlist to continue count most:
half as much for every ten tracks that come after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.walk import NEIGHBOURS, keep_largest

if TYPE_CHECKING:
    from sgr_spiders.embeddings.base import Array, Numbers

FOLLOWS, PRECEDES = 4.0, 2.0
"""The weights of the next and the previous track, beside the 1 of any track of the playlist."""
HALF_LIFE = 10
"""The tracks after which a track of the continued playlist counts half."""


class SequenceWalk:
    """Walks from tracks over the playlists with them to other tracks of these."""

    def __init__(self, sizes: Numbers, tracks: Numbers, width: int, neighbours: int = NEIGHBOURS) -> None:
        """Prepare the walks.

        Args:
            sizes: the number of tracks of each playlist.
            tracks: the tracks in order, one playlist after another, as columns of the result.
            width: the number of columns.
            neighbours: the likeliest tracks to keep per start.
        """
        self._tracks = tracks
        self._width = width
        self._neighbours = neighbours
        self._list_of = np.repeat(np.arange(len(sizes)), sizes)
        self._starts = np.cumsum(sizes) - sizes
        self._sizes = sizes
        self._by_track = np.argsort(tracks, kind="stable")
        self._ends = np.searchsorted(tracks[self._by_track], np.arange(width + 1))

    def reach(self, starts: Numbers) -> sp.csr_array:
        """Return the probability to reach each track from each of *starts*, which are excluded themselves."""
        rows = [self._reach(start) for start in starts.tolist()]
        return sp.csr_array(sp.vstack(rows, format="csr")) if rows else sp.csr_array((0, self._width))

    def _reach(self, start: int) -> sp.csr_array:
        places = self._by_track[self._ends[start] : self._ends[start + 1]]
        lists = self._list_of[places]
        sizes = self._sizes[lists]
        row = np.repeat(np.arange(len(places)), sizes)
        others = np.arange(len(row)) - (np.cumsum(sizes) - sizes)[row] + self._starts[lists][row]
        weights = _weigh(others - places[row])
        steps = weights / (np.bincount(row, weights, minlength=len(places)) * max(1, len(places)))[row]
        steps[others == places[row]] = 0
        shape = (1, self._width)
        reached = sp.csr_array((steps.astype(np.float32), (np.zeros_like(row), self._tracks[others])), shape)
        reached.sum_duplicates()
        return keep_largest(reached, self._neighbours)


def _weigh(steps: Numbers) -> Array:
    """Return the weights of tracks so many places later, or earlier if negative."""
    nearness = 1 / np.maximum(np.abs(steps), 1)
    return np.asarray(1 + np.where(steps > 0, FOLLOWS, PRECEDES) * nearness, np.float32)


def recency(places: Numbers) -> Array:
    """Return the weights of the tracks of a playlist at *places*, of which the last has 1."""
    last = places.max(initial=0)
    return np.asarray(np.exp2((places - last) / HALF_LIFE), np.float32)
