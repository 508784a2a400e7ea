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


def read_since(connection: Connection, given: str | None, option: str = "since") -> tuple[int | None, str]:
    """Return the run, if it was named, and the time."""
    from sgr_spiders.storage.clock import timestamp  # noqa: PLC0415 - Scrapy imports all commands
    from sgr_spiders.storage.figures.changes import start_of_run  # noqa: PLC0415 - the same

    if given is not None and not _is_run(given):
        return None, timestamp(read_time(option, given))
    found = start_of_run(connection, None if given is None else int(given))
    if found is None:
        raise ArgumentError(
            "no run in this database yet"
            if given is None
            else f"option `--{option}`: there is no run {given}"
        )
    return found


def read_end(connection: Connection, given: str, option: str) -> str:
    """Return the end of a run, or the time."""
    from sgr_spiders.storage.figures.changes import end_of_run  # noqa: PLC0415 - Scrapy imports all commands

    run_id, moment = read_since(connection, given, option)
    if run_id is None:
        return moment
    ended = end_of_run(connection, run_id)
    if ended is None:
        raise ArgumentError(f"option `--{option}`: run {given} has not ended")
    return ended


def _is_run(given: str) -> bool:
    return given.isascii() and given.isdecimal() and len(given) <= 10
