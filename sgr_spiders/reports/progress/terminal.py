"""A block of lines that stays below the log on a terminal."""

from __future__ import annotations

import atexit
import io
import logging
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from sgr_spiders.reports.progress.block import Space
from sgr_spiders.text.escape import for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable


class Terminal:
    """Shows a block of lines on standard error, below all that is logged there meanwhile.

    The block is drawn anew below each line of the log. It is taken away by ``hide``, or when the process
    ends, however it does. The cursor stays visible all the time, so that even ``kill -9`` leaves a
    terminal that can be used.
    """

    def __init__(self, log: logging.Handler | None, plain: logging.Formatter, *, forced: bool) -> None:
        """*log* is the handler that may write to standard error, *plain* its format without colours.

        *forced*: take standard error for a terminal even if it is none.
        """
        self._log = log
        self._plain = plain
        self._console = _Console(
            stderr=True, force_terminal=forced or None, markup=False, emoji=False, highlight=False
        )
        self._live: Live | None = None
        self._give_back: list[Callable[[], object]] = []

    @property
    def space(self) -> Space:
        width, height = self._console.size
        return Space(width, height, self._console.options.ascii_only)

    def show(self, block: Text) -> None:
        """Draw the block, in the place of the one before."""
        if self._live is None:
            self._live = self._begin()
        self._live.update(block, refresh=True)

    def hide(self) -> None:
        """Take the block away, and leave everything as it was."""
        if self._live is None:
            return
        while self._give_back:
            self._give_back.pop()()
        # Live would draw its last block once more to go up by its height, which may have been another.
        self._live.update(Text(), refresh=True)
        self._live.stop()
        self._live = None
        atexit.unregister(self.hide)

    def _begin(self) -> Live:
        atexit.register(self.hide)
        log = self._log
        if isinstance(log, logging.StreamHandler) and log.stream is sys.stderr:
            stream, formatter = log.stream, log.formatter
            self._give_back = [lambda: log.setStream(stream), lambda: log.setFormatter(formatter)]
            log.setStream(_Above(self._console))
            log.setFormatter(self._plain)
        live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            # What goes to a file or a pipe does not meet the block.
            redirect_stdout=isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.isatty(),
        )
        live.start()
        self._console.show_cursor(show=True)
        return live


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # rich would end the process. A harvest goes on when nobody looks any more.
        self.quiet = True


class _Above(io.TextIOBase):
    """Takes what is logged, and prints it above the block: whole, as it is, commanding nothing."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def write(self, text: str) -> int:
        # The terminal wraps long lines, rich would break them: a URL must stay whole when it is copied.
        self._console.print(Text(for_terminal(text.removesuffix("\n"))), soft_wrap=True)
        return len(text)
