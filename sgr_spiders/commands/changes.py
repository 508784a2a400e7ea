"""``scrapy changes``: what appeared, left its list or was removed, and how counters of a record changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import (
    add_json_option,
    add_limit_option,
    read_limit,
    read_node,
)
from sgr_spiders.cli.since import add_since_option, read_since
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse


KINDS = ("track", "user", "artist", "playlist")


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] [track|user|artist|playlist NAME]"

    def short_desc(self) -> str:
        return "List what appeared or was removed, or the counters of a record over time"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_since_option(group, "the last run; of a record the first look")
        add_limit_option(group, 10, "last changes of each kind, or last values of the counters")
        add_json_option(group, "docs/operations.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        limit = read_limit(opts)
        output = self._render_record(args, limit, opts) if args else self._render(limit, opts)
        sys.stdout.write(output + "\n")

    def _render(self, limit: int, opts: argparse.Namespace) -> str:
        from sgr_spiders.reports import changes
        from sgr_spiders.storage.store import Store

        with Store(self.database_url).read() as connection:
            run_id, since = read_since(connection, opts.since)
            found = changes.read_changes(connection, since, run_id, limit)
        return dump_json(changes.as_json(found)) if opts.json else "\n".join(changes.as_text(found))

    def _render_record(self, args: list[str], limit: int, opts: argparse.Namespace) -> str:
        from sgr_spiders.reports import growth
        from sgr_spiders.storage.figures.growth import read_growth
        from sgr_spiders.storage.store import Store

        kind, name = read_node(args, KINDS, "changes")
        with Store(self.database_url).read() as connection:
            since = None if opts.since is None else read_since(connection, opts.since)[1]
            found = read_growth(connection, kind, name, since)
        if opts.json:
            return dump_json(growth.as_json(found, limit))
        return "\n".join(growth.as_text(found, limit))
