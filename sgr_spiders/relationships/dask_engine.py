"""The engine that finds pairs on a Dask cluster: of this machine, or of many.

The process that relates keeps the input. It sends pairs of blocks to the workers, a few at a time, and
receives their results one after the other. So a thread of a worker needs memory for two blocks and their
result, and a worker that is lost costs only what it was doing.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import time
from collections import deque
from dataclasses import dataclass, replace
from math import isqrt
from typing import TYPE_CHECKING

import dask
import distributed
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from sgr_spiders import __version__
from sgr_spiders.model.exceptions import ClusterError
from sgr_spiders.relationships import blocks
from sgr_spiders.relationships.blocks import Task, can_relate, cut_block, divide, find_pairs
from sgr_spiders.relationships.engine import CancelledError, Engine, PairFinder, available_processors
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from sgr_spiders.relationships.arrangement import Arrangement
    from sgr_spiders.relationships.base import Counts
    from sgr_spiders.relationships.blocks import Block, Found
    from sgr_spiders.relationships.keys import Keys, Numbers

    Rows = range | tuple[int, ...]

logger = logging.getLogger(__name__)

UNLIMITED = 2 << 30
"""The bytes to use per thread of a worker without a memory limit."""
MOST_FOUND = 1 << 24
"""Pairs from which a task ends early: 128 MB."""
TASKS_PER_THREAD = 4
"""Tasks to divide the work into at least, so that no worker is idle for long at the end."""
MOST_SENT = 4 << 30
"""Bytes of blocks to keep on a cluster for later tasks. The scheduler has a copy of them."""
AHEAD = 2
"""Tasks at a time per thread: one is running while the blocks of the next one are on their way."""
NO_WORKER_SECONDS = 60
"""The time without any worker after which a cluster is lost."""
POLL_SECONDS = 0.5
NO_SCHEDULER = "no connection to its scheduler"
SETTINGS = {
    # A block is sent with its task, so that it is not lost with a worker.
    "distributed.admin.large-graph-warning-threshold": "1TB",
    "distributed.comm.timeouts.connect": "10s",
}


@dataclass(frozen=True, slots=True)
class Job:
    """A task, and the rows of its blocks."""

    task: Task
    block: Rows
    other: Rows | None = None


@contextlib.contextmanager
def open_engine(address: str | None, threads: int) -> Iterator[DaskEngine]:
    """Connect to the scheduler at *address*, or start a cluster of so many *threads* on this machine.

    Raises:
        ClusterError: there is no such cluster, or a worker does not have this version of the package.
    """
    # It logs each connection, and errors that are raised as well.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(SETTINGS))
        if address is None:
            # A process per thread, because SciPy's products of sparse matrices hold the GIL.
            address = stack.enter_context(
                distributed.LocalCluster(
                    n_workers=threads or available_processors(),
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                )
            ).scheduler_address
        try:
            client = stack.enter_context(distributed.Client(address))
        except (OSError, ValueError) as error:
            raise ClusterError(f"Dask cluster {address}: could not connect: {error}") from error
        engine = DaskEngine(client, address)
        engine.check_versions()
        yield engine


class DaskEngine(Engine):
    """A connection to a cluster."""

    def __init__(self, client: distributed.Client, address: str) -> None:
        self._client = client
        self._address = address
        self._lost: ClusterError | None = None

    def open(self, arrangement: Arrangement, is_cancelled: Callable[[], bool]) -> PairFinder:
        return DaskFinder(arrangement, self, is_cancelled)

    def check_versions(self) -> None:
        """Raise ``ClusterError`` unless there are workers, and all have this version of the package.

        The scheduler needs it, too, because it unpacks the tasks.
        """

        # A function within a function is sent as code, so that it runs where the package is missing.
        def read_version() -> str | None:
            try:
                import sgr_spiders.relationships.blocks  # noqa: PLC0415
            except ImportError:
                return None
            return sgr_spiders.__version__

        with self._watching():
            self._client.wait_for_workers(1, timeout=NO_WORKER_SECONDS)
            _check_version(self._client.run_on_scheduler(read_version), f"scheduler {self._address}")
            for address, version in self._client.run(read_version).items():
                _check_version(version, f"worker {address}")

    def workers(self) -> list[dict[str, Any]]:
        """Return the description of each current worker."""
        with self._watching():
            scheduler = self._client.scheduler
            if scheduler is None:
                raise ConnectionError(NO_SCHEDULER)
            # Not `scheduler_info`: the client renews it in its own thread, there without any worker.
            description = self._client.sync(scheduler.identity)
            return list(description["workers"].values())

    def run(
        self, jobs: Sequence[Job], cut: Callable[[Rows], Block], is_cancelled: Callable[[], bool]
    ) -> Iterator[tuple[Job, Found]]:
        """Do all jobs, with the blocks that *cut* returns; yield what each found, one or several times.

        Raises:
            ClusterError: the cluster was lost.
            CancelledError: *is_cancelled* returned true.
        """
        waiting = deque(jobs)
        memory = sum(_memory_per_thread(worker) * worker["nthreads"] for worker in self.workers())
        with (
            self._watching(),
            contextlib.closing(_Desk(self._client, cut, min(memory // 4, MOST_SENT))) as desk,
        ):
            while waiting or desk.running:
                ahead = AHEAD * sum(worker["nthreads"] for worker in self.workers())
                # Also without any worker, so that this waits for one.
                while waiting and len(desk.running) < max(1, ahead):
                    desk.submit(waiting.popleft())
                for future in self._wait(desk.running, is_cancelled):
                    job, found = desk.take(future)
                    if found.left:
                        waiting.appendleft(replace(job, task=replace(job.task, rows=found.left)))
                    yield job, found

    def _wait(
        self, running: dict[distributed.Future[Found], Job], is_cancelled: Callable[[], bool]
    ) -> list[distributed.Future[Found]]:
        """Return the finished tasks as soon as there are any."""
        had_worker = time.monotonic()
        while not (done := [future for future in running if future.done()]):
            if is_cancelled():
                raise CancelledError
            if self.workers():
                had_worker = time.monotonic()
            elif time.monotonic() > had_worker + NO_WORKER_SECONDS:
                raise TimeoutError(f"no worker for {NO_WORKER_SECONDS} s")
            with contextlib.suppress(distributed.TimeoutError):
                distributed.wait(list(running), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
        return done

    @contextlib.contextmanager
    def _watching(self) -> Iterator[None]:
        """Raise a ``ClusterError`` if the cluster is lost, or has been: connecting again takes its time."""
        if self._lost is not None:
            raise self._lost
        try:
            yield
        except KilledWorker as error:
            cause = f"{error.allowed_failures + 1} workers died during the same task, {_describe(error)}"
            raise ClusterError(f"Dask cluster {self._address}: {cause}") from error
        except ImportError as error:
            needed = f"needs soundgraph-deep-harvest {__version__}"
            raise ClusterError(f"Dask cluster {self._address}: each worker {needed}: {error}") from error
        except (OSError, TimeoutError, FutureCancelledError) as error:
            cause = NO_SCHEDULER if isinstance(error, FutureCancelledError) else _describe(error)
            self._lost = ClusterError(f"Dask cluster {self._address} was lost: {cause}; rerun to retry")
            raise self._lost from error


class DaskFinder(PairFinder):
    """Finds pairs block by block."""

    def __init__(
        self, arrangement: Arrangement, engine: DaskEngine, is_cancelled: Callable[[], bool]
    ) -> None:
        super().__init__(arrangement, is_cancelled)
        self._engine = engine
        workers = engine.workers()
        self._threads = sum(worker["nthreads"] for worker in workers)
        memory = min((_memory_per_thread(worker) for worker in workers), default=UNLIMITED)
        fewest = isqrt(2 * TASKS_PER_THREAD * self._threads) + 1
        # Half of the memory for the two blocks of a task, a quarter for what it found.
        self._blocks = divide(arrangement, memory // 2 // (2 * blocks.ENTRY_BYTES), fewest)
        self._enough = min(MOST_FOUND, memory // 4 // 8)

    def sample(self, rows: Numbers) -> Iterator[Keys]:
        jobs = []
        for block in self._blocks:
            before, inside = rows[rows < block.start], rows[(rows >= block.start) & (rows < block.stop)]
            if len(before):
                jobs.append(Job(self._task([(0, len(before))]), tuple(before.tolist()), block))
            if len(inside):
                singles = [(row, row + 1) for row in (inside - block.start).tolist()]
                jobs.append(Job(self._task(singles), block))
        for _, found in self._run(jobs):
            yield found.keys

    def find(self, take: Callable[[Keys], None], report: Callable[[float], None]) -> None:
        pairs = list(itertools.combinations_with_replacement(self._blocks, 2))
        jobs = [
            self._job(block, other) for block, other in pairs if can_relate(self.arrangement, block, other)
        ]
        logger.info(
            "%s: %s of %s, %s skipped, on %s",
            self.arrangement.relationship.table.name,
            pluralize(len(pairs), "pair"),
            pluralize(len(self._blocks), "block"),
            f"{len(pairs) - len(jobs):,}",
            pluralize(self._threads, "thread"),
        )
        done = 0
        for _, found in self._run(jobs):
            take(found.keys)
            done += not found.left
            report(done / len(jobs))

    def tally(self, take: Callable[[Keys, Counts], None], report: Callable[[float], None]) -> None:
        sizes = self.arrangement.distinct_sizes
        pairs = itertools.combinations_with_replacement(self._blocks, 2)
        jobs = [self._job(*pair) for pair in pairs]
        jobs = [replace(job, task=replace(job.task, sizes=sizes)) for job in jobs]
        for done, (_, found) in enumerate(self._run(jobs), 1):
            assert found.numbers is not None
            take(found.keys, found.numbers)
            report(done / len(jobs))

    def _job(self, block: range, other: range) -> Job:
        return Job(self._task([(0, len(block))]), block, None if other is block else other)

    def _task(self, rows: Sequence[blocks.Rows]) -> Task:
        return Task(self.arrangement.relationship, self.arrangement.layout, rows, self._enough)

    def _run(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Found]]:
        return self._engine.run(jobs, lambda rows: cut_block(self.arrangement, rows), self._is_cancelled)


class _Desk:
    """The running tasks, and the blocks on the cluster: those used last, up to so many bytes of *memory*."""

    def __init__(self, client: distributed.Client, cut: Callable[[Rows], Block], memory: int) -> None:
        self.running: dict[distributed.Future[Found], Job] = {}
        self._client = client
        self._cut = cut
        self._memory = memory
        self._blocks: dict[Rows, tuple[distributed.Future[Block], int]] = {}

    def submit(self, job: Job) -> None:
        inputs = [self._send(rows) for rows in (job.block, job.other) if rows is not None]
        self.running[self._client.submit(_do, __version__, job.task, *inputs, pure=False)] = job

    def take(self, future: distributed.Future[Found]) -> tuple[Job, Found]:
        """Return a job and its result, which the cluster then forgets."""
        job = self.running.pop(future)
        found: Found = future.result()
        return job, found

    def close(self) -> None:
        """Cancel what is still running."""
        if self.running and self._client.status == "running":
            self._client.cancel(list(self.running))

    def _send(self, rows: Rows) -> distributed.Future[Block]:
        known = self._blocks.pop(rows, None)
        if known is None:
            block = self._cut(rows)
            known = self._client.submit(_keep, block, pure=False), block.nbytes
        self._blocks[rows] = known
        # A task that still needs a block keeps it on the cluster.
        while len(self._blocks) > 1 and sum(size for _, size in self._blocks.values()) > self._memory:
            del self._blocks[next(iter(self._blocks))]
        return known[0]


def _memory_per_thread(worker: dict[str, Any]) -> int:
    threads: int = worker["nthreads"]
    limit: int = worker["memory_limit"] or UNLIMITED * threads
    return limit // threads


def _describe(error: BaseException) -> str:
    """Return an error as part of one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _check_version(found: str | None, machine: str, needed: str = __version__) -> None:
    if found != needed:
        raise ClusterError(
            f"Dask {machine}: has {found or 'no'} soundgraph-deep-harvest, needs {needed}; install the same "
            "version on all machines"
        )


# ---- what a worker does


def _keep(block: Block) -> Block:
    return block


def _do(version: str, task: Task, block: Block, other: Block | None = None) -> Found:
    _check_version(__version__, f"worker {distributed.get_worker().address}", version)
    return find_pairs(task, block, other)
