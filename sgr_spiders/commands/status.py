"""``scrapy status``: what lies in a database, and what is left to do. It only reads."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_database_option, add_json_option, no_arguments

if TYPE_CHECKING:
    import argparse


class Command(DatabaseCommand):
    """No crawler is made, no lock is taken, and a crawl may be at work on the database."""

    def short_desc(self) -> str:
        return "Show contents, failures, caps and the next command"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_json_option(group, "docs/status.md")
        add_database_option(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        sys.stdout.write(self._said(opts))

    def _said(self, opts: argparse.Namespace) -> str:
        from sgr_spiders.config import harvest
        from sgr_spiders.reports.status import as_json, as_text, collect_status
        from sgr_spiders.storage.store import Store

        assert self.settings is not None
        settings = harvest.load(self.settings["HARVEST_CONFIG"])
        store = Store(opts.database or self.database_url)
        with store.read() as connection:
            status = collect_status(connection, store.describe(), store.path, settings)
        if opts.json:
            return json.dumps(as_json(status), indent=2, ensure_ascii=False) + "\n"
        return "\n".join(as_text(status, datetime.now(UTC))) + "\n"
