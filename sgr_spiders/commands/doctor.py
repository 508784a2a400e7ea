"""``scrapy doctor``: whether a harvest could start, and what to do if not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, refuse_arguments
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scrapy.settings import BaseSettings

    from sgr_spiders.cli.checks.check import Check


class Command(DatabaseCommand):
    """Changes nothing, and sends no request."""

    names_database = True

    def short_desc(self) -> str:
        return "Check everything that a harvest needs"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        add_json_option(group, "docs/doctor.md")

    def _check(self) -> None:
        """Refuse nothing here: wrong settings are what this command reports."""

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.cli.checks.check import as_json, as_text, has_errors

        refuse_arguments(args)
        checks = list(self._checks())
        text = dump_json(as_json(checks)) if opts.json else "\n".join(as_text(checks))
        sys.stdout.write(f"{text}\n")
        self.exitcode = 1 if has_errors(checks) else 0

    def _checks(self) -> Iterator[Check]:
        from sgr_spiders.cli.checks import database, keys, setup

        assert self.settings is not None
        settings = self.settings
        yield from setup.check_values(settings)
        yield from setup.check_contact(settings)
        yield from setup.check_configuration(settings["HARVEST_CONFIG"])
        yield from keys.check_credentials(settings)
        yield from database.check_database(self.database_url, _origin(settings), None)
        yield from setup.check_parts()


def _origin(settings: BaseSettings) -> str | None:
    """Return the origin of the API; ``None`` if the setting is wrong, which another check reports."""
    from sgr_spiders.traffic.origin import Origin

    found = Origin.of(str(settings["SOUNDCLOUD_API_URL"]))
    return None if found is None else str(found)
