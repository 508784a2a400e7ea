"""``scrapy sandbox``: an offline stand-in for SoundCloud's API."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from sgr_spiders.cli.options import name_program, refuse_arguments, refuse_unknown_options
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.model.outcome import USAGE_ERROR
from sgr_spiders.text.encoding import tolerate

if TYPE_CHECKING:
    import argparse


class Command(ScrapyCommand):
    """Starts the sandbox in this process, without a crawler.

    Scrapy imports every command to run any of them, and the sandbox takes longer to load than a
    crawl, so it is imported where it is used.
    """

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Serve an invented SoundCloud on this machine for trial harvests"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        from sgr_spiders.sandbox import options

        tolerate(sys.stdout)
        self._parser = parser
        name_program(parser, self)
        options.add_options(parser)
        super().add_options(parser)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.sandbox import options
        from sgr_spiders.sandbox.__main__ import start

        try:
            refuse_unknown_options(args, self._parser, "sandbox")
            refuse_arguments(args)
            chosen = options.read(opts)
        except (ArgumentError, options.OptionError) as error:
            self._refuse(str(error))
            return
        self.exitcode = start(chosen)

    def _refuse(self, message: str) -> None:
        sys.stderr.write(f"{message}\n")
        self.exitcode = USAGE_ERROR
