"""Sorts more numbers than memory may hold: runs, on the disk when there are many, merged at the end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]

BLOCK = 1 << 20
"""Numbers given at a time."""


class Spool:
    """Takes numbers in any order, from several threads, and gives them back in order."""

    def __init__(self, folder: Path, memory: int) -> None:
        """*memory*: bytes to use at the most, about; what is more lies in files in *folder*."""
        self._folder = folder
        self._run_length = max(BLOCK, memory // 8 // 8)
        self._memory = memory
        self._lock = threading.Lock()
        self._pending: list[Keys] = []
        self._waiting = 0
        self._runs: list[Keys] = []
        self._held = 0
        self.length = 0

    def add(self, keys: Keys) -> None:
        with self._lock:
            self.length += len(keys)
            self._waiting += len(keys)
            self._pending.append(keys)
            if self._waiting < self._run_length:
                return
            pending, self._pending, self._waiting = self._pending, [], 0
        self._add_run(pending)

    def _add_run(self, pending: list[Keys]) -> None:
        run = np.concatenate(pending)
        pending.clear()
        run.sort()
        with self._lock:
            # Half of the memory is for what is being sorted or merged.
            if self._held + run.nbytes > self._memory // 2:
                run = self._put_aside(run, len(self._runs))
            else:
                self._held += run.nbytes
            self._runs.append(run)

    def _put_aside(self, run: Keys, number: int) -> Keys:
        path = self._folder / f"run-{id(self)}-{number}"
        # numpy's own `tofile` does not tell when the disk is full.
        path.write_bytes(run.data)
        return np.memmap(path, np.uint64, "r")

    def sorted(self) -> Iterator[Keys]:
        """Give all numbers in ascending order, block by block. The spool is empty then."""
        if self._pending:
            pending, self._pending, self._waiting = self._pending, [], 0
            self._add_run(pending)
        runs, self._runs = self._runs, []
        share = BLOCK // max(1, len(runs)) + 1
        while runs := [run for run in runs if len(run)]:
            if len(runs) == 1:
                yield runs[0][:BLOCK]
                runs[0] = runs[0][BLOCK:]
                continue
            # Up to here no run holds more that could come before.
            pivot = min(run[min(share, len(run)) - 1] for run in runs)
            cuts = [int(np.searchsorted(run, pivot, side="right")) for run in runs]
            block = np.concatenate([run[:cut] for run, cut in zip(runs, cuts, strict=True)])
            block.sort()
            yield block
            runs = [run[cut:] for run, cut in zip(runs, cuts, strict=True)]
