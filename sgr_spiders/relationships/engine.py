"""The engines that find all pairs of an arrangement, and the local one: all threads of this process."""

from __future__ import annotations

import importlib.util
import logging
import os
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from sgr_spiders.relationships.sparse_search import SparseSearch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sgr_spiders.relationships.arrangement import Arrangement
    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.keys import Keys, Numbers
    from sgr_spiders.relationships.search import Search

logger = logging.getLogger(__name__)

MIN_COMPILED_WORK = 20_000_000
"""Counts from which loading the kernels (half a second) pays off."""
BLOCKS_PER_THREAD = 16


Found = TypeVar("Found")


class CancelledError(Exception):
    """The build was cancelled between two blocks of rows."""


class Engine(ABC):
    """Finds all pairs of one arrangement after another."""

    @abstractmethod
    def open(self, arrangement: Arrangement, is_cancelled: Callable[[], bool]) -> PairFinder:
        """Prepare to find the pairs of *arrangement*; they end with ``CancelledError`` once cancelled."""


class PairFinder(ABC):
    """Finds the pairs of an arrangement."""

    def __init__(self, arrangement: Arrangement, is_cancelled: Callable[[], bool]) -> None:
        self.arrangement = arrangement
        self._is_cancelled = is_cancelled

    @abstractmethod
    def sample(self, rows: Numbers) -> Iterator[Keys]:
        """Yield the pairs of these rows, which ascend, with later rows, in any order."""

    @abstractmethod
    def find(self, take: Callable[[Keys], None], report: Callable[[float], None]) -> None:
        """Pass all pairs to *take*, in any order, and the finished share to *report*."""

    @abstractmethod
    def tally(self, take: Callable[[Keys, Counts], None], report: Callable[[float], None]) -> None:
        """Pass the cells of all pairs, related or not, to *take*, in any order, and the share to *report*."""


class FilteredFinder(PairFinder):
    """Finds those pairs of another finder that *choose* returns of some; it tallies all of them."""

    def __init__(self, finder: PairFinder, choose: Callable[[Keys], Keys]) -> None:
        super().__init__(finder.arrangement, lambda: False)
        self._finder = finder
        self._choose = choose

    def sample(self, rows: Numbers) -> Iterator[Keys]:
        yield from map(self._choose, self._finder.sample(rows))

    def find(self, take: Callable[[Keys], None], report: Callable[[float], None]) -> None:
        self._finder.find(lambda keys: take(self._choose(keys)), report)

    def tally(self, take: Callable[[Keys, Counts], None], report: Callable[[float], None]) -> None:
        self._finder.tally(take, report)


class LocalEngine(Engine):
    """Uses *threads* threads; 0 means one per processor."""

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def open(self, arrangement: Arrangement, is_cancelled: Callable[[], bool]) -> PairFinder:
        return LocalFinder(arrangement, self._threads, is_cancelled)


class LocalFinder(PairFinder):
    def __init__(self, arrangement: Arrangement, threads: int, is_cancelled: Callable[[], bool]) -> None:
        super().__init__(arrangement, is_cancelled)
        self._search = choose_search(arrangement)
        self._threads = threads

    def sample(self, rows: Numbers) -> Iterator[Keys]:
        for row in rows.tolist():
            yield from self._search.keys(row, row + 1)

    def find(self, take: Callable[[Keys], None], report: Callable[[float], None]) -> None:
        search_all(self._search, self._threads, self._search.keys, take, self._is_cancelled, report)

    def tally(self, take: Callable[[Keys, Counts], None], report: Callable[[float], None]) -> None:
        def cells(first: int, last: int) -> Iterator[tuple[Keys, Counts]]:
            for _, keys, numbers in self._search.tally(first, last):
                yield keys, numbers

        search_all(self._search, self._threads, cells, lambda found: take(*found), self._is_cancelled, report)


def choose_search(arrangement: Arrangement, others_from: int = 0) -> Search:
    """Return the fastest search for this amount of work."""
    if arrangement.total_work() < MIN_COMPILED_WORK:
        return SparseSearch(arrangement, others_from)
    if importlib.util.find_spec("numba") is None:
        logger.warning("numba is not installed; building takes about 20 times as long")
        return SparseSearch(arrangement, others_from)
    # Lazy import: numba takes longer to import than a small harvest takes to build.
    from sgr_spiders.relationships import kernel_cache  # noqa: PLC0415
    from sgr_spiders.relationships.compiled_search import CompiledSearch  # noqa: PLC0415

    if not kernel_cache.is_compiled():
        logger.info("Compiling kernels (first run only, about 10 s)")
    return CompiledSearch(arrangement, others_from)


def search_all(
    search: Search,
    threads: int,
    find: Callable[[int, int], Iterator[Found]],
    take: Callable[[Found], None],
    is_cancelled: Callable[[], bool],
    report: Callable[[float], None] = lambda _share: None,
) -> None:
    """Pass all that *find* yields for ranges of rows to *take*, and the finished share to *report*.

    *threads* is the number of threads; 0 means one per processor.
    """
    threads = threads or available_processors()

    def search_block(block: tuple[int, int]) -> None:
        for found in find(*block):
            if is_cancelled():
                raise CancelledError
            take(found)

    blocks = search.arrangement.blocks(search.work(), threads * BLOCKS_PER_THREAD)
    with ThreadPoolExecutor(threads, "relate") as pool:
        tasks = [pool.submit(search_block, block) for block in blocks]
        try:
            for number, task in enumerate(tasks, 1):
                task.result()
                report(number / len(tasks))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def available_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
