"""``scrapy plan``: the cost of a harvest, estimated before it starts."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import SETTINGS_PRIORITIES

from sgr_spiders.cli.options import add_json_option, read_integer
from sgr_spiders.commands import harvest
from sgr_spiders.model.exceptions import HarvestError
from sgr_spiders.model.outcome import COMPLETE, INTERRUPTED, PARTIAL
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse

BUDGET = "40"
MAX_SAMPLE = 10_000

HELP = {
    "max_requests": "say if the harvest needs more requests than this",
    "max_minutes": "taken as by `harvest`, without effect on the estimate",
}
"""The help of options that mean something else than to ``harvest``."""


class Command(harvest.Command):
    """Takes the seeds and arguments of ``harvest``, and ``-a`` as ``crawl`` does."""

    def short_desc(self) -> str:
        return "Estimate requests, time and size of a harvest before it starts"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        super().add_own_options(group)
        for action in group._group_actions:  # noqa: SLF001 - argparse has no public list of a group's options
            action.help = HELP.get(action.dest, action.help)
        group.add_argument(
            "--sample",
            metavar="N",
            default=BUDGET,
            help=f"maximum number of requests of the estimate itself (default {BUDGET})",
        )
        add_json_option(group, "docs/plan.md")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        super().process_options(args, opts)
        self.exit_if_wrong(lambda: _check_sample(opts))
        assert self.settings is not None
        if (self.settings.getpriority("LOG_LEVEL") or 0) < SETTINGS_PRIORITIES["cmdline"]:
            # The estimate is the only output.
            self.settings.set("LOG_LEVEL", "WARNING", "cmdline")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.crawl.planning.run import plan_harvest
        from sgr_spiders.crawl.probes import OWN_SETTINGS
        from sgr_spiders.reports.estimate import as_json, as_text

        assert isinstance(self.crawler_process, AsyncCrawlerProcess)
        # This command reports it.
        logging.getLogger("sgr_spiders.traffic.run_control").setLevel(logging.CRITICAL)
        self.crawler_process.settings.update(OWN_SETTINGS, "cmdline")
        try:
            estimate = plan_harvest(self.crawler_process, opts.spargs, int(opts.sample))
        except KeyboardInterrupt:
            sys.stderr.write("Interrupted; nothing was estimated\n")
            self.exitcode = INTERRUPTED
            return
        except HarvestError as error:
            sys.stderr.write(f"{error}\n")
            self.exitcode = error.exit_code
            return
        text = dump_json(as_json(estimate)) if opts.json else "\n".join(as_text(estimate))
        sys.stdout.write(f"{text}\n")
        self.exitcode = PARTIAL if estimate.lost else COMPLETE


def _check_sample(opts: argparse.Namespace) -> None:
    read_integer("sample", opts.sample, 1, MAX_SAMPLE)
