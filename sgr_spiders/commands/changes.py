"""``scrapy changes``: what appeared, left its list or was removed."""

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
from sgr_spiders.cli.since import add_since_option, read_since
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def short_desc(self) -> str:
        return "List what appeared, left its list, went private or was deleted"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_since_option(group, "the last run")
        add_limit_option(group, 10)
        add_json_option(group, "docs/operations.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        refuse_arguments(args)
        limit = read_limit(opts)
        sys.stdout.write(self._render(limit, opts) + "\n")

    def _render(self, limit: int, opts: argparse.Namespace) -> str:
        from sgr_spiders.reports import changes
        from sgr_spiders.storage.store import Store

        with Store(self.database_url).read() as connection:
            run_id, since = read_since(connection, opts.since)
            found = changes.read_changes(connection, since, run_id, limit)
        return dump_json(changes.as_json(found)) if opts.json else "\n".join(changes.as_text(found))
