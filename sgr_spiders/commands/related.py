"""``scrapy related``: the nearest neighbours of a track, user or artist, with the evidence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, add_limit_option, read_limit, read_node
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.reports import labels
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from sgr_spiders.storage.labels import Label
    from sgr_spiders.storage.pairs.tables import PairTable

NEAREST = {"track": "track_cooccurrence", "user": "user_similarity", "artist": "artist_relation"}
"""The relationship type that contains the neighbours of each kind."""


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] track|user|artist NAME"

    def short_desc(self) -> str:
        return "Show the nearest neighbours of a track, user or artist"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_limit_option(group, 10)
        add_json_option(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        kind, name = read_node(args, NEAREST, "related")
        sys.stdout.write(self._render(kind, name, read_limit(opts), as_json=opts.json))

    def _render(self, kind: str, name: str, limit: int, *, as_json: bool) -> str:
        from sgr_spiders.relationships import TYPES
        from sgr_spiders.storage.labels import read_labels
        from sgr_spiders.storage.names import resolve
        from sgr_spiders.storage.pairs.builds import latest
        from sgr_spiders.storage.pairs.related import nearest
        from sgr_spiders.storage.store import Store

        table = TYPES[NEAREST[kind]].table
        with Store(self.database_url).read() as connection:
            node = resolve(connection, kind, name)
            if node not in read_labels(connection, kind, [node]):
                raise ArgumentError(f"{kind} {node} is not in this database")
            if latest(connection, NEAREST[kind]) is None:
                raise ArgumentError(f"{table.name} has not been built; run `{command('relate')}`")
            found = nearest(connection, table, node, limit)
            known = read_labels(connection, kind, [node, *(row["id"] for row in found)])
        if as_json:
            rows = [row | labels.as_json(known[row["id"]]) for row in found]
            head = {"id": node, "name": known[node].name, **labels.as_json(known[node])}
            return dump_json({**head, "table": table.name, "nearest": rows}) + "\n"
        return "\n".join(_render_lines(kind, table, known[node], found, known)) + "\n"


def _render_lines(
    kind: str, table: PairTable, about: Label, found: list[dict[str, Any]], known: Mapping[int, Label]
) -> list[str]:
    if not found:
        return [f"Nothing is related to {labels.describe(about)} in {table.name}"]
    evidence = [key for key in found[0] if key not in {"id", "name", table.score}]
    rows = [
        (row["id"], [f"{row[table.score]:.4f}", *(_render_value(row[key]) for key in evidence)])
        for row in found
    ]
    lines = labels.render_table(kind, [table.score, *evidence], rows, known)
    return [f"Nearest to {labels.describe(about)}:", *lines]


def _render_value(value: object) -> str:
    if value is None:  # the flag `cut` of a table built by an earlier version
        return "-"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
