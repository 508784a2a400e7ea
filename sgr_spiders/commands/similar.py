"""``scrapy similar``: the tracks, users or artists most similar to one, with the evidence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import (
    MAX_NEIGHBOURS,
    NEIGHBOUR_SOURCES,
    add_neighbour_options,
    read_inclusion,
    read_limit,
    read_neighbour_source,
    read_node,
)
from sgr_spiders.reports.labels import as_json, describe_record
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.formatting import pluralize

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
        by = (
            "similarity from blend (tracks; after `embed --method blend`), npmi (shared fans beyond chance), "
            "walk (over likes), playlists (a walk over them) or vectors (default blend for tracks, else walk)"
        )
        add_neighbour_options(group, by)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.storage.neighbours import KINDS

        kind, name = read_node(args, KINDS, "similar")
        sys.stdout.write(self._render(kind, name, opts))

    def _render(self, kind: str, name: str, opts: argparse.Namespace) -> str:
        from sgr_spiders.reports.neighbours import (
            SearchOptions,
            describe_evidence,
            describe_source,
            read_similar,
        )
        from sgr_spiders.storage.store import Store

        by, method = read_neighbour_source(opts, NEIGHBOUR_SOURCES)
        options = SearchOptions(by, method, read_limit(opts, MAX_NEIGHBOURS), read_inclusion(opts))
        with Store(self.database_url).read() as connection:
            similar = read_similar(connection, kind, name, options)
        label = similar.labels[similar.id]
        if opts.json:
            head = {"id": similar.id, "kind": kind, **as_json(label)}
            source = describe_source(similar.by, similar.evidence)
            why = {"by_everyone": similar.by_everyone, "fallback": similar.fallback}
            return dump_json({**head, **source, **why, "similar": similar.rows}) + "\n"
        lines = _render_lines(similar, f"{describe_record(kind, similar.id, label)} by {similar.by}")
        lines += describe_evidence(similar.evidence, similar.found)
        if similar.fallback is not None:
            lines.append(f"by {similar.by}: {similar.fallback}")
        return "\n".join(lines) + "\n"


def _render_lines(similar: SimilarRecords, about: str) -> list[str]:
    from sgr_spiders.reports.neighbours import render_ranked

    if not similar.found:
        return [f"Nothing is similar to {about}: {_explain_nothing(similar)}"]
    counts = {name: [one.shared[place] for one in similar.found] for place, name in enumerate(similar.counts)}
    lines = [f"Most similar to {about}:"]
    for row in render_ranked(similar.kind, similar.found, counts, similar.labels):
        lines += row
    if similar.by_everyone:
        lines.append(f"by {similar.by}: {_describe_everyone(similar)}")
    return lines


def _explain_nothing(similar: SimilarRecords) -> str:
    if similar.by_everyone and similar.by == "npmi":
        return f"{_describe_everyone(similar)}; try `--by walk`"
    if similar.by == "npmi" and similar.evidence.total:
        return f"it shares no more {similar.evidence.name} with any other than by chance"
    if not similar.evidence.total:
        return f"no {similar.evidence.name} are known"
    return "it has no neighbours"


def _describe_everyone(similar: SimilarRecords) -> str:
    shared = pluralize(similar.evidence.total, similar.evidence.name.removesuffix("s"))
    return f"it has {shared}, all that were looked at, so sharing them says nothing"
