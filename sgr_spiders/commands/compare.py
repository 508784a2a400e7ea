"""``scrapy compare``: two databases, or two states of one, side by side."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, read_path
from sgr_spiders.cli.program import remember_invocation
from sgr_spiders.cli.since import read_end, read_since
from sgr_spiders.config.databases import url_of
from sgr_spiders.config.settings import DATABASE, find_problem
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.escape import for_cell
from sgr_spiders.text.invocation import plain_command
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.reports.comparison.planted import Planted
    from sgr_spiders.reports.comparison.sides import Side


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    names_database = True

    def syntax(self) -> str:
        return "[options] [DATABASE] [DATABASE]"

    def short_desc(self) -> str:
        return "Compare two databases, or two states of one"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--before",
            metavar="RUN|TIME",
            help="compare the state before this run, or before a date or time in UTC, with a later one",
        )
        group.add_argument(
            "--as-of",
            metavar="RUN|TIME",
            help="later state, with --before, at the end of this run or before a time (default now)",
        )
        group.add_argument(
            "--reference",
            metavar="DATABASE",
            help="database whose likes are held out (default that with more likes)",
        )
        group.add_argument("--html", metavar="FILE", help="also write the comparison as a page for a browser")
        add_json_option(group, "docs/compare.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.config import harvest
        from sgr_spiders.reports.comparison import comparison, document, page, text
        from sgr_spiders.storage import private_files

        assert self.settings is not None
        config = harvest.load(self.settings["HARVEST_CONFIG"])
        name = harvest.short_name(self.settings["HARVEST_CONFIG"])
        page_file = read_path("html", opts.html)
        with contextlib.ExitStack() as stack:
            sides = self._open_sides(args, opts, config, stack)
            reference = comparison.choose_reference(sides)
            if opts.reference is not None:
                url = _url_of(opts.reference, "option `--reference`")
                reference = self._open(stack, "", url, config)
                reference.name = reference.database
            planted = _planted(sides[0]), _planted(sides[1])
            found = comparison.compare(sides, config, reference, planted)
        if page_file is not None:
            private_files.write(page_file, page.render(found, name).encode())
        if opts.json:
            sys.stdout.write(dump_json(document.as_json(found, name)) + "\n")
        else:
            written = [] if page_file is None else [f"Page written to {for_cell(str(page_file))}"]
            sys.stdout.write("\n".join([*text.as_text(found, name), *written]) + "\n")

    def _open_sides(
        self, args: list[str], opts: argparse.Namespace, config: HarvestConfig, stack: contextlib.ExitStack
    ) -> tuple[Side, Side]:
        if opts.as_of is not None and opts.before is None:
            raise ArgumentError("option `--as-of`: needs `--before`")
        if args and opts.database is not None:
            raise ArgumentError("option `--database`: name the databases as arguments")
        if len(args) != 2 and opts.before is None:
            example = plain_command("compare", "a.db", "b.db")
            raise ArgumentError(f"name two databases, e.g. `{example}`, or two states of one with `--before`")
        if opts.before is None:
            a, b = (
                self._open(stack, side, _url_of(given, "argument"), config)
                for side, given in zip("AB", args, strict=True)
            )
            return a, b
        if len(args) > 1:
            raise ArgumentError(f"option `--before`: takes one database, not also {quote_value(args[1])}")
        url = _url_of(args[0], "argument") if args else self.database_url
        a, b = (self._open(stack, side, url, config) for side in "AB")
        a.moment = read_since(a.connection, opts.before, "before")[1]
        b.moment = None if opts.as_of is None else read_end(b.connection, opts.as_of, "as-of")
        if b.moment is not None and b.moment <= a.moment:
            raise ArgumentError("option `--as-of`: must be later than `--before`")
        return a, b

    def _open(self, stack: contextlib.ExitStack, name: str, url: str, config: HarvestConfig) -> Side:
        from sgr_spiders.reports.comparison.sides import Side
        from sgr_spiders.storage.store import Store

        assert self.settings is not None
        # The commands in messages are about this database.
        remember_invocation(self.settings, database=url)
        store = Store(url)
        connection = stack.enter_context(store.read())
        return Side(name, store.describe(), connection, config.relationships)


def _url_of(given: str, what: str) -> str:
    """Return the URL of a database that is given by a path or a URL."""
    url = url_of(given)
    if (problem := find_problem(DATABASE, url)) is not None:
        raise ArgumentError(f"{what}: {problem}")
    return url


def _planted(side: Side) -> Mapping[str, Planted]:
    """Return the communities that the sandbox has planted, by kind of node."""
    from sgr_spiders.reports.comparison.planted import Planted
    from sgr_spiders.sandbox.communities import communities_of
    from sgr_spiders.storage.ledger import source

    origin = source.read(side.connection)
    if origin is None or not origin.is_sandbox or origin.world is None:
        return {}
    found = communities_of(origin.world)
    if found is None:
        return {}
    people = Planted(found.users, found.homes)
    return {"track": Planted(found.tracks, found.styles), "user": people, "artist": people}
