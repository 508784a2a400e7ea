"""Which way of finding pairs to take, and finding them with all threads."""

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

WORTH_COMPILED = 20_000_000
"""Counts from which on the kernels are worth loading: that takes as long as half a second without them."""
BLOCKS_PER_THREAD = 16


class CancelledError(Exception):
    """Relating was asked to stop. Raised between two blocks of rows."""


def choose_search(arrangement: Arrangement) -> Search:
    """Give the search that is fastest for so much work."""
    if arrangement.total_work() < WORTH_COMPILED:
        return SparseSearch(arrangement)
    if importlib.util.find_spec("numba") is None:
        logger.warning("numba is not installed: without it this takes about 20 times as long")
        return SparseSearch(arrangement)
    # Only now: numba takes longer to import than a small harvest takes to relate.
    from sgr_spiders.relationships import kernel_cache  # noqa: PLC0415
    from sgr_spiders.relationships.compiled_search import CompiledSearch  # noqa: PLC0415

    if not kernel_cache.is_compiled():
        logger.info("Compiling the kernels, this once; it takes about ten seconds")
    return CompiledSearch(arrangement)


def search_all(
    search: Search,
    threads: int,
    take: Callable[[Keys], None],
    is_cancelled: Callable[[], bool],
    tell: Callable[[float], None] = lambda _share: None,
) -> None:
    """Give all pairs to *take*, from as many *threads* (0: one for each processor); *tell* how far it is."""
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
                tell(number / len(tasks))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def available_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
