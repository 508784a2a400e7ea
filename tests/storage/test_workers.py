"""The workers of runs: their heartbeats, their deaths, and transactions that are run again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.model.exceptions import ConflictError, DatabaseAwayError, DatabaseInUseError, StorageError
from sgr_spiders.model.items import WalkRequest
from sgr_spiders.reports.state import collect_status
from sgr_spiders.reports.status import as_json, as_text
from sgr_spiders.storage import server
from sgr_spiders.storage import store as store_module
from sgr_spiders.storage.ledger import runs, workers
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.schema import walks
from sgr_spiders.storage.schema import workers as table

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Connection, Store

ON_A_SERVER = pytest.mark.postgresql("a file has one worker")
SILENT_FOR = 120.0
LONG_AGO = "2020-01-01T00:00:00.000000Z"


def begin(connection: Connection, scope: str = "a") -> runs.Run:
    return runs.begin_run(
        connection,
        spider="user_depth",
        layers=["user_depth"],
        scope=scope,
        config_hash="c",
        fresh_after="",
        refresh=False,
    )


def lease(connection: Connection, run: runs.Run, target: str) -> None:
    ledger = Ledger(connection, run)
    ledger.widen_scope(1, {"user_depth": "s"})
    ledger.request(1, "user_depth", "s", [WalkRequest("user_likes", target, "libraries", 100)])
    assert len(ledger.lease(10)) == 1


def leases(connection: Connection) -> dict[str, int | None]:
    return {row[0]: row[1] for row in connection.execute(sa.select(walks.c.target, walks.c.worker_id))}


def change(connection: Connection, worker: int, **values: object) -> None:
    connection.execute(sa.update(table).where(table.c.worker_id == worker).values(values))


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@ON_A_SERVER
def test_only_the_leases_of_silent_and_dead_workers_are_taken_over(store: Store) -> None:
    with store.write() as connection:
        living, silent, dead, elsewhere = (begin(connection) for _ in range(4))
        for run, target in zip((living, silent, dead, elsewhere), "1234", strict=True):
            lease(connection, run, target)
        change(connection, living.worker_id, process=os.getppid())
        change(connection, silent.worker_id, process=os.getppid(), heartbeat_at=LONG_AGO)
        change(connection, dead.worker_id, process=ended_process())
        # Processes of another host cannot be seen from here.
        change(connection, elsewhere.worker_id, host="elsewhere", process=ended_process())
        assert workers.bury_dead(connection, SILENT_FOR) == 2
        assert leases(connection) == {"1": living.worker_id, "2": None, "3": None, "4": elsewhere.worker_id}
        at_work = workers.others_at_work(connection, 0)
        assert [worker.worker_id for worker in at_work] == [living.worker_id, elsewhere.worker_id]


@pytest.mark.sqlite("its lock proves that earlier workers have ended")
def test_a_file_has_no_other_worker(store: Store) -> None:
    with store.write() as connection:
        earlier, me = begin(connection), begin(connection)
        lease(connection, earlier, "1")
        assert workers.bury_dead(connection, SILENT_FOR, me.worker_id) == 1
        assert workers.others_at_work(connection, me.worker_id) == []


@ON_A_SERVER
def test_a_worker_that_was_buried_comes_back_with_its_next_heartbeat(store: Store) -> None:
    with store.write() as connection:
        run = begin(connection)
        change(connection, run.worker_id, process=os.getppid(), heartbeat_at=LONG_AGO)
        workers.bury_dead(connection, SILENT_FOR)
        assert workers.beat(connection, run.worker_id)
        assert not workers.beat(connection, run.worker_id)
        assert workers.bury_dead(connection, SILENT_FOR) == 0
        assert [worker.worker_id for worker in workers.others_at_work(connection, 0)] == [run.worker_id]


def test_a_worker_settles_its_own_doubts_only(store: Store) -> None:
    """Others may have taken a walk over, and fetch it, or doubt what they got."""
    with store.write() as connection:
        taken_for_dead, other = begin(connection), begin(connection)
        lease(connection, other, "1")
        (walk,) = connection.scalars(sa.select(walks.c.walk_id))
        for state in ({"doubted": False}, {"status": "gone", "doubted": True}):
            connection.execute(sa.update(walks).values(state))
            Ledger(connection, taken_for_dead).believe([walk])
            assert leases(connection) == {"1": other.worker_id}
            assert connection.scalar(sa.select(walks.c.doubted)) is state["doubted"]
        Ledger(connection, other).believe([walk])
        assert connection.scalar(sa.select(walks.c.doubted)) is False


@pytest.mark.parametrize(
    "different", [{"spider": "deep_harvest"}, {"scope": "b"}, {"config_hash": "d"}, {"refresh": True}]
)
def test_a_run_is_joined_by_the_same_task_only(store: Store, different: dict[str, object]) -> None:
    same = {"spider": "user_depth", "scope": "a", "config_hash": "c", "refresh": False}
    with store.write() as connection:
        run = begin(connection)
        joined = runs.join_run(connection, **same)  # type: ignore[arg-type]
        assert joined is not None
        assert (joined.run_id, joined.started_at) == (run.run_id, run.started_at)
        assert joined.worker_id != run.worker_id
        assert runs.join_run(connection, **(same | different)) is None  # type: ignore[arg-type]
        for worker in (run, joined):
            workers.leave(connection, worker.worker_id)
        assert runs.join_run(connection, **same) is None  # type: ignore[arg-type]


def test_a_run_that_has_ended_is_not_joined(store: Store) -> None:
    with store.write() as connection:
        run, other = begin(connection), begin(connection, "b")
        runs.end_run(connection, run, "complete", None, 0, "{}")
        change(connection, other.worker_id, run_id=run.run_id)
        assert (
            runs.join_run(connection, spider="user_depth", scope="a", config_hash="c", refresh=False) is None
        )


def test_the_requests_of_a_run_are_those_of_all_its_workers(store: Store) -> None:
    with store.write() as connection:
        run = begin(connection)
        joined = runs.join_run(connection, spider="user_depth", scope="a", config_hash="c", refresh=False)
        assert joined is not None
        runs.note_requests(connection, run, 5)
        runs.note_requests(connection, joined, 7)
        runs.note_requests(connection, joined, 8)
        assert connection.exec_driver_sql("SELECT requests FROM runs").scalar() == 13


@pytest.mark.parametrize("error", [ConflictError, DatabaseAwayError])
def test_a_transaction_is_run_again(store: Store, error: type[StorageError]) -> None:
    tries = []

    def transaction() -> int:
        tries.append(1)
        if len(tries) < 4:
            raise error("database x: an error that passes")
        return 7

    assert store.retry(transaction) == 7
    assert len(tries) == 4


def test_other_errors_are_not_retried(store: Store) -> None:
    tries = []

    def transaction() -> None:
        tries.append(1)
        raise StorageError("database x: disk full")

    with pytest.raises(StorageError, match="disk full"):
        store.retry(transaction)
    assert len(tries) == 1


def test_retries_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "WAIT_SECONDS", 0.5)

    def transaction() -> None:
        raise DatabaseAwayError("database x: no server")

    with pytest.raises(DatabaseAwayError, match="no server"):
        store.retry(transaction)
    store.cancel_waiting()
    monkeypatch.setattr(store_module, "WAIT_SECONDS", 60)
    with pytest.raises(DatabaseAwayError, match="no server"):
        store.retry(transaction)


def test_a_transaction_that_lasted_long_is_run_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server ends the transaction of a worker that was frozen for longer than it waits for the server."""
    monkeypatch.setattr(store_module, "WAIT_SECONDS", 0.5)
    tries = []

    def transaction() -> int:
        tries.append(1)
        if len(tries) == 1:
            threading.Event().wait(0.6)
            raise DatabaseAwayError("database x: the connection was closed")
        return 7

    assert store.retry(transaction) == 7


