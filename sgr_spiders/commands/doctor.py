"""``scrapy doctor``: whether a harvest could start, and what to do if not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from scrapy.settings import Settings

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, refuse_arguments
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scrapy.settings import BaseSettings

    from sgr_spiders.cli.checks.check import Check
    from sgr_spiders.crawl.online_checks import Online


class Command(DatabaseCommand):
    """Changes nothing, and sends no request without ``--online``."""

    names_database = True

    def short_desc(self) -> str:
        return "Check everything that a harvest needs"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--online",
            action="store_true",
            help="also get a token for each lane, and send one request with it",
        )
        add_json_option(group, "docs/doctor.md")

    def _check(self) -> None:
        """Refuse nothing here: wrong settings are what this command reports."""

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.cli.checks.check import as_json, as_text, has_errors

        refuse_arguments(args)
        checks = list(self._checks(online=opts.online))
        text = dump_json(as_json(checks)) if opts.json else "\n".join(as_text(checks))
        sys.stdout.write(f"{text}\n")
        self.exitcode = 1 if has_errors(checks) else 0

    def _checks(self, *, online: bool) -> Iterator[Check]:
        from sgr_spiders.cli.checks import database, keys, setup
        from sgr_spiders.cli.checks.check import has_errors
        from sgr_spiders.cli.checks.online import check_clock, check_lanes

        assert self.settings is not None
        settings = self.settings
        assert isinstance(settings, Settings)
        values = list(setup.check_values(settings))
        yield from values
        yield from setup.check_contact(settings)
        yield from setup.check_configuration(settings["HARVEST_CONFIG"])
        lanes = list(keys.check_credentials(settings))
        yield from lanes
        found = None
        if online and not has_errors([*values, *lanes]):
            found = _ask(settings)
            yield from check_lanes(found.problems)
            yield from check_clock(found.clock_error)
        world = None if found is None else found.world
        yield from database.check_database(self.database_url, _origin(settings), world)
        yield from setup.check_parts()


def _origin(settings: BaseSettings) -> str | None:
    """Return the origin of the API; ``None`` if the setting is wrong, which another check reports."""
    from sgr_spiders.traffic.origin import Origin

    found = Origin.of(str(settings["SOUNDCLOUD_API_URL"]))
    return None if found is None else str(found)


def _ask(settings: Settings) -> Online:
    from scrapy.crawler import AsyncCrawlerProcess

    from sgr_spiders.crawl.online_checks import ask_online
    from sgr_spiders.crawl.probes import OWN_SETTINGS

    asked = settings.copy()
    # The checks say what the log would.
    asked.update({**OWN_SETTINGS, "LOG_LEVEL": "CRITICAL"}, "cmdline")
    return ask_online(AsyncCrawlerProcess(asked))
