"""The option ``--since``: a run or a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.cli.options import read_time
from sgr_spiders.model.exceptions import ArgumentError

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.storage.store import Connection


def add_since_option(group: argparse._ArgumentGroup, default: str) -> None:
    """Add ``--since``; *default* names the moment without it."""
    group.add_argument(
        "--since",
        metavar="RUN|TIME",
        help=f"number of a run, to begin with its start, or a date or time in UTC (default {default})",
    )


def read_since(connection: Connection, given: str | None) -> tuple[int | None, str]:
    """Return the run, if it was named, and the time."""
    from sgr_spiders.storage.clock import timestamp  # noqa: PLC0415 - Scrapy imports all commands
    from sgr_spiders.storage.figures.changes import start_of_run  # noqa: PLC0415 - the same

    is_run = given is None or (given.isascii() and given.isdecimal() and len(given) <= 10)
    if not is_run:
        return None, timestamp(read_time("since", given or ""))
    found = start_of_run(connection, None if given is None else int(given))
    if found is None:
        raise ArgumentError(
            "no run in this database yet" if given is None else f"option `--since`: there is no run {given}"
        )
    return found
