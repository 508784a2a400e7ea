"""A PostgreSQL server of a test's own, which it may stop."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from tests.databases import VARIABLE

if TYPE_CHECKING:
    from types import TracebackType

WITH_POSTGRES = Path(__file__).parent / "with_postgres"
SAY = f'echo "${VARIABLE}"; echo "$PG_CTL"; exec cat'
"""The command beside the server: it ends when its input does."""


class OwnServer:
    """A running server; leaving the context ends it."""

    def __init__(self) -> None:
        command = ["env", f"--unset={VARIABLE}", str(WITH_POSTGRES), "sh", "-c", SAY]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        self._pg_ctl = shlex.split(self._process.stdout.readline())

    def stop(self, mode: Literal["fast", "immediate"]) -> None:
        """Stop it: *fast* ends all transactions, *immediate* is a crash."""
        self._run(f"--mode={mode}", "stop")

    def start(self) -> None:
        self._run("start")

    def _run(self, *command: str) -> None:
        # Its owner may not enter the directory of the tests.
        subprocess.run([*self._pg_ctl, *command], cwd="/", stdout=subprocess.DEVNULL, check=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()
