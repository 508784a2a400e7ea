"""``scrapy raw``: the fields of the API's response that have no column, as JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import read_node
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse

KINDS = ("track", "user", "artist", "playlist", "comment")


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] track|user|artist|playlist|comment NAME"

    def short_desc(self) -> str:
        return "Print the API fields of a record that have no column"

    def prints_data(self, opts: argparse.Namespace) -> bool:
        return True

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.storage.raw_fields import read_raw
        from sgr_spiders.storage.store import Store

        kind, name = read_node(args, KINDS, "raw")
        with Store(self.database_url).read() as connection:
            fields = read_raw(connection, kind, name)
        sys.stdout.write(dump_json(fields) + "\n")
