"""Commands of this project as a user can type them: in this directory, in a shell without our variables."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRAPY = "scrapy"


class _Invocation:
    """The way this process was started."""

    program = SCRAPY
    options: tuple[str, ...] = ()


_own = _Invocation()


def remember(program: str, options: Sequence[str]) -> None:
    """Remember how to start ``scrapy`` here, and *options* that name the same database and configuration."""
    _own.program, _own.options = program, tuple(options)


def command(*words: str) -> str:
    """Return the command line of ``scrapy`` with these *words*, for this database and configuration."""
    return as_typed(shlex.join([SCRAPY, *words, *_own.options]))


def plain_command(*words: str) -> str:
    """Return the command line of a command that uses no database."""
    return as_typed(shlex.join([SCRAPY, *words]))


def as_typed(line: str) -> str:
    """Return a recorded command line that begins with ``scrapy`` as it is typed here."""
    return line if not line.startswith(f"{SCRAPY} ") else f"{_own.program}{line[len(SCRAPY) :]}"
