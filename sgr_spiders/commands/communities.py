"""``scrapy communities``: find communities of tracks, users and artists in the relationships."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, refuse_arguments
from sgr_spiders.commands.crawl import configure_log
from sgr_spiders.commands.relate import stop_on_signals
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    import argparse

KINDS = {"tracks": "track", "users": "user", "artists": "artist"}
"""The values of ``--only``, and the kinds of nodes."""


class Command(DatabaseCommand):
    """Needs the writer lock, as a crawl does."""

    interrupted = "Interrupted: the communities are unchanged"

    def short_desc(self) -> str:
        return "Find communities of tracks, users and artists"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--only",
            metavar="WHAT[,WHAT]",
            help="kinds of nodes, of tracks, users and artists (default all); "
            "users are stored as well if the others come from their listeners",
        )
        group.add_argument(
            "--resolution",
            metavar="NUMBER",
            help="larger values give more and smaller communities (default 1, which is modularity)",
        )
        group.add_argument(
            "--by",
            metavar="ORIGIN",
            help="origin of the communities of tracks and artists, listeners or pairs (default listeners)",
        )
        add_json_option(group, "docs/communities.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.config import harvest
        from sgr_spiders.relationships.communities.build import build_communities
        from sgr_spiders.relationships.engine import CancelledError
        from sgr_spiders.reports import communities

        assert self.settings is not None
        configure_log(self.settings)
        refuse_arguments(args)
        config = harvest.load(self.settings["HARVEST_CONFIG"])
        section = harvest.override(config.communities, _read_changes(opts))
        config = config.model_copy(update={"communities": section})
        kinds = _read_kinds(opts.only)
        with self.writing("no communities were found", alone=False) as store:
            try:
                build_communities(store, config, kinds, stop_on_signals())
            except CancelledError:
                raise KeyboardInterrupt from None
            with store.read() as connection:
                found = communities.collect(connection, kinds)
        lines = [dump_json(communities.as_json(found))] if opts.json else communities.as_text(found)
        sys.stdout.write("\n".join(lines) + "\n")


def _read_kinds(text: str | None) -> list[str]:
    names = list(KINDS) if text is None else [part.strip() for part in text.split(",")]
    for name in names:
        if name not in KINDS:
            hint = did_you_mean(name, KINDS)
            raise ArgumentError(
                f"option `--only`: must be tracks, users or artists, not {quote_value(name)}{hint}"
            )
    return [kind for name, kind in KINDS.items() if name in names]


def _read_changes(opts: argparse.Namespace) -> dict[str, Any]:
    """Return the changes of the options to the configuration."""
    changes: dict[str, Any] = {}
    if opts.by is not None:
        changes["by"] = opts.by
    if opts.resolution is not None:
        try:
            changes["resolution"] = float(opts.resolution)
        except ValueError:
            raise ArgumentError(
                f"option `--resolution`: not a number: {quote_value(opts.resolution)}"
            ) from None
    return changes
