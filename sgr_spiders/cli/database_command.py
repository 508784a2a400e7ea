"""What the commands that work on the database share.

Not in ``commands/``, where Scrapy takes each class for a command.
"""

from __future__ import annotations

import contextlib
import sys
from contextlib import closing
from typing import TYPE_CHECKING, ClassVar

from scrapy.commands import ScrapyCommand

from sgr_spiders.model.exceptions import HarvestError
from sgr_spiders.model.outcome import INTERRUPTED
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


class DatabaseCommand(ScrapyCommand):
    """A command for which no crawler is made. A mistake is told in one line, with its exit code."""

    requires_project = True
    requires_crawler_process = False
    interrupted: ClassVar[str] = "Interrupted"
    """What is said on Ctrl-C."""

    def syntax(self) -> str:
        return "[options]"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            self.work(args, opts)
        except HarvestError as error:
            self.fail(str(error), error.exit_code)
        except KeyboardInterrupt:
            self.fail(self.interrupted, INTERRUPTED)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do what the command is for. Raises ``HarvestError`` if it cannot."""
        raise NotImplementedError

    def fail(self, message: str, exit_code: int) -> None:
        """Say why it ends, and with which exit code."""
        sys.stderr.write(f"{message}\n")
        self.exitcode = exit_code

    @contextlib.contextmanager
    def writing(self, unharmed: str) -> Iterator[Store]:
        """Yield the database that the settings name, locked as by a crawl; it must exist.

        *unharmed* says what did not happen if a crawl has it.
        """
        refuse_missing(self.database_url)
        with closing(Store.open(self.database_url, unharmed=unharmed)) as store:
            yield store

    @property
    def database_url(self) -> str:
        """The database that the settings name."""
        assert self.settings is not None
        url: str = self.settings["HARVEST_DATABASE_URL"]
        return url


def refuse_missing(url: str) -> None:
    """Raise ``ConfigError`` if there is no database: a mistyped name is an error, not a new database."""
    with Store(url).read():
        pass
