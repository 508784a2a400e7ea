"""``scrapy harvests``: the runs in a database, the last one first. It only reads."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import limit_of, no_arguments
from sgr_spiders.reports import harvests
from sgr_spiders.storage.figures import inventory
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    import argparse


class Command(DatabaseCommand):
    """No crawler is made, no lock is taken, and a crawl may be at work on the database."""

    def short_desc(self) -> str:
        return "List the harvests of a database, the last one first: outcome, duration, counts"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        group = parser.add_argument_group(title="Harvests")
        group.add_argument("--limit", metavar="N", default="20", help="how many (default: 20)")
        group.add_argument(
            "--json", action="store_true", help="for programs; docs/operations.md describes it"
        )
        group.add_argument(
            "--database", metavar="URL", help="SQLAlchemy URL (default: the setting HARVEST_DATABASE_URL)"
        )

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        sys.stdout.write(self._said(limit_of(opts), opts) + "\n")

    def _said(self, limit: int, opts: argparse.Namespace) -> str:
        store = Store(opts.database or self.database_url)
        with store.read() as connection:
            runs, _ = inventory.latest_runs(connection, limit)
        if opts.json:
            return json.dumps(harvests.as_json(runs), indent=2, ensure_ascii=False)
        return "\n".join(harvests.as_text(runs, inventory.describe_file(store.path).last_written))
