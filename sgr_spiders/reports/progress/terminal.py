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
    """Shows a block of lines on standard error, below the log.

    Every log line redraws the block below it. ``hide``, or the end of the process, removes the block. The
    cursor stays visible, so the terminal remains usable even after ``kill -9``.
    """

    def __init__(self, log: logging.Handler | None, plain: logging.Formatter, *, forced: bool) -> None:
        """Prepare the terminal; nothing is shown yet.

        Args:
            log: the log handler, which may write to standard error.
            plain: the format of the log without colours.
            forced: treat standard error as a terminal even if it is not one.
        """
        self._log = log
        self._plain = plain
        self._console = _Console(
            stderr=True, force_terminal=forced or None, markup=False, emoji=False, highlight=False
        )
        self._live: Live | None = None
        self._restore: list[Callable[[], object]] = []

    @property
    def space(self) -> Space:
        width, height = self._console.size
        return Space(width, height, self._console.options.ascii_only)

    def show(self, block: Text) -> None:
        """Draw the block in place of the previous one."""
        if self._live is None:
            self._live = self._begin()
        self._live.update(block, refresh=True)

    def hide(self) -> None:
        """Remove the block and restore the log handler."""
        if self._live is None:
            return
        while self._restore:
            self._restore.pop()()
        # rich.Live redraws its last block on stop and moves up by its height, which may have changed.
        self._live.update(Text(), refresh=True)
        self._live.stop()
        self._live = None
        atexit.unregister(self.hide)

    def _begin(self) -> Live:
        atexit.register(self.hide)
        log = self._log
        if isinstance(log, logging.StreamHandler) and log.stream is sys.stderr:
            stream, formatter = log.stream, log.formatter
            self._restore = [lambda: log.setStream(stream), lambda: log.setFormatter(formatter)]
            log.setStream(_Above(self._console))
            log.setFormatter(self._plain)
        live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            # Output to a file or pipe does not collide with the block.
            redirect_stdout=isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.isatty(),
        )
        live.start()
        self._console.show_cursor(show=True)
        return live


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # rich would exit; the harvest continues without a terminal.
        self.quiet = True


class _Above(io.TextIOBase):
    """A stream that prints log lines above the block, with control characters escaped."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def write(self, text: str) -> int:
        # Let the terminal wrap long lines: rich would insert line breaks into a URL that you copy.
        self._console.print(Text(for_terminal(text.removesuffix("\n"))), soft_wrap=True)
        return len(text)
