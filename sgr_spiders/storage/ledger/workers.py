"""The workers of the runs: the crawl processes, to which leases belong.

On a server several workers share a run. Each says with a heartbeat that it is at work; one that is silent
for too long has lost its leases. A file has one worker, and its lock proves that earlier ones have ended.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.exceptions import DatabaseInUseError
from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger.frontier import give_back, take_back_doubted
from sgr_spiders.storage.schema import walks, workers
from sgr_spiders.storage.server import on_server
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Connection, Store

PLANNING = 0x5347_0001
"""The key of PostgreSQL's advisory lock under which layers decide, and runs and workers begin and end."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that has not left its run."""

    worker_id: int
    run_id: int
    host: str
    process: int
    heartbeat_at: str

    @property
    def is_dead(self) -> bool:
        """True if its process ran on this host, and has ended: nobody needs to wait for its heartbeat."""
        if self.host != socket.gethostname():
            return False
        if self.process == os.getpid():
            return True
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


def lock_planning(connection: Connection) -> None:
    """Wait until no other worker decides what to fetch, and keep others from it until the transaction ends.

    Take it before any row is locked, so that no worker waits for another one that waits for it.
    """
    if on_server(connection):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({PLANNING})")


def register(connection: Connection, run_id: int) -> int:
    """Add this process to the workers of a run, and return its ID."""
    now = timestamp(_clock(connection))
    worker_id = connection.scalar(
        sa.insert(workers)
        .values(
            run_id=run_id, host=socket.gethostname(), process=os.getpid(), started_at=now, heartbeat_at=now
        )
        .returning(workers.c.worker_id)
    )
    assert isinstance(worker_id, int)
    return worker_id


def beat(connection: Connection, worker_id: int) -> bool:
    """Save that the worker is at work; return whether others had taken it for dead."""
    this = workers.c.worker_id == worker_id
    was_ended = connection.scalar(sa.select(workers.c.ended_at).where(this)) is not None
    now = timestamp(_clock(connection))
    connection.execute(sa.update(workers).where(this).values(heartbeat_at=now, ended_at=None))
    return was_ended


def leave(connection: Connection, worker_id: int) -> None:
    """Save that the worker leaves its run."""
    left = sa.update(workers).where(workers.c.worker_id == worker_id)
    connection.execute(left.values(ended_at=timestamp(_clock(connection))))


def note_requests(connection: Connection, worker_id: int, sent: int) -> None:
    """Save the number of requests that the worker has sent."""
    connection.execute(sa.update(workers).where(workers.c.worker_id == worker_id).values(requests=sent))


def count_requests(connection: Connection, run_id: int) -> int:
    """Return the number of requests of a run's workers, without those that were killed."""
    total = sa.select(sa.func.coalesce(sa.func.sum(workers.c.requests), 0)).where(workers.c.run_id == run_id)
    return int(connection.scalar(total) or 0)


def bury_dead(connection: Connection, silent_for: float, me: int | None = None) -> int:
    """End the dead workers, and return their walks to ``planned``; return the number of their leases.

    On a server those are dead that have been silent for more than *silent_for* seconds; in a file all but
    *me*.
    """
    at_work = [worker for worker in all_at_work(connection) if worker.worker_id != me]
    now = _clock(connection)
    if on_server(connection):
        since = timestamp(now - timedelta(seconds=silent_for))
        at_work = [worker for worker in at_work if worker.heartbeat_at < since or worker.is_dead]
    for chunk in chunked([worker.worker_id for worker in at_work]):
        dead = workers.c.worker_id.in_(chunk)
        connection.execute(sa.update(workers).where(dead).values(ended_at=timestamp(now)))
    # Those of earlier versions have no worker.
    living = sa.select(workers.c.worker_id).where(workers.c.ended_at.is_(None))
    ownerless = sa.or_(walks.c.worker_id.is_(None), walks.c.worker_id.not_in(living))
    take_back_doubted(connection, ownerless)
    return give_back(connection, ownerless)


def others_at_work(connection: Connection, worker_id: int, run_id: int | None = None) -> list[Worker]:
    """Return the other workers that have not left their runs: all, or those of one run."""
    return [
        worker
        for worker in all_at_work(connection)
        if worker.worker_id != worker_id and run_id in {None, worker.run_id}
    ]


def is_at_work(run_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Return the condition that a run has a worker that has not left it."""
    return sa.exists().where(workers.c.run_id == run_id, workers.c.ended_at.is_(None))


def refuse_workers(store: Store, silent_for: float, unharmed: str) -> None:
    """Raise ``DatabaseInUseError`` if workers are at work on a server; *unharmed* is what was not done."""
    if not store.on_server:
        return
    with store.write() as connection:
        lock_planning(connection)
        bury_dead(connection, silent_for)
        at_work = all_at_work(connection)
    if at_work:
        names = ", ".join(f"{worker.host}:{worker.process}" for worker in at_work)
        by = f"{pluralize(len(at_work), 'worker')} ({names})"
        raise DatabaseInUseError(f"database {store.describe()} is in use by {by}; {unharmed}")


def all_at_work(connection: Connection) -> list[Worker]:
    """Return the workers that have not left their runs."""
    columns = (
        workers.c.worker_id,
        workers.c.run_id,
        workers.c.host,
        workers.c.process,
        workers.c.heartbeat_at,
    )
    query = sa.select(*columns).where(workers.c.ended_at.is_(None)).order_by(workers.c.worker_id)
    return [Worker(*row) for row in connection.execute(query)]


def _clock(connection: Connection) -> datetime:
    """Return the time of the database: the clocks of the workers may differ."""
    if on_server(connection):
        now = connection.scalar(sa.select(sa.func.clock_timestamp()))
        assert isinstance(now, datetime)
        return now
    return datetime.now(UTC)
