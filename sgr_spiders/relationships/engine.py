"""Choose a search for pairs, and run it on all threads."""

from __future__ import annotations

import importlib.util
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sgr_spiders.relationships.sparse_search import SparseSearch

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.relationships.arrangement import Arrangement
    from sgr_spiders.relationships.keys import Keys
    from sgr_spiders.relationships.search import Search

logger = logging.getLogger(__name__)

MIN_COMPILED_WORK = 20_000_000
"""Counts from which loading the kernels (half a second) pays off."""
BLOCKS_PER_THREAD = 16


class CancelledError(Exception):
    """The build was cancelled between two blocks of rows."""


def choose_search(arrangement: Arrangement) -> Search:
    """Return the fastest search for this amount of work."""
    if arrangement.total_work() < MIN_COMPILED_WORK:
        return SparseSearch(arrangement)
    if importlib.util.find_spec("numba") is None:
        logger.warning("numba is not installed; building takes about 20 times as long")
        return SparseSearch(arrangement)
    # Lazy import: numba takes longer to import than a small harvest takes to build.
    from sgr_spiders.relationships import kernel_cache  # noqa: PLC0415
    from sgr_spiders.relationships.compiled_search import CompiledSearch  # noqa: PLC0415

    if not kernel_cache.is_compiled():
        logger.info("Compiling kernels (first run only, about 10 s)")
    return CompiledSearch(arrangement)


def search_all(
    search: Search,
    threads: int,
    take: Callable[[Keys], None],
    is_cancelled: Callable[[], bool],
    report: Callable[[float], None] = lambda _share: None,
) -> None:
    """Pass all pairs to *take*, and the finished share to *report*.

    *threads* is the number of threads; 0 means one per processor.
    """
    threads = threads or available_processors()

    def search_block(block: tuple[int, int]) -> None:
        for keys in search.keys(*block):
            if is_cancelled():
                raise CancelledError
            take(keys)

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
