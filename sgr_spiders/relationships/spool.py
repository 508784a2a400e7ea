"""External sorting: sorted runs, on disk if they exceed the memory, merged at the end."""

from __future__ import annotations

import contextlib
import itertools
import threading
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]

BLOCK = 1 << 20
"""Numbers per yielded block."""
NUMBERS = itertools.count()
"""The numbers of the files of this process."""


class Spool:
    """Sorts numbers that several threads add in any order."""

    def __init__(self, directory: Path, memory: int) -> None:
        """Use about *memory* bytes at most; store the rest in files in *directory*."""
        self._directory = directory
        self._run_length = max(BLOCK, memory // 8 // 8)
        self._memory = memory
        self._lock = threading.Lock()
        self._pending: list[Keys] = []
        self._pending_length = 0
        self._runs: list[Keys] = []
        self._bytes = 0
        self.length = 0

    def add(self, keys: Keys) -> None:
        with self._lock:
            self.length += len(keys)
            self._pending_length += len(keys)
            self._pending.append(keys)
            if self._pending_length < self._run_length:
                return
            pending, self._pending, self._pending_length = self._pending, [], 0
        self._add_run(pending)

    def _add_run(self, pending: list[Keys]) -> None:
        run = np.concatenate(pending)
        pending.clear()
        run.sort()
        with self._lock:
            # The other half of the memory is for sorting and merging.
            if self._bytes + run.nbytes > self._memory // 2:
                run = self._write_run(run)
            else:
                self._bytes += run.nbytes
            self._runs.append(run)

    def _write_run(self, run: Keys) -> Keys:
        path = self._directory / f"run-{next(NUMBERS)}"
        # numpy.ndarray.tofile does not report a full disk.
        path.write_bytes(run.data)
        mapped = np.memmap(path, np.uint64, "r")
        with contextlib.suppress(PermissionError):  # Windows keeps it until the whole directory is removed
            # The disk space is freed as soon as the run has been read.
            path.unlink()
        return mapped

    def sorted(self) -> Iterator[Keys]:
        """Yield all numbers in ascending order, in blocks, and empty the spool."""
        if self._pending:
            pending, self._pending, self._pending_length = self._pending, [], 0
            self._add_run(pending)
        runs, self._runs = self._runs, []
        share = BLOCK // max(1, len(runs)) + 1
        while runs := [run for run in runs if len(run)]:
            if len(runs) == 1:
                yield runs[0][:BLOCK]
                runs[0] = runs[0][BLOCK:]
                continue
            # No run has further numbers below the pivot.
            pivot = min(run[min(share, len(run)) - 1] for run in runs)
            cuts = [int(np.searchsorted(run, pivot, side="right")) for run in runs]
            block = np.concatenate([run[:cut] for run, cut in zip(runs, cuts, strict=True)])
            block.sort()
            yield block
            runs = [run[cut:] for run, cut in zip(runs, cuts, strict=True)]
