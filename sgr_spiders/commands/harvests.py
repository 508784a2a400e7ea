"""``scrapy harvests``: the runs in a database, newest first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import (
    add_json_option,
    add_limit_option,
    read_limit,
    refuse_arguments,
)
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def short_desc(self) -> str:
        return "List runs with outcome, duration and counts, newest first"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_limit_option(group, 20)
        group.add_argument(
            "--all", action="store_true", help="include runs with no seed due; --json always includes them"
        )
        add_json_option(group, "docs/operations.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        refuse_arguments(args)
        sys.stdout.write(self._render(read_limit(opts), opts) + "\n")

    def _render(self, limit: int, opts: argparse.Namespace) -> str:
        from sgr_spiders.reports import harvests
        from sgr_spiders.storage.figures import inventory
        from sgr_spiders.storage.store import Store

        store = Store(self.database_url)
        with store.read() as connection:
            if opts.all or opts.json:
                runs, idle = inventory.latest_runs(connection, limit)[0], 0
            else:
                runs, idle = inventory.latest_with_seeds(connection, limit)
        if opts.json:
            return dump_json(harvests.as_json(runs))
        return "\n".join(harvests.as_text(runs, inventory.describe_file(store.path).last_written, idle))
