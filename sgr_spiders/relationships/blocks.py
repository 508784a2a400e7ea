"""Pairs of blocks of rows: what an engine on several machines sends to a worker, and what it does there.

The rows of an arrangement ascend by size, so the rows of a block have similar sizes. Pairs of blocks whose
sizes differ too much cannot reach the minimum, and are skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from sgr_spiders.relationships.arrangement import Arrangement
from sgr_spiders.relationships.engine import choose_search
from sgr_spiders.relationships.tally import Tally, pack_cells, unpack_cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import Counts, RelationshipType
    from sgr_spiders.relationships.keys import KeyLayout, Keys, Numbers
    from sgr_spiders.relationships.search import Search

    Rows = tuple[int, int]
    """The first row, and the one after the last."""

ENTRY_BYTES = 100
"""The memory that an entry of a block takes in a search: copies and the index."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of an arrangement. Their contexts have new numbers, from 0 without gaps.

    The contexts of row ``i`` are ``labels[starts[i]:starts[i + 1]]``; ``contexts[label]`` is the number of a
    context in the arrangement.
    """

    nodes: Counts
    sizes: Counts
    starts: Numbers
    labels: NDArray[np.uint32]
    contexts: NDArray[np.int32]

    @property
    def rows(self) -> int:
        return len(self.nodes)

    @property
    def nbytes(self) -> int:
        parts = (self.nodes, self.sizes, self.starts, self.labels, self.contexts)
        return sum(part.nbytes for part in parts)


@dataclass(frozen=True, slots=True)
class Task:
    """A search for the pairs of *rows* of a block: with later rows of the same block, or with another block.

    It ends early when it has found *enough* pairs. With *sizes*, the distinct sizes of all blocks, it counts
    the pairs by overlap instead.
    """

    relationship: RelationshipType
    layout: KeyLayout
    rows: Sequence[Rows]
    enough: int
    sizes: Counts | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The pairs that a task found, and the rows that are left because there were enough pairs.

    With ``numbers``, the keys are cells, and these are the numbers of pairs in them.
    """

    keys: Keys
    left: Sequence[Rows] = ()
    numbers: Counts | None = None


def cut_block(arrangement: Arrangement, chosen: range | tuple[int, ...]) -> Block:
    """Return the block of these rows of *arrangement*."""
    rows = slice(chosen.start, chosen.stop) if isinstance(chosen, range) else np.array(chosen, np.int64)
    matrix = arrangement.matrix[rows]
    is_present = np.zeros(matrix.shape[1], bool)
    is_present[matrix.indices] = True
    contexts = np.flatnonzero(is_present).astype(np.int32)
    labels = np.empty(matrix.shape[1], np.uint32)
    labels[contexts] = np.arange(len(contexts), dtype=np.uint32)
    starts = matrix.indptr.astype(np.int64)
    return Block(arrangement.nodes[rows], arrangement.sizes[rows], starts, labels[matrix.indices], contexts)


def divide(arrangement: Arrangement, entries: int, fewest: int) -> list[range]:
    """Divide the rows into blocks with about *entries* entries each, or into *fewest* blocks."""
    total = arrangement.matrix.indptr[1:].astype(np.int64)
    if not len(total):
        return []
    count = max(fewest, -(-int(total[-1]) // max(1, entries)))
    cuts = np.searchsorted(total, np.linspace(0, total[-1], count + 1)[1:-1])
    edges = np.unique(np.concatenate([[0], cuts, [len(total)]])).tolist()
    return list(map(range, edges[:-1], edges[1:]))


def can_relate(arrangement: Arrangement, earlier: range, later: range) -> bool:
    """Return whether rows of these two blocks can have enough contexts in common.

    The minimum never decreases with the size, so the smallest row of the later block decides.
    """
    sizes = np.unique(arrangement.sizes[earlier.start : earlier.stop])
    smallest = arrangement.sizes[later.start : later.start + 1]
    return bool((arrangement.relationship.fewest(sizes, smallest) <= sizes).any())


def find_pairs(task: Task, block: Block, other: Block | None) -> Found:
    """Do a task. The rows of *other* are later rows than those of *block*."""
    arrangement = _arrange(task, block, other)
    search = choose_search(arrangement, 0 if other is None else block.rows)
    if task.sizes is not None:
        return _tally(search, task.rows, np.searchsorted(task.sizes, arrangement.distinct_sizes))
    parts = arrangement.blocks(search.work(), 1)
    found, count = [np.empty(0, np.uint64)], 0
    for position, (first, last) in enumerate(task.rows):
        for row, keys in _search(search, parts, first, last):
            found.append(keys)
            count += len(keys)
            if count >= task.enough:
                rest = [(row, last)] if row < last else []
                return Found(np.concatenate(found), [*rest, *task.rows[position + 1 :]])
    return Found(np.concatenate(found), [])


def _tally(search: Search, rows: Sequence[Rows], classes: Counts) -> Found:
    """Count pairs by cells; *classes* are the numbers of the search's classes among those of all blocks."""
    tally = Tally()
    for begin, end in rows:
        for _, keys, numbers in search.tally(begin, end):
            first, second, common = unpack_cells(keys)
            tally.add(pack_cells(classes[first], classes[second], common), numbers)
    cells, counts = tally.cells()
    return Found(cells, numbers=counts)


def _search(search: Search, parts: Sequence[Rows], first: int, last: int) -> Iterator[tuple[int, Keys]]:
    """Yield the batches of rows *first* to *last*. No batch crosses the limit of one of *parts*."""
    for begin, end in parts:
        yield from search.batches(max(begin, first), min(end, last))


def _arrange(task: Task, block: Block, other: Block | None) -> Arrangement:
    """Arrange the rows of both blocks; of two, only the contexts that both have."""
    nodes, sizes, starts, labels = block.nodes, block.sizes, block.starts, block.labels
    count = len(block.contexts)
    if other is not None:
        shared, mine, theirs = np.intersect1d(
            block.contexts, other.contexts, assume_unique=True, return_indices=True
        )
        count = len(shared)
        parts = [_renumber(block, mine), _renumber(other, theirs)]
        nodes, sizes = np.concatenate([nodes, other.nodes]), np.concatenate([sizes, other.sizes])
        labels = np.concatenate([labels for _, labels in parts])
        starts = np.concatenate([parts[0][0], parts[0][0][-1] + parts[1][0][1:]])
    matrix = sparse.csr_array((np.ones(len(labels), np.uint8), labels, starts), shape=(len(nodes), count))
    distinct, classes = np.unique(sizes, return_inverse=True)
    return Arrangement(
        task.relationship, nodes, sizes, distinct, classes.astype(np.uint32), matrix, task.layout
    )


def _renumber(block: Block, kept: Numbers) -> tuple[Numbers, NDArray[np.int32]]:
    """Return the starts and labels of a block if it keeps only the contexts at the positions *kept*."""
    number = np.full(len(block.contexts), -1, np.int32)
    number[kept] = np.arange(len(kept))
    labels = number[block.labels]
    is_kept = labels >= 0
    return np.concatenate([[0], np.cumsum(is_kept)])[block.starts], labels[is_kept]
