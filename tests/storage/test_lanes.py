"""The lanes that workers share on a server: slots in a row, and pauses that hold all."""

from __future__ import annotations

import time
from itertools import pairwise
from math import inf
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.crawl.shared_lanes import SharedSlots, apply, pace_state
from sgr_spiders.soundcloud.tokens import Credentials
from sgr_spiders.storage import lanes
from sgr_spiders.storage.lanes import Key, SharedLanes
from sgr_spiders.storage.store import Store
from sgr_spiders.traffic.latency_delay import LatencyDelay
from sgr_spiders.traffic.pace import Pace
from tests import databases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

KEY = Key("https://api.example", Credentials("id", "secret").fingerprint)
NOTHING_LEARNED = 0, None


def new_pace(delay: float = 0.0) -> Pace:
    return Pace(delay, LatencyDelay(0.0, 1.0, 0.0), (5.0, 900.0))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(databases.url_of(tmp_path / "harvest.db"))
    with store.write() as connection:
        assert lanes.begin(connection, KEY, "anna") is None
    yield store
    store.close()


@pytest.fixture
def workers(store: Store) -> Iterator[list[SharedLanes]]:
    stores = [store, Store(store.url)]
    yield [SharedLanes(one, f"host {number}") for number, one in enumerate(stores)]
    stores[1].close()


def test_rate_and_state_are_kept(store: Store) -> None:
    with store.write() as connection:
        lanes.save_rate(connection, KEY, 2.5)
        lanes.save_state(connection, KEY, "revoked", "the API refuses it")
    with store.write() as connection:
        stored = lanes.begin(connection, KEY, "renamed")
    assert stored is not None
    assert stored.interval == 2.5
    assert 0 <= stored.age < 60
    with store.read() as connection:
        (lane,) = lanes.known(connection)
    assert (lane.name, lane.state, lane.reason, lane.held_until) == (
        "renamed",
        "revoked",
        "the API refuses it",
        None,
    )


@pytest.mark.postgresql("a file has one worker")
def test_slots_follow_each_other_whoever_takes_them(workers: list[SharedLanes]) -> None:
    slots = []
    for number in range(10):
        state, first = workers[number % 2].take(KEY, 2, 0.5, NOTHING_LEARNED)
        assert first is not None
        assert first >= state.now - 0.1
        slots += [first, first + 0.5]
    assert all(later - sooner == pytest.approx(0.5, abs=1e-3) for sooner, later in pairwise(slots))


@pytest.mark.postgresql("a file has one worker")
def test_a_pause_of_one_holds_all_and_one_request_goes_first(
    store: Store, workers: list[SharedLanes]
) -> None:
    first, second = workers
    state, sent = first.take(KEY, 1, 0.0, NOTHING_LEARNED)
    assert sent is not None
    after = apply(first, KEY, new_pace(), lambda pace, state: _refuse(pace, state.now, 30.0))
    assert after.held_until == pytest.approx(state.now + 30, abs=5)
    state, slot = second.take(KEY, 1, 0.0, NOTHING_LEARNED)
    assert slot is None
    assert (state.pauses_in_a_row, state.held_until) == (1, after.held_until)
    # The same refusal, which the other worker got a moment earlier, is not another one.
    apply(second, KEY, new_pace(), lambda pace, state: _refuse(pace, state.now - 10, None))
    assert second.look(KEY).pauses_in_a_row == 1

    with store.write() as connection:
        connection.exec_driver_sql("UPDATE lanes SET held_until = 0")
    state, probe = first.take(KEY, 1, 0.0, NOTHING_LEARNED)
    assert probe is not None
    assert second.take(KEY, 1, 0.0, NOTHING_LEARNED)[1] is None, "another worker's request is out alone"
    again, probe = first.take(KEY, 1, 0.0, NOTHING_LEARNED, state.probe_until)
    assert probe is not None, "its request was not sent, or got no response"
    assert again.probe_until > state.probe_until
    assert second.take(KEY, 1, 0.0, NOTHING_LEARNED, state.probe_until)[1] is None
    apply(first, KEY, new_pace(), lambda pace, state: pace.note_passed(state.now, state.now))
    assert second.take(KEY, 1, 0.0, NOTHING_LEARNED)[1] is not None


@pytest.mark.postgresql("a file has one worker")
def test_the_curve_of_the_rate_is_continued_by_any_worker(workers: list[SharedLanes]) -> None:
    pace = new_pace()
    apply(workers[0], KEY, pace, lambda pace, _state: pace.rate.resume(2.0, 0.0))
    state = workers[1].look(KEY)
    assert state.interval == 2.0
    for number in range(10):
        state = workers[number % 2].look(KEY)
        pace = new_pace()
        apply_state(pace, state)
        state, _ = workers[number % 2].take(KEY, 1, 0.0, (state.changes, pace.rate.interval))
    assert state.steps > 5
    assert state.interval is not None
    assert state.interval < 2.0
    # Whoever has read an earlier curve does not change it.
    unchanged, _ = workers[0].take(KEY, 1, 0.0, (state.changes - 1, 99.0))
    assert unchanged.interval == state.interval


class Here:
    """A thread of lanes that runs each statement at once, where it is called."""

    def __init__(self, door: SharedLanes) -> None:
        self.door = door

    def run(self, statement: Callable[[], tuple[Any, ...]], then: Callable[..., None]) -> None:
        then(*statement())


@pytest.mark.postgresql("a file has one worker")
@pytest.mark.parametrize(("interval", "statements"), [(0.0, 8), (0.01, 8), (0.05, 25), (0.5, 50)])
def test_a_slot_costs_one_statement_at_most(
    workers: list[SharedLanes], interval: float, statements: int
) -> None:
    lane = SimpleNamespace(pace=new_pace(interval), new_pace=lambda: new_pace(interval))
    slots = SharedSlots(Here(workers[0]), lane, KEY)  # type: ignore[arg-type]  # only what it uses
    slots.start()
    executed = []
    note: Callable[..., None] = lambda *arguments: executed.append(arguments[2])  # noqa: E731
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    for _ in range(50):
        until = time.monotonic() + 10
        while slots.next_at(8) == inf:
            assert time.monotonic() < until, "no slot came"
        slots.use()
    sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert len(executed) <= statements


def _refuse(pace: Pace, sent_at: float, named: float | None) -> None:
    pace.note_refused(sent_at, sent_at, named)


def apply_state(pace: Pace, state: lanes.SharedState) -> None:
    pace.restore(pace_state(state, 0.0))
