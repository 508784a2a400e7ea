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
from sgr_spiders.reports.labels import as_json, describe, render_table
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.formatting import describe_left_out

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from sgr_spiders.embeddings.similar import Similar
    from sgr_spiders.storage.labels import Label


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
        from sgr_spiders.embeddings.similar import EVIDENCE, count_left_out, find_similar
        from sgr_spiders.storage.labels import read_labels
        from sgr_spiders.storage.names import resolve
        from sgr_spiders.storage.store import Store

        by, method = read_neighbour_source(opts)
        limit = read_limit(opts, MAX_NEIGHBOURS)
        include = read_inclusion(opts)
        with Store(self.database_url).read() as connection:
            node = resolve(connection, kind, name)
            found = find_similar(connection, kind, node, by=by, method=method, limit=limit, include=include)
            left_out = count_left_out(connection, kind, node, by=by, method=method, include=include)
            labels = read_labels(connection, kind, [node, *(neighbour.id for neighbour in found)])
        evidence = EVIDENCE[kind]
        if opts.json:
            rows = [_as_json(neighbour, evidence, labels) for neighbour in found]
            head = {"id": node, "kind": kind, **as_json(labels[node]), "by": by, "left_out": left_out}
            return dump_json({**head, "similar": rows}) + "\n"
        about = f"{kind} {node} ({describe(labels[node])}) by {by}"
        lines = _render_lines(kind, found, evidence, labels, about)
        if left_out:
            lines.append(describe_left_out(left_out))
        return "\n".join(lines) + "\n"


def _as_json(neighbour: Similar, evidence: tuple[str, str], labels: Mapping[int, Label]) -> dict[str, object]:
    values = dataclasses.asdict(neighbour)
    shared = values.pop("shared")
    return values | as_json(labels[neighbour.id]) | dict(zip(evidence, shared, strict=True))


def _render_lines(
    kind: str, found: list[Similar], evidence: tuple[str, str], labels: Mapping[int, Label], about: str
) -> list[str]:
    if not found:
        return [f"Nothing is similar to {about}: it has no neighbours"]
    rows = [(neighbour.id, [f"{neighbour.score:.4f}", *map(str, neighbour.shared)]) for neighbour in found]
    return [f"Most similar to {about}:", *render_table(kind, ["score", *evidence], rows, labels)]
