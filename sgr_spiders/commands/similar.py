"""``scrapy similar``: the tracks, users or artists most similar to one, with the evidence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import (
    MAX_NEIGHBOURS,
    add_neighbour_options,
    read_inclusion,
    read_limit,
    read_neighbour_source,
    read_node,
)
from sgr_spiders.reports.labels import as_json, describe, render_table
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.formatting import describe_left_out

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.reports.neighbours import SimilarRecords


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] track|user|artist NAME"

    def short_desc(self) -> str:
        return "Show the most similar tracks, users or artists, with evidence"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_neighbour_options(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.storage.neighbours import KINDS

        kind, name = read_node(args, KINDS, "similar")
        sys.stdout.write(self._render(kind, name, opts))

    def _render(self, kind: str, name: str, opts: argparse.Namespace) -> str:
        from sgr_spiders.reports.neighbours import SearchOptions, read_similar
        from sgr_spiders.storage.store import Store

        by, method = read_neighbour_source(opts)
        options = SearchOptions(by, method, read_limit(opts, MAX_NEIGHBOURS), read_inclusion(opts))
        with Store(self.database_url).read() as connection:
            similar = read_similar(connection, kind, name, options)
        label = similar.labels[similar.id]
        if opts.json:
            head = {"id": similar.id, "kind": kind, **as_json(label), "by": by, "left_out": similar.left_out}
            return dump_json({**head, "similar": similar.rows}) + "\n"
        lines = _render_lines(similar, f"{kind} {similar.id} ({describe(label)}) by {by}")
        if similar.left_out:
            lines.append(describe_left_out(similar.left_out))
        return "\n".join(lines) + "\n"


def _render_lines(similar: SimilarRecords, about: str) -> list[str]:
    if not similar.found:
        return [f"Nothing is similar to {about}: it has no neighbours"]
    rows = [
        (neighbour.id, [f"{neighbour.score:.4f}", *map(str, neighbour.shared)]) for neighbour in similar.found
    ]
    table = render_table(similar.kind, ["score", *similar.evidence], rows, similar.labels)
    return [f"Most similar to {about}:", *table]
