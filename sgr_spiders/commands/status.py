"""``scrapy status``: the contents of a database, and the work that is left."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.live_output import Screen, pause, until_stopped, write_json_line
from sgr_spiders.cli.options import add_json_option, read_seconds, refuse_arguments
from sgr_spiders.model.exceptions import HarvestError
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.reports.state import Status

WATCH_SECONDS = "2"
MAX_SHARE = 0.2
"""The share of the time that may go into reading the database, which takes seconds if it is large."""


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    names_database = True

    def short_desc(self) -> str:
        return "Show contents, failures, caps and the next command"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_json_option(group, "docs/status.md")
        group.add_argument(
            "--watch",
            metavar="SECONDS",
            nargs="?",
            const=WATCH_SECONDS,
            help=f"show the status again every so many seconds until Ctrl-C (default {WATCH_SECONDS})",
        )

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        refuse_arguments(args)
        if opts.watch is not None:
            seconds = read_seconds("watch", opts.watch)
            with until_stopped():
                self._watch(seconds, opts)
            return
        sys.stdout.write(_render(self._collect(), as_json=opts.json) + "\n")

    def _watch(self, seconds: float, opts: argparse.Namespace) -> None:
        """Show the status every so many *seconds*; only the first must succeed."""
        screen = Screen()
        began = time.monotonic()
        status: Status | HarvestError = self._collect()
        while True:
            if opts.json:
                write_json_line(_as_json(status))
            else:
                screen.show(_watched_lines(status))
            pause(max(seconds, (time.monotonic() - began) / MAX_SHARE))
            began = time.monotonic()
            status = self._try_to_collect()

    def _try_to_collect(self) -> Status | HarvestError:
        try:
            return self._collect()
        except HarvestError as error:
            # The database may return, for example when a new one has been moved to its path.
            return error

    def _collect(self) -> Status:
        from sgr_spiders.config import harvest
        from sgr_spiders.reports.state import collect_status
        from sgr_spiders.storage.store import Store

        assert self.settings is not None
        settings = harvest.load(self.settings["HARVEST_CONFIG"])
        store = Store(self.database_url)
        with store.read() as connection:
            return collect_status(connection, store.describe(), store.path, settings)


def _render(status: Status, *, as_json: bool) -> str:
    from sgr_spiders.reports.status import as_text

    return dump_json(_as_json(status)) if as_json else "\n".join(as_text(status, datetime.now(UTC)))


def _as_json(status: Status | HarvestError) -> dict[str, Any]:
    from sgr_spiders.reports.status import as_json

    return {"error": str(status)} if isinstance(status, HarvestError) else as_json(status)


def _watched_lines(status: Status | HarvestError) -> list[str]:
    from sgr_spiders.reports.status import as_text

    now = datetime.now(UTC)
    lines = [str(status)] if isinstance(status, HarvestError) else as_text(status, now)
    return [f"{now:%Y-%m-%d %H:%M:%S} UTC; Ctrl-C ends", "", *lines]
