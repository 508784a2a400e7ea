"""The base class of the commands that work on the database.

It is not in ``commands/``, where Scrapy takes each class for a command. Scrapy imports all files there to run
any command, even ``scrapy version``, so a command imports what it needs inside its functions.
"""

from __future__ import annotations

import contextlib
import errno
import sys
from contextlib import closing
from typing import TYPE_CHECKING, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.settings import default_settings

from sgr_spiders.cli.default_database import choose_default_database
from sgr_spiders.cli.live_output import discard_output
from sgr_spiders.cli.options import (
    add_shared_options,
    name_program,
    read_shared_options,
    refuse_unknown_options,
    take_any_path,
)
from sgr_spiders.cli.program import remember_invocation
from sgr_spiders.config.databases import PREFIX
from sgr_spiders.config.settings import check_mappings, check_settings
from sgr_spiders.model.exceptions import HarvestError
from sgr_spiders.model.outcome import INTERNAL_ERROR, INTERRUPTED
from sgr_spiders.text.encoding import tolerate

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from sgr_spiders.storage.store import Store

PATHS = ("--input", "--output", "--plot", "--train", "--test", "--database", "--config")
"""The options whose value is a path."""
READER_ENDED = 141
"""The exit code if the reader of the output, e.g. ``head``, has ended: as of a program that SIGPIPE ends."""
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The errors of writing to a full disk."""


class DatabaseCommand(ScrapyCommand):
    """A command without a crawler; it reports an error as one line and an exit code."""

    requires_project = True
    requires_crawler_process = False
    interrupted: ClassVar[str] = "Interrupted"
    """The message on Ctrl-C."""
    names_database: ClassVar[bool] = False
    """True if the first line of the output names the database, or there is none to name."""

    def syntax(self) -> str:
        return "[options]"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own options, those of every command of this project, and those of Scrapy's."""
        # Here, because the next step may print the help, which is not in ASCII either.
        tolerate(sys.stdout)
        self._parser = parser
        name_program(parser, self)
        take_any_path(parser, *PATHS)
        group = parser.add_argument_group(title=self.name.capitalize())
        self.add_own_options(group)
        add_shared_options(group)
        super().add_options(parser)

    @property
    def name(self) -> str:
        """The word that starts the command."""
        return type(self).__module__.rpartition(".")[2]

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        """Add the options of this command."""

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Read ``-s`` and the options of every command, and name the database if it is the default."""
        try:
            refuse_unknown_options(args, self._parser, self.name)
            read_shared_options(opts)
            check_mappings(opts.set)
        except HarvestError as error:
            sys.stderr.write(f"{error}\n")
            sys.exit(error.exit_code)
        super().process_options(args, opts)
        assert self.settings is not None
        is_default = choose_default_database(self.settings)
        remember_invocation(self.settings)
        if is_default and not self.names_database:
            output = sys.stderr if self.prints_data(opts) else sys.stdout
            output.write(f"Database: {self.database_url.removeprefix(PREFIX)}\n")
            output.flush()

    def prints_data(self, opts: argparse.Namespace) -> bool:
        """Return whether standard output is for programs."""
        return bool(getattr(opts, "json", False))

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            self._check()
            self.work(args, opts)
            sys.stdout.flush()
        except HarvestError as error:
            self.fail(str(error), error.exit_code)
        except KeyboardInterrupt:
            self.fail(self.interrupted, INTERRUPTED)
        except BrokenPipeError:
            discard_output()
            self.exitcode = READER_ENDED
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            discard_output()
            self.fail(f"could not write the output: {error.strerror}", INTERNAL_ERROR)

    def _check(self) -> None:
        """Raise ``ConfigError`` before anything is opened."""
        assert self.settings is not None
        check_settings(self.settings, vars(default_settings))

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do the work of the command; raise ``HarvestError`` if it fails."""
        raise NotImplementedError

    def fail(self, message: str, exit_code: int) -> None:
        """Print *message* and set the exit code."""
        sys.stderr.write(f"{message}\n")
        self.exitcode = exit_code

    @contextlib.contextmanager
    def writing(self, unharmed: str, *, alone: bool = True) -> Iterator[Store]:
        """Yield the database that the settings name, locked as by a crawl; it must exist.

        *unharmed* is what was not done, for the message if a crawl is at work. On a server, the command may
        work beside crawls unless it must be *alone*.
        """
        from sgr_spiders.storage.ledger.workers import refuse_workers
        from sgr_spiders.storage.store import Store

        refuse_missing(self.database_url)
        assert self.settings is not None
        lease_seconds = self.settings.getfloat("HARVEST_LEASE_SECONDS")
        with closing(Store.open(self.database_url, unharmed=unharmed)) as store:
            if alone:
                refuse_workers(store, lease_seconds, unharmed)
            yield store

    @property
    def database_url(self) -> str:
        """The database that the settings name."""
        assert self.settings is not None
        url: str = self.settings["HARVEST_DATABASE_URL"]
        return url


def refuse_missing(url: str) -> None:
    """Raise ``ConfigError`` if there is no database, because a mistyped name must not create one."""
    from sgr_spiders.storage.store import Store

    with Store(url).read():
        pass
