"""``scrapy status``: what lies in a database, and what is left to do. It only reads."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import no_arguments
from sgr_spiders.config import harvest
from sgr_spiders.reports.status import as_json, as_text, collect_status
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    import argparse


class Command(DatabaseCommand):
    """No crawler is made, no lock is taken, and a crawl may be at work on the database."""

    def short_desc(self) -> str:
        return "Tell what a database holds, what failed or was capped, and what to run next"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        group = parser.add_argument_group(title="Status")
        group.add_argument("--json", action="store_true", help="for programs; docs/status.md describes it")
        group.add_argument(
            "--database", metavar="URL", help="SQLAlchemy URL (default: the setting HARVEST_DATABASE_URL)"
        )

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        sys.stdout.write(self._said(opts))

    def _said(self, opts: argparse.Namespace) -> str:
        assert self.settings is not None
        settings = harvest.load(self.settings["HARVEST_CONFIG"])
        store = Store(opts.database or self.database_url)
        with store.read() as connection:
            status = collect_status(connection, store.describe(), store.path, settings)
        if opts.json:
            return json.dumps(as_json(status), indent=2, ensure_ascii=False) + "\n"
        return "\n".join(as_text(status, datetime.now(UTC))) + "\n"