def test_a_frozen_attempt_takes_little_off_the_patience(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker may be frozen between two attempts as well, and the next one fails once more."""
    monkeypatch.setattr(store_module, "WAIT_SECONDS", 0.5)
    monkeypatch.setattr(store_module, "LONG_ATTEMPT_SECONDS", 0.1)
    tries = []

    def transaction() -> int:
        tries.append(1)
        if len(tries) == 2:
            threading.Event().wait(0.6)
        if len(tries) < 3:
            raise DatabaseAwayError("database x: the connection was closed")
        return 7

    assert store.retry(transaction) == 7


@ON_A_SERVER
def test_lost_connections_and_conflicts_are_told_from_other_errors(store: Store) -> None:
    with pytest.raises(DatabaseAwayError), store.write() as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(ConflictError), store.write() as connection:
        connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$")
    with pytest.raises(StorageError) as raised, store.write() as connection:
        connection.exec_driver_sql("SELECT 1 / 0")
    assert type(raised.value) is StorageError


@pytest.fixture
def impatient(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return a store whose writers may stop for a moment only."""
    monkeypatch.setattr(server, "MAX_IDLE_S", 0.1)
    store.engine.dispose()  # later connections have the limit
    return store


@ON_A_SERVER
def test_planning_is_done_by_one_worker_at_a_time(store: Store) -> None:
    taken = sa.text(f"SELECT pg_try_advisory_xact_lock({workers.PLANNING})")
    with store.write() as first:
        workers.lock_planning(first)
        with store.write() as second:
            assert second.scalar(taken) is False
    with store.write() as second:
        assert second.scalar(taken) is True


@ON_A_SERVER
def test_a_worker_that_has_stopped_does_not_keep_the_others_from_planning(impatient: Store) -> None:
    with pytest.raises(DatabaseAwayError), impatient.write() as stopped:  # noqa: PT012 - a commit fails, too
        workers.lock_planning(stopped)
        with impatient.write() as other:
            workers.lock_planning(other)
        stopped.scalar(sa.select(1))


@ON_A_SERVER
def test_a_worker_that_has_stopped_does_not_keep_the_others_from_its_rows(impatient: Store) -> None:
    with impatient.write() as connection:
        run = begin(connection)
    with pytest.raises(DatabaseAwayError), impatient.write() as stopped:  # noqa: PT012 - a commit fails, too
        workers.beat(stopped, run.worker_id)
        with impatient.write() as other:
            workers.beat(other, run.worker_id)
        stopped.scalar(sa.select(1))


def test_a_worker_knows_its_host_and_process(store: Store) -> None:
    with store.write() as connection:
        begin(connection)
        found = connection.execute(sa.select(table.c.host, table.c.process, table.c.ended_at)).one()
    assert tuple(found) == (socket.gethostname(), os.getpid(), None)


@ON_A_SERVER
def test_commands_that_must_be_alone_are_refused_while_workers_are_at_work(store: Store) -> None:
    workers.refuse_workers(store, SILENT_FOR, "nothing was pruned")
    with store.write() as connection:
        run = begin(connection)
        change(connection, run.worker_id, host="north", process=17)
    with pytest.raises(DatabaseInUseError, match=r"by 1 worker \(north:17\); nothing was pruned$"):
        workers.refuse_workers(store, SILENT_FOR, "nothing was pruned")
    with store.write() as connection:
        change(connection, run.worker_id, heartbeat_at=LONG_AGO)
    workers.refuse_workers(store, SILENT_FOR, "nothing was pruned")


@ON_A_SERVER
def test_the_status_lists_the_workers_at_work(store: Store) -> None:
    with store.write() as connection:
        left, at_work = begin(connection), begin(connection)
        workers.leave(connection, left.worker_id)
        change(connection, at_work.worker_id, host="north", process=17, heartbeat_at=LONG_AGO)
    with store.read() as connection:
        status = collect_status(connection, "x", None, HarvestConfig())
    assert [worker["process"] for worker in as_json(status)["workers"]] == [17]
    lines = as_text(status, datetime(2020, 1, 1, 0, 0, 5, tzinfo=UTC))
    assert "Workers (1)" in lines
    assert lines[lines.index("Workers (1)") + 2].split() == ["north:17", "run", "2", "5.0", "s"]
    assert [run.is_at_work for run in status.runs] == [True, False]
    assert "  1    user_depth  killed" in "\n".join(lines)
