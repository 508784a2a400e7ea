"""``scrapy recommend``: what a user may like, and which of the user's tracks speak for it."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import MOST_NEAR, add_way_options, chosen_way, limit_of, user_of
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import listing, pluralize

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.embeddings.recommend import Reason, Recommendation


class Command(DatabaseCommand):
    """Only reads, also while a crawl works on the database."""

    def syntax(self) -> str:
        return "[options] user ID"

    def short_desc(self) -> str:
        return "Recommend tracks to a user, and say why"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_way_options(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        sys.stdout.write(self._said(user_of(args, "recommend"), opts))

    def _said(self, user: int, opts: argparse.Namespace) -> str:
        from sgr_spiders.embeddings.recommend import recommend
        from sgr_spiders.storage.store import Store

        by, method = chosen_way(opts)
        limit = limit_of(opts, MOST_NEAR)
        with Store(self.database_url).read() as connection:
            found = recommend(connection, user, by=by, method=method, limit=limit)
        if opts.json:
            answer = {"user": user, "by": by, "recommended": [dataclasses.asdict(one) for one in found]}
            return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"
        return "\n".join(_lines(found, f"user {user} by {by}")) + "\n"


def _lines(found: list[Recommendation], about: str) -> list[str]:
    if not found:
        return [f"Nothing to recommend to {about}: nothing leads further from what the user likes"]
    rows = [[str(one.id), f"{one.score:.4f}", _titled(one.title)] for one in found]
    head, *lines = listing([["id", "score", "title"], *rows])
    told = [head]
    for line, one in zip(lines, found, strict=True):
        told += [line, *(f"    because of {_reason(reason)}" for reason in one.because)]
    return [f"Recommended to {about}:", *told]


def _reason(reason: Reason) -> str:
    shared = pluralize(reason.shared_fans, "shared fan")
    if reason.shared_playlists:
        shared += f", {pluralize(reason.shared_playlists, 'shared playlist')}"
    return f"{_titled(reason.title)} ({shared})"


def _titled(title: str | None) -> str:
    return "(no title known)" if title is None else for_message(title)
