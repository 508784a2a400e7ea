"""``scrapy copy``: a harvest into another database, e.g. from SQLite to PostgreSQL."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option
from sgr_spiders.cli.program import remember_invocation
from sgr_spiders.config.databases import url_of
from sgr_spiders.config.settings import DATABASE, find_problem
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.formatting import number, pluralize, table
from sgr_spiders.text.invocation import plain_command
from sgr_spiders.text.masking import MASK, mask_url

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.storage.copying.copy import Copied

REPORT_EVERY = 10.0
"""Seconds between two lines of progress."""


class Command(DatabaseCommand):
    """Reads the source in one snapshot, also during a crawl; nobody else can use the target meanwhile."""

    interrupted = "Interrupted: nothing was copied"
    names_database = True

    def syntax(self) -> str:
        return "[options] SOURCE TARGET"

    def short_desc(self) -> str:
        return "Copy a harvest into another database"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_json_option(group, "docs/operations.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.storage.copying.copy import copy

        assert self.settings is not None
        # As on Ctrl-C: nothing remains of the target.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if opts.database is not None:
            raise ArgumentError("option `--database`: name both databases as arguments, by path or URL")
        source, target = _read_urls(args)
        # The commands in messages are about the source.
        remember_invocation(self.settings, database=source)
        done = copy(source, target, _Progress().report)
        lines = [dump_json(_as_json(done))] if opts.json else _render(done, source, target)
        sys.stdout.write("\n".join(lines) + "\n")


def _read_urls(args: list[str]) -> tuple[str, str]:
    if len(args) != 2:
        example = plain_command("copy", "sqlite:///data/soundgraph.db", "postgresql://USER@HOST/NAME")
        raise ArgumentError(f"name two databases, e.g. `{example}`")
    source, target = map(url_of, args)
    for name, url in (("SOURCE", source), ("TARGET", target)):
        if (problem := find_problem(DATABASE, url)) is not None:
            raise ArgumentError(f"argument `{name}`: {problem}")
    return source, target


class _Progress:
    """Lines on standard error, for copies that take long."""

    def __init__(self) -> None:
        self._next = time.monotonic() + REPORT_EVERY

    def report(self, action: str, name: str, rows: int) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REPORT_EVERY
        so_far = f": {pluralize(rows, 'row')}" if rows else ""
        sys.stderr.write(f"{action} {name}{so_far}\n")
        sys.stderr.flush()


def _as_json(done: Copied) -> dict[str, object]:
    return {
        "tables": {
            name: {"rows": checksum.rows, "checksum": str(checksum)} for name, checksum in done.tables.items()
        },
        "released": done.released,
        "replaced": dict(done.replaced),
        "left_out": done.left_out,
    }


def _render(done: Copied, source: str, target: str) -> list[str]:
    filled = [
        (name, number(checksum.rows)) for name, checksum in sorted(done.tables.items()) if checksum.rows
    ]
    lines = [*table([*filled, ("total", number(done.rows))]), ""]
    lines.append(f"Copied {mask_url(source)} to {mask_url(target)}")
    lines.append(f"Compared: rows and checksums of {pluralize(len(done.tables), 'table')} are equal")
    if done.released:
        lines.append(
            f"Pending in the copy: {pluralize(done.released, 'walk')} leased to a crawl in the source"
        )
    lines += [
        f"U+FFFD replaces characters that the target cannot store: {pluralize(count, 'value')} of {name}"
        for name, count in sorted(done.replaced.items())
    ]
    if done.left_out:
        lines.append(f"Not copied, because not of a harvest: {', '.join(done.left_out)}")
    shown = mask_url(target)
    hint = f"  # with the password for {MASK}" if shown != target else ""
    return [*lines, "", f"Next: export HARVEST_DATABASE_URL={shlex.quote(shown)}{hint}"]
