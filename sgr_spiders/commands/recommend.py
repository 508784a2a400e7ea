"""``scrapy recommend``: tracks for a user, or to continue a playlist, with the tracks that explain them."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import (
    MAX_NEIGHBOURS,
    RECOMMENDATION_SOURCES,
    add_neighbour_options,
    add_reranking_options,
    read_inclusion,
    read_library_owner,
    read_limit,
    read_neighbour_source,
    read_reranking,
)
from sgr_spiders.reports.labels import as_json, describe_record
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.reports.neighbours import RecommendedTracks


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] user|playlist NAME"

    def short_desc(self) -> str:
        return "Recommend tracks to a user, or continue a playlist, with reasons"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        by = (
            "recommend by blend (walk and vectors; default after `embed --method blend`), walk (over likes; "
            "default before), playlists (a walk over them) or vectors; a playlist also by sequence "
            "(playlists in order, and likes; its default)"
        )
        add_neighbour_options(group, by)
        add_reranking_options(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        sys.stdout.write(self._render(*read_library_owner(args, "recommend"), opts))

    def _render(self, kind: str, name: str, opts: argparse.Namespace) -> str:
        from sgr_spiders.reports.neighbours import (
            SearchOptions,
            describe_evidence,
            describe_source,
            read_recommended,
        )
        from sgr_spiders.storage.store import Store

        by, method = read_neighbour_source(opts, RECOMMENDATION_SOURCES[kind])
        limit, include = read_limit(opts, MAX_NEIGHBOURS), read_inclusion(opts)
        options = SearchOptions(by, method, limit, include, **read_reranking(opts))
        with Store(self.database_url).read() as connection:
            recommended = read_recommended(connection, kind, name, options)
        if opts.json:
            head = {kind: recommended.id, **as_json(recommended.about)}
            if kind == "playlist":
                head["missing"] = recommended.missing
            source = describe_source(recommended.by, recommended.evidence)
            source["fallback"] = recommended.fallback
            reranking = {"reranking": dataclasses.asdict(recommended.reranking)}
            return dump_json({**head, **source, **reranking, "recommended": recommended.rows}) + "\n"
        lines = [*_render_lines(recommended), *describe_evidence(recommended.evidence, recommended.found)]
        if recommended.fallback is not None:
            lines.append(f"by walk: {recommended.fallback}")
        return "\n".join(lines) + "\n"


def _render_lines(recommended: RecommendedTracks) -> list[str]:
    from sgr_spiders.reports.neighbours import describe_reason, render_ranked

    record = describe_record(recommended.kind, recommended.id, recommended.about)
    about = f"{record} by {recommended.by}"
    if recommended.reranking:
        about += f", {recommended.reranking}"
    is_playlist = recommended.kind == "playlist"
    if not recommended.found:
        liked = "its tracks" if is_playlist else "what the user likes"
        return [f"Nothing to recommend to {about}: no further track is connected to {liked}"]
    rendered, *rows = render_ranked("track", recommended.found, {}, recommended.labels)
    for lines, track in zip(rows, recommended.found, strict=True):
        reasons = [
            f"    because of {describe_reason(reason, recommended.labels)}" for reason in track.because
        ]
        rendered += [*lines, *reasons]
    if recommended.missing:
        unseen = pluralize(recommended.missing, "track")
        rendered.append(f"the playlist was not looked at to its end: {unseen} not known")
    return [f"{'To continue' if is_playlist else 'Recommended to'} {about}:", *rendered]
