"""``scrapy related``: the nearest neighbours of a track, user or artist, with the evidence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, add_limit_option, read_limit, read_node
from sgr_spiders.reports import labels
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.formatting import format_lift, format_q

if TYPE_CHECKING:
    import argparse
    from typing import Any

    from sgr_spiders.reports.neighbours import RelatedRecords

HIDDEN = ("expected", "p")
"""Columns that only JSON contains: lift and q say the same in fewer digits."""


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
        from sgr_spiders.reports.neighbours import NEAREST

        kind, name = read_node(args, NEAREST, "related")
        sys.stdout.write(self._render(kind, name, read_limit(opts), as_json=opts.json))

    def _render(self, kind: str, name: str, limit: int, *, as_json: bool) -> str:
        from sgr_spiders.reports.neighbours import read_related
        from sgr_spiders.storage.store import Store

        with Store(self.database_url).read() as connection:
            related = read_related(connection, kind, name, limit)
        if as_json:
            label = related.labels[related.id]
            head = {"id": related.id, "name": label.name, **labels.as_json(label)}
            return (
                dump_json(
                    {
                        **head,
                        "table": related.table.name,
                        "algorithm": related.algorithm,
                        "nearest": related.rows,
                    }
                )
                + "\n"
            )
        return "\n".join(_render_lines(kind, related)) + "\n"


def _render_lines(kind: str, related: RelatedRecords) -> list[str]:
    found, score = related.found, related.table.score
    about = labels.describe(related.labels[related.id])
    if not found:
        return [f"Nothing is related to {about} in {related.table.name}"]
    evidence = [key for key in found[0] if key not in {"id", "name", score, *HIDDEN}]
    rows = [
        (row["id"], [f"{row[score]:.4f}", *(_render_value(key, row[key]) for key in evidence)])
        for row in found
    ]
    lines = labels.render_table(kind, [score, *evidence], rows, related.labels)
    made = [] if related.algorithm is None else [f"Algorithm: {related.algorithm}"]
    return [f"Nearest to {about}:", *lines, *made]


def _render_value(name: str, value: Any) -> str:  # noqa: ANN401 - a count, a flag or a number
    if value is None:  # not computed, or of a table built by an earlier version
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "lift":
        return format_lift(value)
    return format_q(value) if name == "q" else str(value)
