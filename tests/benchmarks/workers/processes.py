"""CPU time of the processes of a harvest: its workers, the database server and the sandbox."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg

from sgr_spiders import settings
from tests import databases
from tests.benchmarks.throughput.clock import OUTPUT, Clock

if TYPE_CHECKING:
    from tests.sandbox_process import SandboxProcess

_TICK: Final = os.sysconf("SC_CLK_TCK")
_USER, _KERNEL, _CHILDREN_USER, _CHILDREN_KERNEL = 11, 12, 13, 14
"""Fields of ``/proc/PID/stat``, counted behind the name of the program."""


@dataclass(frozen=True)
class CpuTime:
    """CPU milliseconds per page: all workers together, their server, and the sandbox."""

    workers: float
    server: float
    sandbox: float

    @property
    def total(self) -> float:
        return self.workers + self.server + self.sandbox


class Meter:
    """The CPU time that the server and the sandbox use from now on, and workers between their pages."""

    def __init__(self, sandbox: SandboxProcess, folder: Path) -> None:
        self._folder = folder
        self._pids = _server(), sandbox.pid
        self._before = [_seconds(pid) for pid in self._pids]
        self._outputs: list[Path] = []

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a worker that is measured: its clock comes first, before what it measures."""
        extensions = [f"{Clock.__module__}.{Clock.__qualname__}", *settings.EXTENSIONS]
        return {"EXTENSIONS": json.dumps({name: place for place, name in enumerate(extensions)})}

    def environment(self) -> dict[str, str]:
        """Return the environment of one more worker."""
        self._outputs.append(self._folder / f"worker-{len(self._outputs)}.json")
        return {OUTPUT: str(self._outputs[-1])}

    def read(self, pages: int) -> CpuTime:
        """Return the CPU time per page, once the workers have ended."""
        workers = sum(json.loads(output.read_text())["cpu_seconds"] for output in self._outputs)
        server, sandbox = (
            _seconds(pid) - before for pid, before in zip(self._pids, self._before, strict=True)
        )
        return CpuTime(*(seconds / pages * 1e3 for seconds in (workers, server, sandbox)))


def _server() -> int:
    """Return the process ID of the server, which runs on this machine."""
    with psycopg.connect(os.environ[databases.VARIABLE]) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    return int(Path(row[0], "postmaster.pid").read_text().splitlines()[0])


def _seconds(pid: int) -> float:
    """Return the CPU time of a process, and of its children: those that have ended, and those that run."""
    running = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks = sum(_fields(pid, _USER, _KERNEL, _CHILDREN_USER, _CHILDREN_KERNEL))
    for child in running:
        with suppress(FileNotFoundError):
            ticks += sum(_fields(int(child), _USER, _KERNEL))
    return ticks / _TICK


def _fields(pid: int, *numbers: int) -> list[int]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(fields[number]) for number in numbers]
