"""``scrapy profile``: the preferences of the listeners of a track."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, add_limit_option, read_choice, read_limit
from sgr_spiders.config.choices import PROFILE_SECTIONS
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.invocation import plain_command

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] TRACK"

    def short_desc(self) -> str:
        return "Show the preferences of a track's listeners"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        sections = ",".join(PROFILE_SECTIONS)
        group.add_argument("--only", metavar="LIST", help=f"sections to show, of {sections} (default all)")
        add_limit_option(group, 10)
        add_json_option(group, "docs/profile.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1:
            raise ArgumentError(
                f"name one track by ID, URL or title, e.g. `{plain_command('profile', '123')}`"
            )
        sys.stdout.write(self._render(args[0], opts) + "\n")

    def _render(self, name: str, opts: argparse.Namespace) -> str:
        from sgr_spiders.reports.profile.profile import read_profile
        from sgr_spiders.reports.profile.text import as_json, as_text
        from sgr_spiders.storage.store import Store

        limit, sections = read_limit(opts), _read_sections(opts.only)
        with Store(self.database_url).read() as connection:
            profile = read_profile(connection, name, limit, sections)
        return dump_json(as_json(profile)) if opts.json else "\n".join(as_text(profile))


def _read_sections(text: str | None) -> Sequence[str]:
    if text is None:
        return PROFILE_SECTIONS
    return [read_choice("only", part.strip(), PROFILE_SECTIONS) for part in text.split(",")]
