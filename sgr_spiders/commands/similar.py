"""``scrapy similar``: what is most similar to a track, user or artist, and what speaks for it."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import MOST_NEAR, add_way_options, chosen_way, limit_of, node_of
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import listing

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.embeddings.similar import Similar


class Command(DatabaseCommand):
    """Only reads, also while a crawl works on the database."""

    def syntax(self) -> str:
        return "[options] track|user|artist ID"

    def short_desc(self) -> str:
        return "Show what is most similar to a track, user or artist, and why"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_way_options(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.storage.neighbours import KINDS

        kind, node = node_of(args, KINDS, "similar")
        sys.stdout.write(self._said(kind, node, opts))

    def _said(self, kind: str, node: int, opts: argparse.Namespace) -> str:
        from sgr_spiders.embeddings.similar import EVIDENCE, find_similar
        from sgr_spiders.storage.store import Store

        by, method = chosen_way(opts)
        limit = limit_of(opts, MOST_NEAR)
        with Store(self.database_url).read() as connection:
            found = find_similar(connection, kind, node, by=by, method=method, limit=limit)
        evidence = EVIDENCE[kind]
        if opts.json:
            answer = {"id": node, "kind": kind, "by": by, "similar": [_plain(one, evidence) for one in found]}
            return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"
        return "\n".join(_lines(found, evidence, f"{kind} {node} by {by}")) + "\n"


def _plain(one: Similar, evidence: tuple[str, str]) -> dict[str, object]:
    values = dataclasses.asdict(one)
    shared = values.pop("shared")
    return values | dict(zip(evidence, shared, strict=True))


def _lines(found: list[Similar], evidence: tuple[str, str], about: str) -> list[str]:
    if not found:
        return [f"Nothing is similar to {about}: nothing else stands where it stands"]
    rows = [
        [str(one.id), f"{one.score:.4f}", *map(str, one.shared), for_message(one.name or "(no name known)")]
        for one in found
    ]
    return [f"Most similar to {about}:", *listing([["id", "score", *evidence, "name"], *rows])]
