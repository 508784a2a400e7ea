"""``scrapy upgrade``: bring a database to this version's schema, without a crawl."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import refuse_arguments
from sgr_spiders.commands.crawl import configure_log
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    import argparse
    from collections import Counter

    from sgr_spiders.storage.backfill import Backfilled


class Command(DatabaseCommand):
    """Needs the writer lock, as a crawl does."""

    interrupted = "Interrupted: what was committed stays; rerun to resume"

    def short_desc(self) -> str:
        return "Upgrade a database to this version's schema"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--backfill",
            action="store_true",
            help="fill columns that are null from the fields stored in `raw`",
        )

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.storage.backfill import backfill
        from sgr_spiders.storage.migrate import HEAD
        from sgr_spiders.storage.store import Store

        refuse_arguments(args)
        assert self.settings is not None
        configure_log(self.settings)
        before = Store(self.database_url).revision()  # fails if the database does not exist
        with closing(Store.open(self.database_url, unharmed="nothing was upgraded")) as store:
            if before == HEAD:
                sys.stdout.write(f"Schema is up to date: revision {HEAD}\n")
            else:
                sys.stdout.write(f"Schema upgraded from revision {before} to {HEAD}\n")
            if opts.backfill:
                sys.stdout.write("\n".join(_render(backfill(store))) + "\n")


def _render(done: Backfilled) -> list[str]:
    lines = _list_counts(done.filled, "value", "filled from raw")
    if done.rejected:
        lines += _list_counts(done.rejected, "invalid value", "left in raw")
    if done.unreadable:
        lines += _list_counts(done.unreadable, "row", "skipped: raw is unreadable")
    return lines


def _list_counts(counts: Counter[str], noun: str, fate: str) -> list[str]:
    rows = [f"  {name:30} {number:>14,}" for name, number in sorted(counts.items())]
    return [f"{pluralize(counts.total(), noun)} {fate}", *rows]
