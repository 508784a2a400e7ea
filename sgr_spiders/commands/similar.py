"""``scrapy similar``: the tracks, users or artists most similar to one, with the evidence."""

from __future__ import annotations

import dataclasses
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
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import describe_left_out, listing

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.embeddings.similar import Similar


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] track|user|artist ID"

    def short_desc(self) -> str:
        return "Show the most similar tracks, users or artists, with evidence"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_neighbour_options(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.storage.neighbours import KINDS

        kind, node = read_node(args, KINDS, "similar")
        sys.stdout.write(self._render(kind, node, opts))

    def _render(self, kind: str, node: int, opts: argparse.Namespace) -> str:
        from sgr_spiders.embeddings.similar import EVIDENCE, count_left_out, find_similar
        from sgr_spiders.storage.store import Store

        by, method = read_neighbour_source(opts)
        limit = read_limit(opts, MAX_NEIGHBOURS)
        include = read_inclusion(opts)
        with Store(self.database_url).read() as connection:
            found = find_similar(connection, kind, node, by=by, method=method, limit=limit, include=include)
            left_out = count_left_out(connection, kind, node, by=by, method=method, include=include)
        evidence = EVIDENCE[kind]
        if opts.json:
            rows = [_as_json(neighbour, evidence) for neighbour in found]
            answer = {"id": node, "kind": kind, "by": by, "left_out": left_out, "similar": rows}
            return dump_json(answer) + "\n"
        lines = _render_lines(found, evidence, f"{kind} {node} by {by}")
        if left_out:
            lines.append(describe_left_out(left_out))
        return "\n".join(lines) + "\n"


def _as_json(neighbour: Similar, evidence: tuple[str, str]) -> dict[str, object]:
    values = dataclasses.asdict(neighbour)
    shared = values.pop("shared")
    return values | dict(zip(evidence, shared, strict=True))


def _render_lines(found: list[Similar], evidence: tuple[str, str], about: str) -> list[str]:
    if not found:
        return [f"Nothing is similar to {about}: it has no neighbours"]
    rows = [
        [
            str(neighbour.id),
            f"{neighbour.score:.4f}",
            *map(str, neighbour.shared),
            for_message(neighbour.name or "(no name known)"),
        ]
        for neighbour in found
    ]
    return [f"Most similar to {about}:", *listing([["id", "score", *evidence, "name"], *rows])]
