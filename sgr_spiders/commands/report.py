"""``scrapy report``: the state and the neighbourhood of the seeds on one page for a browser."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import read_path, read_seeds, refuse_arguments
from sgr_spiders.text.escape import for_cell
from sgr_spiders.text.formatting import size

if TYPE_CHECKING:
    import argparse


class Command(DatabaseCommand):
    """Safe during a crawl: reads one snapshot, and then saves only where the file is."""

    def short_desc(self) -> str:
        return "Write a report with a graph, as one page for a browser"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "-o",
            "--output",
            metavar="FILE",
            help="file to write (default beside the database, as data/soundgraph-report.html)",
        )
        group.add_argument("--seed", metavar="TRACK[,TRACK]", help="seeds to report on (default all)")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.config import harvest
        from sgr_spiders.reports.page.report import write_report
        from sgr_spiders.storage.store import Store

        refuse_arguments(args)
        assert self.settings is not None
        store = Store(self.database_url)
        file = read_path("output", opts.output) or store.beside("report.html")
        config = harvest.load(self.settings["HARVEST_CONFIG"])
        seeds = read_seeds(opts.seed, self.database_url)
        written = write_report(store, config, file, seeds)
        sys.stdout.write(f"Report written to {for_cell(str(file))} ({size(written)}); open it in a browser\n")
