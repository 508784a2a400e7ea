"""``scrapy recommend``: tracks for a user, with the liked tracks that lead to them."""

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
    read_user,
)
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import describe_left_out, listing, pluralize

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.embeddings.recommend import Reason, Recommendation


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] user ID"

    def short_desc(self) -> str:
        return "Recommend tracks to a user, with reasons"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_neighbour_options(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        sys.stdout.write(self._render(read_user(args, "recommend"), opts))

    def _render(self, user: int, opts: argparse.Namespace) -> str:
        from sgr_spiders.embeddings.recommend import recommend
        from sgr_spiders.embeddings.similar import count_left_out
        from sgr_spiders.storage.store import Store

        by, method = read_neighbour_source(opts)
        limit = read_limit(opts, MAX_NEIGHBOURS)
        include = read_inclusion(opts)
        with Store(self.database_url).read() as connection:
            found = recommend(connection, user, by=by, method=method, limit=limit, include=include)
            left_out = count_left_out(connection, "user", user, by=by, method=method, include=include)
        if opts.json:
            recommended = [dataclasses.asdict(track) for track in found]
            answer = {"user": user, "by": by, "left_out": left_out, "recommended": recommended}
            return dump_json(answer) + "\n"
        lines = _render_lines(found, f"user {user} by {by}")
        if left_out:
            lines.append(describe_left_out(left_out))
        return "\n".join(lines) + "\n"


def _render_lines(found: list[Recommendation], about: str) -> list[str]:
    if not found:
        return [f"Nothing to recommend to {about}: no further track is connected to what the user likes"]
    rows = [[str(track.id), f"{track.score:.4f}", _render_title(track.title)] for track in found]
    head, *lines = listing([["id", "score", "title"], *rows])
    rendered = [head]
    for line, track in zip(lines, found, strict=True):
        rendered += [line, *(f"    because of {_render_reason(reason)}" for reason in track.because)]
    return [f"Recommended to {about}:", *rendered]


def _render_reason(reason: Reason) -> str:
    shared = pluralize(reason.shared_fans, "shared fan")
    if reason.shared_playlists:
        shared += f", {pluralize(reason.shared_playlists, 'shared playlist')}"
    return f"{_render_title(reason.title)} ({shared})"


def _render_title(title: str | None) -> str:
    return "(no title known)" if title is None else for_message(title)
