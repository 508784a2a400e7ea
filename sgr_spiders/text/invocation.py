"""Commands of this project as a user can type them: in this directory, in a shell without our variables."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from sgr_spiders.text import soundgraph_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCRAPY, SOUNDGRAPH = "scrapy", "soundgraph"


class _Invocation:
    """The way this process was started."""

    name = SCRAPY
    program = SCRAPY
    options: tuple[str, ...] = ()


_own = _Invocation()


def call_as_soundgraph() -> None:
    """Print the commands of ``soundgraph`` from now on, because this process is one."""
    _own.name = _own.program = SOUNDGRAPH


def program_name() -> str:
    """Return ``scrapy`` or ``soundgraph``, whichever this process is."""
    return _own.name


def remember(program: str, options: Sequence[str]) -> None:
    """Remember how to start the program here, and *options* that name the same database and configuration."""
    _own.program, _own.options = program, tuple(options)


@contextmanager
def restored() -> Iterator[None]:
    """Forget at the end what was remembered meanwhile."""
    before = _own.program, _own.options
    try:
        yield
    finally:
        _own.program, _own.options = before


def command(*words: str) -> str:
    """Return the command line with these *words*, for this database and configuration."""
    return as_typed(shlex.join([SCRAPY, *words, *_own.options]))


def plain_command(*words: str) -> str:
    """Return the command line of a command that uses no database."""
    return as_typed(shlex.join([SCRAPY, *words]))


def recorded_command(line: str) -> str:
    """Return the recorded command line of a run as it is typed here, for this database.

    The run may have named the database in another way: from another directory, or before it was moved.
    """
    words = shlex.split(line)
    for index in reversed([at for at, pair in enumerate(pairwise(words)) if _is_database(*pair)]):
        del words[index : index + 2]
    own = [word for pair in pairwise(_own.options) if _is_database(*pair) for word in pair]
    return as_typed(shlex.join([*words, *own]))


def _is_database(option: str, value: str) -> bool:
    return option == "-s" and value.startswith("HARVEST_DATABASE_URL=")


def as_typed(line: str) -> str:
    """Return a recorded command line that begins with ``scrapy`` as it is typed here."""
    if not line.startswith(f"{SCRAPY} "):
        return line
    rest = line[len(SCRAPY) + 1 :]
    if _own.name == SOUNDGRAPH:
        rest = shlex.join(soundgraph_words.translate(shlex.split(rest)))
    return f"{_own.program} {rest}"
