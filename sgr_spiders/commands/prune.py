"""``scrapy prune``: remove what the configuration says not to keep."""

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
    """Needs the writer lock, as a crawl does. A dry run is read-only, and safe during a crawl."""

    interrupted = "Interrupted: the database is consistent; rerun to continue"

    def short_desc(self) -> str:
        return "Remove what the configuration says not to keep"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--dry-run", action="store_true", help="only print rows and bytes by rule, change nothing"
        )
        group.add_argument("--vacuum", action="store_true", help="then do what the command vacuum does")
        add_json_option(group, "docs/operations.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.config import harvest
        from sgr_spiders.reports import pruned, space
        from sgr_spiders.storage.retention.prune import plan, prune
        from sgr_spiders.storage.store import Store

        assert self.settings is not None
        refuse_arguments(args)
        retention = harvest.load(self.settings["HARVEST_CONFIG"]).retention
        if opts.dry_run:
            with Store(self.database_url).read() as connection:
                done, compacted = plan(connection, retention), None
        else:
            with self.writing("nothing was pruned") as store:
                done = prune(store, retention)
                compacted = space.compact(store) if opts.vacuum else None
        if opts.json:
            answer = pruned.as_json(done, dry_run=opts.dry_run)
            if compacted is not None:
                answer["vacuum"] = dataclasses.asdict(compacted)
            lines = [dump_json(answer)]
        else:
            lines = pruned.as_text(done, retention, dry_run=opts.dry_run, vacuumed=compacted is not None)
            lines += [] if compacted is None else space.describe(compacted)
        sys.stdout.write("\n".join(lines) + "\n")
