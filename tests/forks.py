"""Programs as forks of a process that has already imported their modules.

``python -m scrapy crawl`` spends more than a second of CPU time on imports, and hundreds of tests crawl. A
fork is a process of its own, with its own environment, files, signals and exit code, and imports
``sgr_spiders.settings`` itself. Tests of the start itself use `subprocess`.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
SIZE = 4
"""Bytes of a process ID or an exit code."""


class ForkedProcess:
    """A running ``python -m module …``, with the methods of `subprocess.Popen` that the tests need."""

    def __init__(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdout: int, stderr: int
    ) -> None:
        program = json.dumps([command, str(cwd), dict(env)])
        reports, to_report = os.pipe()
        try:
            socket.send_fds(_server(), [program.encode() + b"\n"], [stdout, stderr, to_report])
        finally:
            os.close(to_report)
        self._reports = reports
        self.args = command
        self.pid = self._read_number()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._reports], [], [], timeout)[0]:
            self.returncode = self._read_number()
            os.close(self._reports)
        return self.returncode

    def _read_number(self) -> int:
        number = os.read(self._reports, SIZE)
        if len(number) != SIZE:
            raise RuntimeError("the process that forks has ended")
        return int.from_bytes(number, "big", signed=True)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


Process = subprocess.Popen[bytes] | ForkedProcess


def start(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdout: int, stderr: int) -> Process:
    """Start ``python -m module …``: a fork, unless it imports another checkout or has options of Python."""
    options = {name for name in env if name.startswith("PYTHON") and name not in os.environ}
    kind = ForkedProcess if cwd == ROOT and not options else subprocess.Popen
    return kind(command, cwd=cwd, env=env, stdout=stdout, stderr=stderr)


def run(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run such a program to its end; return what it printed, too."""
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        process = start(command, cwd=cwd, env=env, stdout=out.fileno(), stderr=err.fileno())
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        return subprocess.CompletedProcess(command, code, *(_read(file) for file in (out, err)))


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


@functools.cache
def _server() -> socket.socket:
    """Start the process that forks."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())]
        server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    atexit.register(server.wait)
    atexit.register(ours.close)  # called first: the server ends when this socket is closed
    return ours
