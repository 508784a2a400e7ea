"""``soundgraph completion``: a script with which a shell completes commands and options."""

from __future__ import annotations

import argparse
import re
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final

from scrapy.commands import ScrapyCommand

from sgr_spiders.cli.options import name_program, refuse_unknown_options
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    from scrapy.settings import Settings

SHELLS: Final = ("bash", "zsh", "fish")
FILES: Final = re.compile("FILE|PATH.*")
"""The metavars of options that take a file."""

CHOICES: Final = re.compile(r"[a-z]+(\|[a-z]+)+")
"""The words that a command takes first, in its syntax."""


class Command(ScrapyCommand):
    """Describes the commands as they are now: rerun it after an upgrade."""

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "bash|zsh|fish"

    def short_desc(self) -> str:
        return "Print a script for completion in bash, zsh or fish"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        name_program(parser, self)
        super().add_options(parser)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        import shtab

        assert self.settings is not None
        try:
            refuse_unknown_options(args, self._parser, "completion")
            shell = _read_shell(args)
        except ArgumentError as error:
            sys.stderr.write(f"{error}\n")
            self.exitcode = error.exit_code
            return
        sys.stdout.write(shtab.complete(_whole_parser(self.settings), shell) + "\n")


def _read_shell(args: list[str]) -> str:
    if len(args) != 1 or args[0] not in SHELLS:
        given = f", not {quote_value(' '.join(args))}" if args else ""
        raise ArgumentError(f"name one of {', '.join(SHELLS)}{given}")
    return args[0]


def _whole_parser(settings: Settings) -> argparse.ArgumentParser:
    """Return a parser with a subparser for each command of this project."""
    import sgr_spiders.commands as package

    whole = argparse.ArgumentParser("soundgraph")
    whole.add_argument("--version", "-V", action="store_true", help="print versions")
    subparsers = whole.add_subparsers()
    for module in iter_modules(package.__path__):
        command = import_module(f"{package.__name__}.{module.name}").Command()
        command.settings = settings
        parser = subparsers.add_parser(module.name, help=command.short_desc(), conflict_handler="resolve")
        command.add_options(parser)
        if found := CHOICES.search(command.syntax()):
            parser.add_argument("what", nargs="?", choices=found[0].split("|"))
        _mark_paths(parser)
    return whole


def _mark_paths(parser: argparse.ArgumentParser) -> None:
    """Let shtab complete the names of files and directories."""
    import shtab

    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of its options
        metavar = str(action.metavar)
        if metavar == "DIRECTORY":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif FILES.fullmatch(metavar):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
