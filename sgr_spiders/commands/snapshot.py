"""``scrapy snapshot``: the harvest in one plain SQLite file, for Datasette and other readers."""

from __future__ import annotations

import shlex
import signal
import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, read_path
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.escape import for_cell
from sgr_spiders.text.formatting import number, size, table
from sgr_spiders.text.invocation import plain_command

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from sgr_spiders.storage.snapshots.snapshot import Snapshot


class Command(DatabaseCommand):
    """Safe during a crawl: reads one snapshot, and then saves only where the file is."""

    interrupted = "Interrupted: nothing was written"

    def syntax(self) -> str:
        return "[options] FILE"

    def short_desc(self) -> str:
        return "Write a plain SQLite file for Datasette and other readers"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument("--raw", action="store_true", help="include API fields without a column, as JSON")
        group.add_argument("--force", action="store_true", help="replace an earlier snapshot")
        add_json_option(group, "docs/snapshot.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.exports import datasette
        from sgr_spiders.exports.snapshot import export_snapshot
        from sgr_spiders.storage.store import Store

        # As on Ctrl-C: nothing remains of the file.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        file = _read_file(args)
        written = export_snapshot(Store(self.database_url), file, with_raw=opts.raw, force=opts.force)
        lines = (
            [dump_json({"file": str(file), "bytes": written.bytes, "tables": written.rows})]
            if opts.json
            else _render(written, file, datasette.files_beside(file)[0])
        )
        sys.stdout.write("\n".join(lines) + "\n")


def _read_file(args: list[str]) -> Path:
    file = read_path("output", args[0]) if len(args) == 1 else None
    if file is None:
        raise ArgumentError(f"name one file, e.g. `{plain_command('snapshot', 'soundgraph.db')}`")
    return file


def _render(written: Snapshot, file: Path, metadata: Path) -> list[str]:
    filled = [(name, number(rows)) for name, rows in sorted(written.rows.items()) if rows]
    total = sum(written.rows.values())
    return [
        *table([*filled, ("total", number(total))]),
        "",
        f"Snapshot written to {for_cell(str(file))} ({size(written.bytes)})",
        f"Look at it: datasette {shlex.quote(for_cell(str(file)))} -m {shlex.quote(for_cell(str(metadata)))}",
    ]
