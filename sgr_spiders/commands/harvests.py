"""``scrapy harvests``: the runs in a database, the last one first. It only reads."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from sgr_spiders import harvests
from sgr_spiders.exceptions import ArgumentError, HarvestError
from sgr_spiders.storage import inventory
from sgr_spiders.storage.reader import read
from sgr_spiders.storage.store import file_of, parse_url
from sgr_spiders.wording import shown

if TYPE_CHECKING:
    import argparse

MOST = 1_000_000


class Command(ScrapyCommand):
    """No crawler is made, no lock is taken, and a crawl may be at work on the database."""

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[options]"

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

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            if args:
                raise ArgumentError(f"unexpected argument: {shown(args[0])}")
            sys.stdout.write(self._said(_limit(opts.limit), opts) + "\n")
        except HarvestError as error:
            sys.stderr.write(f"{error}\n")
            self.exitcode = error.exit_code

    def _said(self, limit: int, opts: argparse.Namespace) -> str:
        assert self.settings is not None
        url = opts.database or self.settings["HARVEST_DATABASE_URL"]
        with read(url) as connection:
            runs, _ = inventory.latest_runs(connection, limit)
        if opts.json:
            return json.dumps(harvests.as_json(runs), indent=2, ensure_ascii=False)
        return "\n".join(
            harvests.as_text(runs, inventory.describe_file(file_of(parse_url(url))).last_written)
        )


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 7 and 1 <= int(text) <= MOST):
        raise ArgumentError(f"option `--limit`: must be a whole number from 1 to {MOST}, not {shown(text)}")
    return int(text)
