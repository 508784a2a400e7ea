"""Random rewirings of an incidence: every node and every context keeps its exact number of partners.

The curveball algorithm: G. Strona, D. Nappo, F. Boccacci, S. Fattorini, J. San-Miguel-Ayanz: A fast and
unbiased procedure to randomize ecological binary matrices with fixed row and column totals. Nature
Communications 5:4114, 2014. Two random rows trade: what both have stays, and what only one has is dealt out
again at random, to each as much as before. C. J. Carstens (Physical Review E 91:042812, 2015) proves that all
matrices with these totals become equally likely. Rows stay sorted, as in K. Godard, Z. Neal: fastball: a fast
algorithm to randomly sample bipartite graphs with fixed degree sequences. Journal of Complex Networks
10(6):cnac049, 2022.
"""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from sgr_spiders.relationships.engine import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sgr_spiders.relationships.inputs import Incidence

    Generator = np.random.Generator
    Values = Any
    """A list, or an array once compiled."""

TRADES_PER_ROW = 10
"""Trades from one rewiring to the next. Godard and Neal take 5 per row for about the time of mixing."""
MIN_COMPILED_STEPS = 1 << 20
"""Entries to trade from which loading the kernel (half a second) pays off."""
STEPS_AT_A_TIME = 1 << 24
"""Entries to trade between two looks at whether to stop."""


def trade_rows(
    starts: Values, members: Values, trades: int, dice: Generator, first: Values, second: Values
) -> None:
    """Trade *trades* times between two random rows of *members*, which ascend within each row.

    Row ``i`` is ``members[starts[i]:starts[i + 1]]``. *first* and *second* have room for the largest row.
    """
    rows = len(starts) - 1
    for _ in range(trades):
        a = int(dice.random() * rows)
        b = (a + 1 + int(dice.random() * (rows - 1))) % rows
        end_a, end_b = starts[a + 1], starts[b + 1]
        i, j, common = starts[a], starts[b], 0
        while i < end_a and j < end_b:
            one, other = members[i], members[j]
            common += one == other
            i += one <= other
            j += other <= one
        # Selection sampling: each member of the pool goes to the first row if the dice say so, with the
        # chance that this row lacks so many of the rest of the pool.
        lacking = end_a - starts[a] - common
        pool = lacking + end_b - starts[b] - common
        if lacking in (0, pool):
            continue
        i, j, x, y = starts[a], starts[b], 0, 0
        while i < end_a or j < end_b:
            if j == end_b or (i < end_a and members[i] < members[j]):
                member = members[i]
                i += 1
            elif i == end_a or members[j] < members[i]:
                member = members[j]
                j += 1
            else:
                first[x] = second[y] = members[i]
                i, j, x, y = i + 1, j + 1, x + 1, y + 1
                continue
            if dice.random() * pool < lacking:
                first[x] = member
                x += 1
                lacking -= 1
            else:
                second[y] = member
                y += 1
            pool -= 1
        members[starts[a] : end_a] = first[:x]
        members[starts[b] : end_b] = second[:y]


class Rewirings:
    """An endless series of random rewirings of an incidence; the same for the same *seed*.

    The rows that trade are the nodes or the contexts, whichever are fewer.
    """

    def __init__(self, incidence: Incidence, seed: int, is_cancelled: Callable[[], bool]) -> None:
        self._incidence = incidence
        self._dice = np.random.Generator(np.random.PCG64(seed))
        self._is_cancelled = is_cancelled
        self._by_node = len(incidence.ids) <= incidence.context_count
        matrix = _matrix(incidence)
        rows = matrix if self._by_node else matrix.T.tocsr()
        self._starts = rows.indptr.astype(np.int64)
        self._members = rows.indices.astype(np.int32)

    def next(self) -> Incidence:
        """Return the next rewiring.

        Raises:
            CancelledError: the search was cancelled.
        """
        rows = len(self._starts) - 1
        if rows > 1:
            self._trade(TRADES_PER_ROW * rows, max(1, len(self._members) // rows))
        if self._by_node:
            return replace(self._incidence, contexts=self._members.copy())
        shape = (rows, len(self._incidence.ids))
        ones = np.ones(len(self._members), np.uint8)
        turned = sparse.csr_array((ones, self._members, self._starts), shape=shape).T.tocsr()
        return replace(self._incidence, contexts=turned.indices.astype(np.int32))

    def _trade(self, trades: int, mean_size: int) -> None:
        trade = _choose_trader(trades * 2 * mean_size)
        at_a_time = max(1, STEPS_AT_A_TIME // (2 * mean_size))
        for done in range(0, trades, at_a_time):
            if self._is_cancelled():
                raise CancelledError
            trade(self._starts, self._members, min(at_a_time, trades - done), self._dice)


def _matrix(incidence: Incidence) -> sparse.csr_array:
    ones = np.ones(len(incidence.contexts), np.uint8)
    shape = (len(incidence.ids), incidence.context_count)
    return sparse.csr_array((ones, incidence.contexts, incidence.starts), shape=shape)


def _choose_trader(steps: int) -> Callable[..., None]:
    """Return the fastest way to trade so many entries; all ways give the same rows."""
    if steps < MIN_COMPILED_STEPS or importlib.util.find_spec("numba") is None:
        return _trade_interpreted
    return _trade_compiled


def _trade_interpreted(
    starts: NDArray[np.int64], members: NDArray[np.int32], trades: int, dice: Generator
) -> None:
    room = [0] * int(np.diff(starts).max())
    rows = members.tolist()  # the interpreter reads lists faster than arrays
    trade_rows(starts.tolist(), rows, trades, dice, room, room.copy())
    members[:] = rows


def _trade_compiled(
    starts: NDArray[np.int64], members: NDArray[np.int32], trades: int, dice: Generator
) -> None:
    room = np.empty(int(np.diff(starts).max()), np.int32)
    _compile()(starts, members, trades, dice, room, room.copy())


@functools.cache
def _compile() -> Callable[..., None]:
    # Lazy import: numba takes longer to import than a small harvest takes to rewire.
    from sgr_spiders.relationships.kernel_cache import kernel  # noqa: PLC0415

    return kernel(trade_rows)
