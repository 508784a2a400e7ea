"""``scrapy follow``: what a crawl stores, as it stores it."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.live_output import pause, until_stopped, write_line
from sgr_spiders.cli.options import (
    add_json_option,
    read_limit,
    read_seconds,
    refuse_arguments,
)
from sgr_spiders.cli.since import add_since_option, read_since
from sgr_spiders.model.exceptions import HarvestError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from sgr_spiders.storage.figures.news import News
    from sgr_spiders.storage.store import Store

EVERY_SECONDS, LIMIT = "1", "10"
MAX_SHARE = 0.05
"""The share of the time that may go into reading the database."""

PATIENCE = 2.0
"""Seconds after which a problem is reported: a crawl creates or upgrades a database meanwhile."""


class Command(DatabaseCommand):
    """Read-only; safe during a crawl. It waits for a database that is not there."""

    def short_desc(self) -> str:
        return "Print new records, removals and relationship changes as they are stored"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_since_option(group, "now")
        group.add_argument(
            "--every",
            metavar="SECONDS",
            default=EVERY_SECONDS,
            help=f"seconds between two looks at the database (default {EVERY_SECONDS})",
        )
        group.add_argument(
            "--limit",
            metavar="N",
            default=LIMIT,
            help=f"lines of each kind at a time; further ones are counted (default {LIMIT}; not with --json)",
        )
        add_json_option(group, "docs/operations.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.reports.news import as_json, as_text

        refuse_arguments(args)
        limit, seconds = read_limit(opts), read_seconds("every", opts.every)

        def write(found: Sequence[News]) -> None:
            for line in map(json.dumps, map(as_json, found)) if opts.json else as_text(found, limit):
                write_line(line)

        follower = _Follower(self.database_url, opts.since, write)
        with until_stopped():
            while True:
                began = time.monotonic()
                if not follower.look():
                    pause(max(seconds, (time.monotonic() - began) / MAX_SHARE))


class _Follower:
    """Looks at a database, also at one that is created, upgraded or replaced meanwhile."""

    def __init__(self, url: str, since: str | None, write: Callable[[Sequence[News]], None]) -> None:
        from sgr_spiders.storage.clock import timestamp
        from sgr_spiders.storage.figures.news import NewsReader, Position
        from sgr_spiders.storage.store import Store

        # One store, because it keeps its compiled statements; each read opens the file at its path.
        self._store = Store(url)
        self._write = write
        moment = timestamp()
        if since is not None:
            with self._store.read() as connection:
                _, moment = read_since(connection, since)
        self._reader = NewsReader(Position.at(moment))
        self._identity: object = None
        self._problem: str | None = None
        self._said_after: float | None = None

    def look(self) -> bool:
        """Write what is new; return whether there is more."""
        try:
            with self._store.read() as connection:
                if (identity := _identify(self._store)) != self._identity:
                    self._reader.note_stubs(connection)
                    self._identity = identity
                found, has_more = self._reader.read(connection)
        except HarvestError as error:
            self._say(str(error))
            return False
        self._problem = None
        # After the snapshot, which keeps the write-ahead log from being emptied: printing may take long.
        self._write(found)
        return has_more

    def _say(self, problem: str) -> None:
        """Write why there is nothing to follow, once it lasts."""
        if problem != self._problem:
            self._problem, self._said_after = problem, time.monotonic() + PATIENCE
        elif self._said_after is not None and time.monotonic() > self._said_after:
            sys.stderr.write(f"Waiting: {problem}\n")
            self._said_after = None


def _identify(store: Store) -> object:
    """Return what distinguishes the database file from one that replaces it."""
    try:
        found = store.file.stat() if store.file is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)
