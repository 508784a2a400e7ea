"""Communities of tracks and artists: those of their listeners.

A community likes some tracks more than its share of all likes explains. The number of a track's fans that are
in the community is compared with the binomial distribution of as many draws from all likes; the
probabilities of all tracks and communities are corrected together (Benjamini and Hochberg, Controlling the
false discovery rate, Journal of the Royal Statistical Society B 1995).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.special import bdtrc

from sgr_spiders.relationships.communities.graph import number_from_zero
from sgr_spiders.relationships.significance.discovery import discovery_rates
from sgr_spiders.storage.lookup import look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.relationships.communities.graph import Numbers, Weights


@dataclass(frozen=True)
class Fans:
    """The users of a graph who like each track or artist: *users* are their places in the graph.

    ``matrix[i, j]`` is 1 if user ``j`` likes the record ``ids[i]``.
    """

    ids: Numbers
    matrix: sparse.csr_array

    @classmethod
    def of(cls, records: Numbers, users: Numbers, known: Numbers) -> Fans:
        """Return the fans in pairs of *records* and *users*, of whom only those *known* (ascending) count."""
        place = look_up(known, np.arange(len(known)), users)
        kept = place >= 0
        ids, row = np.unique(records[kept], return_inverse=True)
        ones = np.ones(len(row), np.int32)
        matrix = sparse.coo_array((ones, (row, place[kept])), shape=(len(ids), len(known))).tocsr()
        matrix.data[:] = 1  # an artist's fan may like several of the tracks
        return cls(ids, matrix)


@dataclass(frozen=True, slots=True)
class Assigned:
    """The community of each record, -1 if none stands out, and of each run."""

    groups: Numbers
    runs: Sequence[Numbers]


def assign(fans: Fans, groups: Numbers, runs: Sequence[Numbers], limit: float | None) -> Assigned:
    """Return the community whose members stand out most among the fans of each record.

    *groups* and *runs* are the communities of the users. Without a *limit* of the corrected probability,
    each record with a fan has a community.
    """
    found, p, tests = _strongest(fans, groups)
    if limit is not None:
        # The ranks count no others of the tests, which only makes the rates larger.
        rates = discovery_rates(p, np.ones(len(p), np.int64), tests)
        found = np.where(rates <= limit, found, -1)
    # Most runs agree.
    numbered = [number_from_zero(run) for run in runs]
    known = {run.tobytes(): run for run in numbered}
    assigned = {key: _strongest(fans, run)[0] for key, run in known.items()}
    return Assigned(found, [assigned[run.tobytes()] for run in numbered])


def _strongest(fans: Fans, groups: Numbers) -> tuple[Numbers, Weights, int]:
    """Return the community that stands out most for each record, its probability, and the number of tests."""
    count, size = int(groups.max(initial=-1)) + 1, len(groups)
    if not len(fans.ids):
        return np.empty(0, np.int64), np.empty(0), 0
    member = sparse.csr_array((np.ones(size, np.int32), (np.arange(size), groups)), shape=(size, count))
    counts = (fans.matrix @ member).tocsr()
    counts.sort_indices()
    per_record = np.asarray(counts.sum(axis=1)).ravel()
    shares = np.asarray(counts.sum(axis=0)).ravel() / max(1, counts.sum())
    rows = np.repeat(np.arange(len(fans.ids)), np.diff(counts.indptr))
    # The probability of at least as many fans of the community.
    p = bdtrc(counts.data - 1, per_record[rows], shares[counts.indices])
    best = np.lexsort((counts.indices, -counts.data / shares[counts.indices], p, rows))
    first = best[np.searchsorted(rows, np.arange(len(fans.ids)))]
    return counts.indices[first].astype(np.int64), p[first], len(fans.ids) * count
