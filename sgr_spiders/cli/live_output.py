"""Output that continues until Ctrl-C, for people at a terminal and for pipes."""

from __future__ import annotations

import bisect
import contextlib
import itertools
import json
import os
import select
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CLEAR = "\x1b[H\x1b[J"
"""Moves the cursor to the top and clears what is below; every terminal but a dumb one knows it."""
SIZE = (80, 24)
"""The size of a terminal that does not know its own."""


@contextlib.contextmanager
def until_stopped() -> Iterator[None]:
    """End quietly on Ctrl-C, and when the reader of standard output has ended."""
    try:
        yield
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        discard_output()


def discard_output() -> None:
    """Discard the rest of standard output, which cannot be written.

    Python flushes the stream at exit, and would report the same error again.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_line(text: str) -> None:
    """Write *text* and a line end to standard output at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def write_json_line(document: object) -> None:
    """Write *document* as one line of JSON, in ASCII, at once."""
    write_line(json.dumps(document))


def pause(seconds: float) -> None:
    """Wait; raise ``BrokenPipeError`` as soon as the reader of standard output has ended."""
    try:
        output = sys.stdout.fileno()
        poll = select.poll()
    except (AttributeError, OSError):  # Windows; a stream without a file
        time.sleep(seconds)  # noqa: TID251 - no crawl runs in this process
        return
    # Without events to wait for, this reports only errors. Files and terminals have none.
    poll.register(output, 0)
    if poll.poll(1000 * seconds):
        raise BrokenPipeError


class Screen:
    """Standard output, on which each text replaces the one before if it is a terminal."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty() and os.environ.get("TERM") not in {"dumb", "unknown"}

    def show(self, lines: Sequence[str]) -> None:
        """Draw *lines* on the whole terminal; elsewhere, write them and an empty line."""
        if not self._is_terminal:
            write_line("\n".join(lines) + "\n")
            return
        # Not `shutil`, which prefers variables that may be older than the window's size.
        width, height = os.get_terminal_size(sys.stdout.fileno())
        write_line(CLEAR + "\n".join(_fit(lines, width or SIZE[0], (height or SIZE[1]) - 1)))


def _fit(lines: Sequence[str], width: int, height: int) -> list[str]:
    """Return the first lines that fit when the terminal wraps them, and the number of the others."""
    # Lazy import: only a terminal needs it, and it takes as long as a small database takes to read.
    from rich.cells import cell_len  # noqa: PLC0415

    ends = list(itertools.accumulate(max(1, -(-cell_len(line) // width)) for line in lines))
    if not ends or ends[-1] <= height:
        return list(lines)
    shown = bisect.bisect_right(ends, height - 1)
    return [*lines[:shown], f"… {len(lines) - shown:,} more lines"[:width]]
