"""Build the report of a database, and write it to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.reports.page.content import collect
from sgr_spiders.reports.page.page import render
from sgr_spiders.storage import export_log, private_files
from sgr_spiders.storage.figures.inventory import known_seeds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.storage.store import Store

MAX_NAMED = 5
"""The seeds that an error message names."""


def build_report(store: Store, config: HarvestConfig, seeds: Sequence[int] | None = None) -> str:
    """Return the page about all seeds, or about some of them.

    Raises:
        ArgumentError: One of *seeds* is not a seed of this database.
    """
    _refuse_unknown(store, seeds or ())
    return render(collect(store, config, seeds))


def write_report(store: Store, config: HarvestConfig, file: Path, seeds: Sequence[int] | None = None) -> int:
    """Write the page to *file*; return its size in bytes. An earlier file is replaced whole.

    Raises:
        ArgumentError: One of *seeds* is not a seed of this database.
        StorageError: *file* cannot be written.
    """
    return write_page(store, build_report(store, config, seeds), file)


def write_page(store: Store, page: str, file: Path) -> int:
    """Write a report that ``build_report`` has built; return its size in bytes.

    Raises:
        StorageError: *file* cannot be written.
    """
    content = page.encode()
    private_files.write(file, content)
    # The page names people: `scrapy forget` must know of it.
    export_log.note(store, file, "report")
    return len(content)


def _refuse_unknown(store: Store, seeds: Sequence[int]) -> None:
    for seed in seeds:
        with store.read() as connection:
            if known_seeds(connection, 1, [seed])[1]:
                continue
            others, _ = known_seeds(connection, MAX_NAMED)
        known = [str(other.track_id) for other in others if other.track_id is not None]
        hint = f"; its seeds: {', '.join(known)}" if known else ""
        raise ArgumentError(f"option `--seed`: track {seed} is not a seed of this database{hint}")
