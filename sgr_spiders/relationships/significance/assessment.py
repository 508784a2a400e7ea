"""The significance of all pairs of a type, by the sizes of both nodes and their overlap.

The null model is fitted to the incidence that is compared: without the contexts that ``max_library_share``
drops, and with all nodes, also those that are too small for any pair. Every pair of nodes is a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.arrangement import arrange
from sgr_spiders.relationships.engine import FilteredFinder, available_processors
from sgr_spiders.relationships.significance.bicm import fit
from sgr_spiders.relationships.significance.coins import tails_of
from sgr_spiders.relationships.significance.discovery import discovery_rates
from sgr_spiders.relationships.tally import Tally, unpack_cells
from sgr_spiders.storage.pairs.tables import LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import Counts, RelationshipType
    from sgr_spiders.relationships.engine import Engine, PairFinder
    from sgr_spiders.relationships.inputs import Incidence
    from sgr_spiders.relationships.keys import Keys

    Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Significance:
    """The significance of each combination of sizes and overlap that occurs.

    A pair of classes ``a <= b`` has the overlaps from 1 on; overlap ``n`` is stored in ``p`` and ``q`` at
    ``starts[a, b] + n``.
    """

    classes: Counts
    """The class of each node."""
    expected: Reals
    """The expected overlap, by both classes."""
    starts: Counts
    p: Reals
    q: Reals
    tests: int
    """The number of all pairs of nodes."""
    significant: int
    """The number of significant ones among them."""

    def columns(self, node_a: Counts, node_b: Counts, common: Counts) -> tuple[Reals, ...]:
        """Return expected overlap, lift, p and q of pairs."""
        a, b, at = self._find(node_a, node_b, common)
        expected = self.expected[a, b]
        return expected, common / expected, self.p[at], self.q[at]

    def rates(self, node_a: Counts, node_b: Counts, common: Counts) -> Reals:
        """Return the q of pairs."""
        _, _, at = self._find(node_a, node_b, common)
        return self.q[at]

    def filter(self, finder: PairFinder, limit: float) -> PairFinder:
        """Return a finder of those pairs whose q is at most *limit*."""

        def choose(keys: Keys) -> Keys:
            return keys[self.rates(*finder.arrangement.layout.unpack(keys)) <= limit]

        return FilteredFinder(finder, choose)

    def _find(self, node_a: Counts, node_b: Counts, common: Counts) -> tuple[Counts, Counts, Counts]:
        first, second = self.classes[node_a], self.classes[node_b]
        a, b = np.minimum(first, second), np.maximum(first, second)
        return a, b, self.starts[a, b] + common


def assess(
    incidence: Incidence,
    relationship: RelationshipType,
    engine: Engine,
    threads: int,
    is_cancelled: Callable[[], bool],
    report: Callable[[float], None],
) -> Significance:
    """Fit the null model to *incidence*, count all pairs by their overlap, and compute their significance.

    *threads* compute it; 0 means one per processor.
    """
    arrangement = arrange(incidence, relationship, every=True)
    tally = Tally()
    engine.open(arrangement, is_cancelled).tally(tally.add, report)
    keys, numbers = tally.cells()
    model = fit(arrangement.sizes, np.bincount(incidence.contexts, minlength=incidence.context_count))
    a, b, overlaps = unpack_cells(keys)
    classes = len(arrangement.distinct_sizes)
    begins = np.flatnonzero(np.diff(a * classes + b, prepend=-1))
    bounds = np.append(begins, len(a))
    found = tails_of(model, a[begins], b[begins], bounds, overlaps, threads or available_processors())
    nodes = len(incidence.ids)
    tests = nodes * (nodes - 1) // 2
    rates = discovery_rates(found, numbers, tests)
    starts, length = _lay_out(a[begins], b[begins], overlaps[bounds[1:] - 1], classes)
    p, q = np.ones(length), np.ones(length)
    at = starts[a, b] + overlaps
    p[at], q[at] = found, rates
    of_nodes = np.zeros(nodes, np.int64)
    of_nodes[arrangement.nodes] = arrangement.classes
    significant = int(numbers[rates <= LEVEL].sum())
    return Significance(of_nodes, model.expected_overlaps(), starts, p, q, tests, significant)


def _lay_out(a: Counts, b: Counts, largest: Counts, classes: int) -> tuple[Counts, int]:
    """Return the position before the first overlap of each pair of classes, and the number of positions."""
    starts = np.zeros((classes, classes), np.int64)
    ends = np.cumsum(largest)
    starts[a, b] = ends - largest - 1
    return starts, int(ends[-1]) if len(ends) else 0
