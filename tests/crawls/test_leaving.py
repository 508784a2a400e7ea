"""Workers that leave a run: exactly one of them is the last."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.crawl.judging import Stop
from sgr_spiders.crawl.leaving import Leaving, Standing
from sgr_spiders.crawl.workers import Heartbeat
from sgr_spiders.model.outcome import Outcome
from sgr_spiders.storage.ledger import runs
from sgr_spiders.storage.schema import workers
from tests.crawls.test_planner import build_planner

if TYPE_CHECKING:
    from sgr_spiders.crawl.planner import Planner
    from sgr_spiders.storage.store import Store

pytestmark = pytest.mark.postgresql("a file has one worker")

LEASE_S = 120.0
FINISHED = Stop("finished", None, 0)
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def planners(store: Store) -> tuple[Planner, Planner]:
    """Return those of two workers on the same run."""
    both = build_planner("label_layer"), build_planner("label_layer")
    with store.write() as connection:
        for planner in both:
            planner.plan = replace(planner.plan, lease_seconds=LEASE_S)
            planner.start(connection)
            # As if it were another process: this one would take its own other workers for dead.
            connection.execute(sa.update(workers).values(process=os.getppid()))
    assert both[0].run.run_id == both[1].run.run_id
    return both


def test_of_workers_that_leave_at_the_same_time_one_is_the_last(
    store: Store, planners: tuple[Planner, Planner]
) -> None:
    first, second = (leaving(store, planner) for planner in planners)
    with ThreadPoolExecutor(1) as executor:
        with store.write() as connection:
            earlier = first.give_back(connection, FINISHED)
            beside = executor.submit(give_back, store, second)
            with store.read() as other:
                while not beside.done() and not other.exec_driver_sql(WAITING).scalar():
                    pass
        later = beside.result()
    assert (earlier, later) == (Standing(is_last=False), Standing(is_last=True))


def test_a_worker_that_looks_again_sees_how_the_run_has_ended(
    store: Store, planners: tuple[Planner, Planner]
) -> None:
    first, second = (leaving(store, planner) for planner in planners)
    assert give_back(store, first) == Standing(is_last=False)
    assert give_back(store, second) == Standing(is_last=True)
    with store.write() as connection:
        runs.end_run(connection, planners[1].run, "partial", "some failed", 3, "{}")
    assert give_back(store, first) == Standing(is_last=False, ended=Outcome("partial", 3, "some failed"))


def test_a_worker_that_waits_is_the_last_if_the_other_has_died(
    store: Store, planners: tuple[Planner, Planner]
) -> None:
    first, second = (leaving(store, planner) for planner in planners)
    give_back(store, first)
    assert give_back(store, second) == Standing(is_last=True)
    # It dies while it relates.
    with store.write() as connection:
        silent = sa.update(workers).where(workers.c.worker_id == planners[1].run.worker_id)
        connection.execute(silent.values(heartbeat_at="2020-01-01T00:00:00.000000Z"))
    assert give_back(store, first) == Standing(is_last=True)


def leaving(store: Store, planner: Planner) -> Leaving:
    return Leaving(planner, Heartbeat(store, LEASE_S), lambda _: None)


def give_back(store: Store, worker: Leaving) -> Standing:
    with store.write() as connection:
        return worker.give_back(connection, FINISHED)
