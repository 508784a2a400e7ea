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
from sgr_spiders.reports.labels import as_json, describe, render_table
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.formatting import describe_left_out, pluralize

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from sgr_spiders.embeddings.recommend import Reason, Recommendation
    from sgr_spiders.storage.labels import Label


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] user NAME"

    def short_desc(self) -> str:
        return "Recommend tracks to a user, with reasons"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_neighbour_options(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        sys.stdout.write(self._render(read_user(args, "recommend"), opts))

    def _render(self, name: str, opts: argparse.Namespace) -> str:
        from sgr_spiders.embeddings.recommend import recommend
        from sgr_spiders.embeddings.similar import count_left_out
        from sgr_spiders.storage.labels import read_labels
        from sgr_spiders.storage.names import resolve
        from sgr_spiders.storage.store import Store

        by, method = read_neighbour_source(opts)
        limit = read_limit(opts, MAX_NEIGHBOURS)
        include = read_inclusion(opts)
        with Store(self.database_url).read() as connection:
            user = resolve(connection, "user", name)
            found = recommend(connection, user, by=by, method=method, limit=limit, include=include)
            left_out = count_left_out(connection, "user", user, by=by, method=method, include=include)
            labels = read_labels(connection, "track", _tracks_in(found))
            about = read_labels(connection, "user", [user])[user]
        if opts.json:
            recommended = [_as_json(track, labels) for track in found]
            head = {"user": user, **as_json(about), "by": by, "left_out": left_out}
            return dump_json({**head, "recommended": recommended}) + "\n"
        lines = _render_lines(found, labels, f"user {user} ({describe(about)}) by {by}")
        if left_out:
            lines.append(describe_left_out(left_out))
        return "\n".join(lines) + "\n"


def _tracks_in(found: list[Recommendation]) -> set[int]:
    return {track.id for track in found} | {reason.id for track in found for reason in track.because}


def _as_json(track: Recommendation, labels: Mapping[int, Label]) -> dict[str, object]:
    because = [dataclasses.asdict(reason) | as_json(labels[reason.id]) for reason in track.because]
    return dataclasses.asdict(track) | as_json(labels[track.id]) | {"because": because}


def _render_lines(found: list[Recommendation], labels: Mapping[int, Label], about: str) -> list[str]:
    if not found:
        return [f"Nothing to recommend to {about}: no further track is connected to what the user likes"]
    rows = [(track.id, [f"{track.score:.4f}"]) for track in found]
    head, *lines = render_table("track", ["score"], rows, labels)
    rendered = [head]
    for line, track in zip(lines, found, strict=True):
        reasons = [f"    because of {_render_reason(reason, labels[reason.id])}" for reason in track.because]
        rendered += [line, *reasons]
    return [f"Recommended to {about}:", *rendered]


def _render_reason(reason: Reason, label: Label) -> str:
    shared = pluralize(reason.shared_fans, "shared fan")
    if reason.shared_playlists:
        shared += f", {pluralize(reason.shared_playlists, 'shared playlist')}"
    return f"{describe(label)} ({shared})"
