"""The command ``soundgraph``: the command line of Scrapy with this project's settings, in any directory.

It imports Scrapy only for a command, because that takes longer than all the rest.
"""

from __future__ import annotations

import os
import platform
import sys
from importlib import import_module
from importlib.metadata import version
from pkgutil import iter_modules
from typing import Final

import sgr_spiders
from sgr_spiders.cli.program import find_program
from sgr_spiders.config.databases import SETTINGS_MODULE
from sgr_spiders.model.outcome import USAGE_ERROR
from sgr_spiders.storage.revisions import HEAD
from sgr_spiders.text import invocation
from sgr_spiders.text.encoding import tolerate
from sgr_spiders.text.formatting import wrap
from sgr_spiders.text.messages import did_you_mean, quote_value

GROUPS: Final = {
    "Harvest": ("doctor", "plan", "harvest", "status", "follow", "seeds", "harvests", "changes", "crawl"),
    "Explore": ("report", "why", "related", "similar", "recommend", "profile", "raw", "compare"),
    "Build": ("relate", "communities", "embed", "evaluate"),
    "Take away": ("export", "study", "snapshot", "copy"),
    "Maintain": ("upgrade", "vacuum", "prune", "forget"),
    "Try, and set up": ("sandbox", "completion"),
}
"""The commands in the order of their use; others follow by name."""

COMMANDS: Final = "sgr_spiders.commands"
FIRST: Final = ("--database", "--config")
"""Options that may also stand before the command."""


def main() -> None:
    """Run the command that ``sys.argv`` names, and exit."""
    tolerate(sys.stdout)
    invocation.call_as_soundgraph()
    os.environ["SCRAPY_SETTINGS_MODULE"] = SETTINGS_MODULE
    options, words = _split(sys.argv[1:])
    match words:
        case [] if options:
            _refuse(f"name a command after {options[0]}")
        case [] | [("-h" | "--help" | "help")]:
            sys.stdout.write("\n".join(_help()) + "\n")
        case [("-V" | "--version" | "version")]:
            sys.stdout.write(_versions() + "\n")
        case ["-h" | "--help" | "help", name]:
            _execute(name, ["--help"])
        case [name, *rest]:
            _execute(name, [*options, *rest])


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the options that stand before the command, and all that follows them."""
    end = 0
    while end < len(arguments) and arguments[end].partition("=")[0] in FIRST:
        end += 1 if "=" in arguments[end] else 2
    return arguments[:end], arguments[end:]


def _execute(name: str, arguments: list[str]) -> None:
    if name.startswith("-"):
        hint = did_you_mean(name, [*FIRST, "--help", "--version"])
        _refuse(f"unknown option {quote_value(name)}{hint}; options follow the command")
    if (problem := find_unknown(name)) is not None:
        _refuse(f"{problem}; `{find_program()} --help` lists all commands")
    from scrapy.cmdline import execute  # noqa: PLC0415 - slow to import

    execute([invocation.SOUNDGRAPH, name, *arguments])


def find_unknown(name: str) -> str | None:
    """Return the reason against *name* if no command is called so."""
    known = _own_commands()
    if name in known or name in _scrapys_commands():
        return None
    return f"unknown command {quote_value(name)}{did_you_mean(name, known)}"


def _refuse(message: str) -> None:
    sys.stderr.write(f"{message}\n")
    sys.exit(USAGE_ERROR)


def _own_commands() -> list[str]:
    return _modules(COMMANDS)


def _scrapys_commands() -> list[str]:
    return _modules("scrapy.commands")


def _modules(package: str) -> list[str]:
    return [module.name for module in iter_modules(import_module(package).__path__)]


def _versions() -> str:
    return (
        f"soundgraph {sgr_spiders.__version__} (Scrapy {version('scrapy')}, "
        f"Python {platform.python_version()}, database schema {HEAD})"
    )


def _help() -> list[str]:
    """Return the usage and each command with its description."""
    lines = ["Usage: soundgraph COMMAND [options]", ""]
    left = _own_commands()
    for heading, names in [*GROUPS.items(), ("Other", tuple(left))]:
        found = [name for name in names if name in left]
        left = [name for name in left if name not in found]
        if found:
            lines += [heading, *(line for name in found for line in _describe(name)), ""]
    return [
        *lines,
        *wrap("Every command on a database has --database PATH|URL and --config FILE; all have --help."),
        *wrap("soundgraph --version prints versions. Scrapy's own commands work as well: scrapy --help"),
    ]


def _describe(name: str) -> list[str]:
    description: str = import_module(f"{COMMANDS}.{name}").Command().short_desc()
    first, *rest = wrap(description, 15)
    return [f"  {name:<13}{first}", *(f"{'':15}{line}" for line in rest)]
