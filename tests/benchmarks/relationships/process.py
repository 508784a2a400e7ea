"""Run a function in a new process and measure its time, processor time and peak memory."""

from __future__ import annotations

import multiprocessing
import resource
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement; ``answer`` is the function's result, or the reason for its failure."""

    answer: Any
    wall: float = 0.0
    cpu: float = 0.0
    peak_mb: float = 0.0
    failed: bool = False


def measure(function: Callable[..., Any], *arguments: object, limit: float = 900) -> Measured:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, function, arguments))
    process.start()
    theirs.close()
    try:
        if not ours.poll(limit):
            return Measured(f"more than {limit:.0f} s", failed=True)
        measured: Measured = ours.recv()
    except EOFError:
        return Measured("killed", failed=True)
    else:
        return measured
    finally:
        process.kill()
        process.join()


def _work(pipe: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        answer = function(*arguments)
    except ImportError as error:
        pipe.send(Measured(f"{error.name} is not installed", failed=True))
        return
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send(Measured(answer, wall, cpu, peak))
