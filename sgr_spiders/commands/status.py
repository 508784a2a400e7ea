"""``scrapy status``: the contents of a database, and the work that is left."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_database_option, add_json_option, refuse_arguments
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def short_desc(self) -> str:
        return "Show contents, failures, caps and the next command"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_json_option(group, "docs/status.md")
        add_database_option(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        refuse_arguments(args)
        sys.stdout.write(self._render(opts))

    def _render(self, opts: argparse.Namespace) -> str:
        from sgr_spiders.config import harvest
        from sgr_spiders.reports.status import as_json, as_text, collect_status
        from sgr_spiders.storage.store import Store

        assert self.settings is not None
        settings = harvest.load(self.settings["HARVEST_CONFIG"])
        store = Store(opts.database or self.database_url)
        with store.read() as connection:
            status = collect_status(connection, store.describe(), store.path, settings)
        if opts.json:
            return dump_json(as_json(status)) + "\n"
        return "\n".join(as_text(status, datetime.now(UTC))) + "\n"
