"""``scrapy vacuum``: compress ``raw`` again, and give free space back."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, refuse_arguments
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse


class Command(DatabaseCommand):
    """Needs the writer lock, as a crawl does."""

    interrupted = "Interrupted: the database is complete; rerun to continue"

    def short_desc(self) -> str:
        return "Compress `raw`, and give the space of deleted rows back"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_json_option(group, "docs/operations.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.reports.space import compact, describe

        refuse_arguments(args)
        with self.writing("nothing was vacuumed") as store:
            done = compact(store)
        lines = [dump_json(dataclasses.asdict(done))] if opts.json else describe(done)
        sys.stdout.write("\n".join(lines) + "\n")
