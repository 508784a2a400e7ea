"""A program on its own terminal, and the screen as a person would see it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Self

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_LIMIT_S = 120
_QUIET_S = 0.05
"""Output is complete after this time without more of it."""


class PseudoTerminal:
    """A program on a terminal of *columns* by *lines*, with its current screen."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        columns: int = 80,
        lines: int = 200,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.written = b""
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, "TERM": "xterm", **(environment or {})},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        self._slave = slave

    @property
    def rows(self) -> list[str]:
        """The lines of the screen, without the empty ones below."""
        return [row.rstrip() for row in "\n".join(self.screen.display).rstrip().split("\n")]

    @property
    def text(self) -> str:
        """The screen as one string, with wrapped lines joined."""
        return "".join(self.screen.display)

    @property
    def restored(self) -> bool:
        """True if the terminal is as before: the cursor is visible and the modes are unchanged."""
        return not self.screen.cursor.hidden and termios.tcgetattr(self._slave) == self._before

    def wait_until(self, condition: Callable[[Self], bool]) -> None:
        """Read the output of the program until the screen meets the *condition*."""
        deadline = time.monotonic() + _LIMIT_S
        while not (self._read_until_quiet() and condition(self)):
            assert self.process.poll() is None, f"the program ended too soon:\n{self.screen_text()}"
            assert time.monotonic() < deadline, f"timed out:\n{self.screen_text()}"

    def wait(self) -> int:
        """Read the output of the program to its end; return its exit code."""
        self.wait_until(lambda terminal: terminal.process.poll() is not None)
        return self.process.wait()

    def screen_text(self) -> str:
        return "\n".join(self.rows)

    def _read_until_quiet(self) -> bool:
        while select.select([self._master], [], [], _QUIET_S)[0]:
            chunk = os.read(self._master, 65536)
            self.written += chunk
            self._stream.feed(chunk)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._slave)
        os.close(self._master)
