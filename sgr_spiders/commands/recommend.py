"""``scrapy recommend``: tracks for a user, with the liked tracks that lead to them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import (
    MAX_NEIGHBOURS,
    RECOMMENDATION_SOURCES,
    add_neighbour_options,
    read_inclusion,
    read_limit,
    read_neighbour_source,
    read_user,
)
from sgr_spiders.reports.labels import as_json, describe
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.reports.neighbours import RecommendedTracks


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] user NAME"

    def short_desc(self) -> str:
        return "Recommend tracks to a user, with reasons"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        by = "recommend by walk (over likes), playlists (a walk over them) or vectors (default walk)"
        add_neighbour_options(group, by)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        sys.stdout.write(self._render(read_user(args, "recommend"), opts))

    def _render(self, name: str, opts: argparse.Namespace) -> str:
        from sgr_spiders.reports.neighbours import (
            SearchOptions,
            describe_evidence,
            describe_source,
            read_recommended,
        )
        from sgr_spiders.storage.store import Store

        by, method = read_neighbour_source(opts, RECOMMENDATION_SOURCES)
        options = SearchOptions(by, method, read_limit(opts, MAX_NEIGHBOURS), read_inclusion(opts))
        with Store(self.database_url).read() as connection:
            recommended = read_recommended(connection, name, options)
        if opts.json:
            head = {"user": recommended.user, **as_json(recommended.about)}
            source = describe_source(recommended.by, recommended.evidence)
            return dump_json({**head, **source, "recommended": recommended.rows}) + "\n"
        lines = [*_render_lines(recommended), *describe_evidence(recommended.evidence, recommended.found)]
        return "\n".join(lines) + "\n"


def _render_lines(recommended: RecommendedTracks) -> list[str]:
    from sgr_spiders.reports.neighbours import describe_reason, render_ranked

    about = f"user {recommended.user} ({describe(recommended.about)}) by {recommended.by}"
    if not recommended.found:
        return [f"Nothing to recommend to {about}: no further track is connected to what the user likes"]
    head, *lines = render_ranked("track", recommended.found, {}, recommended.labels)
    rendered = [head]
    for line, track in zip(lines, recommended.found, strict=True):
        reasons = [
            f"    because of {describe_reason(reason, recommended.labels)}" for reason in track.because
        ]
        rendered += [line, *reasons]
    return [f"Recommended to {about}:", *rendered]
