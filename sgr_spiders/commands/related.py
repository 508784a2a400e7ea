"""``scrapy related``: the nearest neighbours of a track, user or artist, with the evidence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, add_limit_option, read_limit, read_node
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.storage.pairs.tables import PairTable

NEAREST = {"track": "track_cooccurrence", "user": "user_similarity", "artist": "artist_relation"}
"""The relationship type that contains the neighbours of each kind."""
KINDS = {"track": "track", "user": "user", "artist": "user"}
"""The kind in the URN of each."""


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] track|user|artist ID"

    def short_desc(self) -> str:
        return "Show the nearest neighbours of a track, user or artist"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_limit_option(group, 10)
        add_json_option(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        kind, node = read_node(args, KINDS, "related")
        sys.stdout.write(self._render(kind, node, read_limit(opts), as_json=opts.json))

    def _render(self, kind: str, node: int, limit: int, *, as_json: bool) -> str:
        from sgr_spiders.relationships import TYPES
        from sgr_spiders.storage.pairs.builds import latest
        from sgr_spiders.storage.pairs.related import name_of, nearest
        from sgr_spiders.storage.store import Store

        table = TYPES[NEAREST[kind]].table
        with Store(self.database_url).read() as connection:
            try:
                name = name_of(connection, table, node)
            except LookupError:
                raise ArgumentError(f"{kind} {node} is not in this database") from None
            if latest(connection, NEAREST[kind]) is None:
                raise ArgumentError(f"{table.name} has not been built; run `{command('relate')}`")
            found = nearest(connection, table, node, limit)
        if as_json:
            answer = {"id": node, "name": name, "table": table.name, "nearest": found}
            return dump_json(answer) + "\n"
        return "\n".join(_render_lines(table, name, found)) + "\n"


def _render_lines(table: PairTable, name: str | None, found: list[dict[str, Any]]) -> list[str]:
    if not found:
        return [f"Nothing is related to {_render_name(name)} in {table.name}"]
    evidence = [key for key in found[0] if key not in {"id", "name", table.score}]
    head = ["id", table.score, *evidence, "name"]
    rows = [
        [
            str(row["id"]),
            f"{row[table.score]:.4f}",
            *(_render_value(row[key]) for key in evidence),
            _render_name(row["name"]),
        ]
        for row in found
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head) - 1)]
    table_lines = [
        "  ".join([*(cell.rjust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in [head, *rows]
    ]
    return [f"Nearest to {_render_name(name)}:", *table_lines]


def _render_value(value: object) -> str:
    if value is None:  # the flag `cut` of a table built by an earlier version
        return "-"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _render_name(name: str | None) -> str:
    return "(no name known)" if name is None else for_message(name)
