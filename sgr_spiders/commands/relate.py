"""``scrapy relate``: build the relationship tables from the harvest, without requests."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from typing import TYPE_CHECKING

from scrapy.utils.log import configure_logging

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import (
    add_inclusion_options,
    read_inclusion_changes,
    read_seeds,
    refuse_arguments,
)
from sgr_spiders.commands.crawl import TECHNICAL, log_as_json_if_asked
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.relationships.processor import Related

GROUPS = {"users": "user_id", "tracks": "track_id", "artists": "artist_id"}
"""The values of ``--only``, and the column of each kind of node."""


class Command(DatabaseCommand):
    """Needs the writer lock, as a crawl does."""

    interrupted = "Interrupted: the relationships are unchanged"

    def short_desc(self) -> str:
        return "Build relationships of users, tracks and artists"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--seed", metavar="ID[,ID]", help="seeds whose surroundings to relate, by ID or URN"
        )
        group.add_argument(
            "--config", metavar="FILE", help="configuration, a YAML file or a name in configs/"
        )
        group.add_argument("--only", metavar="WHAT", help="one type, users, tracks or artists")
        add_inclusion_options(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.config import harvest

        assert self.settings is not None
        log_as_json_if_asked(self.settings)
        configure_logging(self.settings)
        if self.settings["LOG_LEVEL"] != "DEBUG":
            for name in TECHNICAL:
                logging.getLogger(name).setLevel(logging.WARNING)
        refuse_arguments(args)
        settings = harvest.load(opts.config or self.settings["HARVEST_CONFIG"])
        section = harvest.override(settings.relationships, read_inclusion_changes(opts))
        settings = settings.model_copy(update={"relationships": section})
        built = self._relate(settings, read_seeds(opts.seed), _read_types(opts.only, settings))
        for related in built:
            sys.stdout.write(f"{related.table:22} {related.rows:>14,}\n")
        for related in built:
            if related.error is not None:
                self.fail(str(related.error), related.error.exit_code)

    def _relate(self, settings: HarvestConfig, seeds: Sequence[int] | None, only: list[str]) -> list[Related]:
        from sgr_spiders.relationships.engine import CancelledError
        from sgr_spiders.relationships.processor import relate

        with self.writing("nothing was built") as store:
            try:
                return relate(store, settings, only=only, seeds=seeds, is_cancelled=_stop_on_signals())
            except CancelledError:
                raise KeyboardInterrupt from None


def _stop_on_signals() -> Callable[[], bool]:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped.is_set


def _read_types(text: str | None, settings: HarvestConfig) -> list[str]:
    from sgr_spiders.relationships import TYPES

    if text is not None and text not in GROUPS:
        hint = did_you_mean(text, GROUPS)
        raise ArgumentError(
            f"option `--only`: must be users, tracks or artists, not {quote_value(text)}{hint}"
        )
    enabled = [
        name
        for name, relationship in TYPES.items()
        if settings.relationships.section(name).enabled
        and (text is None or relationship.table.node == GROUPS[text])
    ]
    if not enabled:
        raise ArgumentError("no relationship type is enabled; enable one in the configuration")
    return enabled
