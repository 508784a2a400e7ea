"""The quality of lists of neighbours: hubs, stability, and the seed in the first place.

The functions take a matrix of users x tracks, and need no truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.evaluation import metrics
from sgr_spiders.embeddings.npmi import Npmi
from sgr_spiders.embeddings.ranking import round_scores, shuffled
from sgr_spiders.embeddings.walk import RandomWalk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from numpy.typing import NDArray

    from sgr_spiders.embeddings.base import Numbers

    Search = Callable[[sp.csr_array, Numbers], Numbers]

LENGTH = 10
"""Neighbours in a list."""
HALVES = 5
"""Random halves of the users."""
MAX_TRACKS = 1_000
"""Tracks whose lists are measured; of more, a random sample."""
TRACKS_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class ListQuality:
    """The quality of the lists of the neighbours of all tracks.

    Attributes:
        lists: The tracks that have any neighbours.
        hub_share: The share of all places in the lists that the tracks named most often hold
            (``metrics.hub_share``).
        stability: The mean overlap (Jaccard) of a list with that of a random half of the users.
        seed_first: The share of the lists of other tracks that name a seed first; NaN without seeds.
    """

    lists: int
    hub_share: float
    stability: float
    seed_first: float


def measure_lists(matrix: sp.csr_array, seeds: Numbers, search: Search, random_seed: int = 1) -> ListQuality:
    """Measure the lists that *search* finds for the tracks of *matrix*.

    *seeds*: columns of the matrix. *search* returns, for a matrix and some of its columns, the best columns
    of each, nearest first; -1 fills short rows.
    """
    random = np.random.default_rng(random_seed)
    users, tracks = matrix.shape
    starts = np.arange(tracks)
    if tracks > MAX_TRACKS:
        starts = np.sort(random.choice(tracks, MAX_TRACKS, replace=False))
    lists = search(matrix, starts)
    starts, lists = starts[lists[:, 0] >= 0], lists[lists[:, 0] >= 0]
    places = np.bincount(lists[lists >= 0], minlength=tracks)
    overlaps = []
    for _ in range(HALVES if len(starts) else 0):
        half = np.sort(random.permutation(users)[: users // 2])
        overlaps.append(overlap(lists, search(sp.csr_array(matrix[half]), starts)).mean())
    others = ~np.isin(starts, seeds)
    return ListQuality(
        lists=len(starts),
        hub_share=metrics.hub_share(places),
        stability=_mean(np.array(overlaps)),
        seed_first=_mean(np.isin(lists[others, 0], seeds)) if len(seeds) else math.nan,
    )


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else math.nan


def overlap(lists: Numbers, others: Numbers) -> NDArray[np.float64]:
    """Return the Jaccard index of each row of *lists* and *others*; -1 fills short rows."""
    shared = ((lists[:, :, None] == others[:, None, :]) & (lists[:, :, None] >= 0)).sum(axis=(1, 2))
    index: NDArray[np.float64] = shared / np.maximum(
        (lists >= 0).sum(axis=1) + (others >= 0).sum(axis=1) - shared, 1
    )
    return index


def search_by_npmi(matrix: sp.csr_array, tracks: Numbers, ids: Numbers | None = None) -> Numbers:
    """Return the neighbours by shrunk NPMI, in the order of ``scrapy similar track`` if *ids* are given."""
    return _search(Npmi(matrix).reach, tracks, ids)


def search_by_walk(matrix: sp.csr_array, tracks: Numbers, ids: Numbers | None = None) -> Numbers:
    """Return the neighbours by the random walk, as ``search_by_npmi``."""
    return _search(RandomWalk(matrix, neighbours=matrix.shape[1]).reach, tracks, ids)


SEARCHES: Mapping[str, Search] = {"npmi": search_by_npmi, "walk": search_by_walk}
"""The sources of neighbours whose lists are measured."""


def _search(reach: Callable[[Numbers], sp.csr_array], tracks: Numbers, ids: Numbers | None) -> Numbers:
    best = np.full((len(tracks), LENGTH), -1)
    for begin in range(0, len(tracks), TRACKS_AT_A_TIME):
        some = tracks[begin : begin + TRACKS_AT_A_TIME]
        near = reach(some)
        near.data = round_scores(near.data)
        is_near = _find_nearest(near)
        rows = np.repeat(np.arange(len(some)), np.diff(near.indptr))[is_near]
        columns, scores = near.indices[is_near], near.data[is_near]
        starts, ends = some[rows], columns
        if ids is not None:
            starts, ends = ids[starts], ids[ends]
        order = np.lexsort((shuffled(starts, ends), -scores, rows))
        places = np.arange(len(rows)) - np.searchsorted(rows, rows)
        kept = places < LENGTH
        best[begin + rows[kept], places[kept]] = columns[order][kept]
    return best


def _find_nearest(near: sp.csr_array) -> NDArray[np.bool_]:
    """Return which entries are among the ``LENGTH`` largest of their row, or equal the last of them.

    So that only these few are sorted.
    """
    is_near = np.ones(near.nnz, bool)
    for row in np.flatnonzero(np.diff(near.indptr) > LENGTH):
        part = slice(near.indptr[row], near.indptr[row + 1])
        is_near[part] = near.data[part] >= np.partition(near.data[part], -LENGTH)[-LENGTH]
    return is_near
