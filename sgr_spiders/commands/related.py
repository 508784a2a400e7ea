"""``scrapy related``: what is nearest to a track, user or artist, and what speaks for it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from sgr_spiders.exceptions import ArgumentError, HarvestError
from sgr_spiders.relationships import TYPES
from sgr_spiders.soundcloud.urns import parse_key
from sgr_spiders.storage.relationships_related import name_of, nearest, reading
from sgr_spiders.storage.relationships_runs import latest
from sgr_spiders.wording import plain, shown

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.storage.relationships_tables import PairTable

MOST = 1_000_000
NEAREST = {"track": "track_cooccurrence", "user": "user_similarity", "artist": "artist_relation"}
"""The type that tells the nearest of each kind."""


class Command(ScrapyCommand):
    """Only reads, also while a crawl works on the database."""

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[options] track|user|artist ID"

    def short_desc(self) -> str:
        return "Show what is nearest to a track, user or artist"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        group = parser.add_argument_group(title="Related")
        group.add_argument("--limit", metavar="N", default="10", help="how many (default: 10)")
        group.add_argument("--json", action="store_true", help="for programs")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            kind, node = _asked(args)
            sys.stdout.write(self._said(kind, node, _limit(opts.limit), as_json=opts.json))
        except HarvestError as error:
            sys.stderr.write(f"{error}\n")
            self.exitcode = error.exit_code

    def _said(self, kind: str, node: int, limit: int, *, as_json: bool) -> str:
        assert self.settings is not None
        table = TYPES[NEAREST[kind]].table
        with reading(self.settings["HARVEST_DATABASE_URL"]) as connection:
            try:
                name = name_of(connection, table, node)
            except LookupError:
                raise ArgumentError(f"{kind} {node} is not in this database") from None
            if latest(connection, NEAREST[kind]) is None:
                raise ArgumentError(f"{table.name} was never built: `scrapy relate` builds it")
            found = nearest(connection, table, node, limit)
        if as_json:
            answer = {"id": node, "name": name, "table": table.name, "nearest": found}
            return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"
        return "\n".join(_lines(table, name, found)) + "\n"


def _asked(args: list[str]) -> tuple[str, int]:
    if len(args) != 2 or args[0] not in NEAREST:
        raise ArgumentError(f"name one of {', '.join(NEAREST)} and its ID, e.g. `scrapy related track 123`")
    kind = TYPES[NEAREST[args[0]]].table.kind
    node = parse_key(args[1], kind)
    if node is None:
        raise ArgumentError(f"not the number or URN of a {kind}: {shown(args[1])}")
    return args[0], node


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 7 and 1 <= int(text) <= MOST):
        raise ArgumentError(f"option `--limit`: must be a whole number from 1 to {MOST}, not {shown(text)}")
    return int(text)


def _lines(table: PairTable, name: str | None, found: list[dict[str, Any]]) -> list[str]:
    if not found:
        return [f"Nothing is related to {_named(name)} in {table.name}"]
    evidence = [key for key in found[0] if key not in {"id", "name", table.score}]
    head = ["id", table.score, *evidence, "name"]
    rows = [
        [str(row["id"]), f"{row[table.score]:.4f}", *(str(row[key]) for key in evidence), _named(row["name"])]
        for row in found
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head) - 1)]
    table_lines = [
        "  ".join([*(cell.rjust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in [head, *rows]
    ]
    return [f"Nearest to {_named(name)}:", *table_lines]


def _named(name: str | None) -> str:
    return "(no name known)" if name is None else plain(name)
