"""``scrapy why``: the path by which a record was found, for each seed and layer, and its history."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, add_limit_option, read_limit, read_node
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse

KINDS = ("track", "user", "playlist", "artist")


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] track|user|playlist|artist NAME"

    def short_desc(self) -> str:
        return "Explain how a record was found, and show its history"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--include-removed", action="store_true", help="include paths that do not exist any more"
        )
        add_limit_option(group, 20)
        add_json_option(group, "docs/why.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        kind, name = read_node(args, KINDS, "why")
        sys.stdout.write(self._render(kind, name, opts) + "\n")

    def _render(self, kind: str, name: str, opts: argparse.Namespace) -> str:
        from sgr_spiders.reports import origins
        from sgr_spiders.storage.store import Store

        limit = read_limit(opts)
        with Store(self.database_url).read() as connection:
            origin = origins.read_named(connection, kind, name, limit, include_removed=opts.include_removed)
        return dump_json(origins.as_json(origin)) if opts.json else "\n".join(origins.as_text(origin))
