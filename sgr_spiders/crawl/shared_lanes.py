"""The lanes that several workers share through a database server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import socket
import threading
import time
from collections import deque
from dataclasses import replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Final

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.lanes import SharedLanes, SharedState
from sgr_spiders.traffic.gate import Gate
from sgr_spiders.traffic.lanes import Lanes
from sgr_spiders.traffic.learned_rate import RateState
from sgr_spiders.traffic.pace import Pace, PaceState
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from collections.abc import Callable

    Event = Callable[[Pace, SharedState], None]
    """A change of a pace, which is that of the state."""

    from scrapy.crawler import Crawler

    from sgr_spiders.storage.lanes import Key
    from sgr_spiders.storage.store import Store
    from sgr_spiders.traffic.lanes import Lane

MAX_SLOTS: Final = 8
"""The most slots to take at once."""

HORIZON: Final = 0.1
"""Seconds within which the slots taken at once must be: a refusal that another worker gets ends them late."""

FAR: Final = 0.25
"""Seconds after which a slot is used only if no pause has begun since it was taken."""

LATE: Final = 0.1
"""Seconds after which a slot is too late, if the interval is not longer: other workers follow."""

MIN_POLL, MAX_POLL = 0.01, 0.1
"""Seconds between two looks while another worker's first request after a pause has no response: as long as
the interval between two requests, within these."""

IDLE: Final = 60.0
"""Seconds without a request after which a run restarts the measurement, and tests an old rate upwards."""


class LaneThread:
    """A thread that runs statements on the lanes in the order of the calls, apart from the writer's.

    While the server is away, it retries; then the run stops.
    """

    def __init__(self, crawler: Crawler, store: Store) -> None:
        self._crawler = crawler
        self._store = store
        self.door = SharedLanes(store, f"{socket.gethostname()} {os.getpid()}")
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="lanes", daemon=True)
        self._thread.start()

    def share(self, key_of: Callable[[Lane], Key]) -> None:
        """Let all lanes of the run take their slots from the database."""
        for lane in Lanes.of(self._crawler).all:
            slots = SharedSlots(self, lane, key_of(lane))
            lane.slots = slots
            slots.start()

    def run(
        self, statement: Callable[[], tuple[SharedState, float | None]], then: Callable[..., None]
    ) -> None:
        """Run *statement*, then call *then* with its results in the reactor's thread, and wake the gate."""
        loop = asyncio.get_running_loop()

        def work() -> None:
            try:
                results = self._store.retry(statement)
            except StorageError as error:
                _call(loop, partial(RunControl.of(self._crawler).stop, error))
            else:
                _call(loop, partial(self._end, then, results))

        self._jobs.put(work)

    def close(self) -> None:
        """End the thread after the statements so far."""
        self._jobs.put(None)

    def _end(self, then: Callable[..., None], results: tuple[SharedState, float | None]) -> None:
        then(*results)
        Gate.of(self._crawler).wake()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


class SharedSlots:
    """The slots of one lane that this worker has taken, and what it tells the other workers.

    The pace of the lane is a copy of what the database says. Events change it at once, and the database as
    soon as possible; until then no slot is used.
    """

    def __init__(self, thread: LaneThread, lane: Lane, key: Key) -> None:
        self._thread = thread
        self._lane = lane
        self._key = key
        self._slots: deque[float] = deque()
        self._jobs = 0
        self._ask_again_at = -inf
        self._must_look = False
        self._changes = -1
        self._probe_until = 0.0
        self._lead = 0.0
        """The lead of the server's clock over the monotonic clock."""

    def start(self) -> None:
        """Read the state; restart the measurement if no worker has used the lane lately."""
        self._tell(_restart)

    def next_at(self, waiting: int) -> float:
        now = time.monotonic()
        while self._slots and self._slots[0] + max(LATE, self._lane.pace.interval) < now:
            self._slots.popleft()
        if self._jobs:
            return inf
        if self._slots and not (self._must_look and self._slots[0] <= now):
            return self._slots[0]
        if self._slots:
            self._must_look = False
            self._run(lambda: (self._thread.door.look(self._key), None), self._note_looked)
        elif now < self._ask_again_at:
            return self._ask_again_at
        else:
            self._take(waiting)
        return inf

    def use(self) -> None:
        if self._slots:
            self._slots.popleft()

    def settle(self, sent_at: float) -> None:
        sent = sent_at + self._lead

        def event(pace: Pace, state: SharedState) -> None:
            # Another worker may have been refused since.
            if pace.is_probing and sent >= pace.state().paused_at:
                pace.note_passed(sent, state.now)

        self._tell(event)

    def refuse(self, sent_at: float, named: float | None) -> None:
        sent = sent_at + self._lead

        def event(pace: Pace, state: SharedState) -> None:
            pace.note_refused(sent, state.now, named)

        self._tell(event)

    def pause(self, seconds: float, *, is_refusal: bool) -> None:
        def event(pace: Pace, state: SharedState) -> None:
            if is_refusal:
                pace.hold(state.now, seconds)
            else:
                pace.pause(state.now, seconds)

        self._tell(event)

    def _take(self, waiting: int) -> None:
        pace = self._lane.pace
        minimum = pace.minimum_interval
        fitting = int(HORIZON / pace.interval) if pace.interval > 0 else MAX_SLOTS
        # After a pause, one request is sent alone.
        count = 1 if pace.is_probing else max(1, min(waiting, fitting, MAX_SLOTS))
        curve = self._changes, pace.rate.interval or None

        def note(state: SharedState, first: float | None) -> None:
            self._note(state)
            if first is None:
                poll = min(max(self._lane.pace.interval, MIN_POLL), MAX_POLL)
                self._ask_again_at = max(self._lane.pace.open_at, time.monotonic() + poll)
                return
            self._probe_until = state.probe_until
            step = max(minimum, state.interval or 0.0)
            self._slots.extend(first + number * step - self._lead for number in range(count))
            self._must_look = self._slots[0] - time.monotonic() > FAR

        door, key, mine = self._thread.door, self._key, self._probe_until
        self._run(lambda: door.take(key, count, minimum, curve, mine), note)

    def _tell(self, event: Event) -> None:
        """Apply *event* to the state in the database, after those of other workers."""
        pace = self._lane.new_pace()

        door, key = self._thread.door, self._key
        self._slots.clear()
        self._run(lambda: (apply(door, key, pace, event), None), lambda state, _first: self._note(state))

    def _note_looked(self, state: SharedState, _first: None) -> None:
        self._note(state)
        if self._lane.pace.is_probing or self._lane.pace.open_at > time.monotonic():
            # A pause has begun since the slots were taken.
            self._slots.clear()

    def _note(self, state: SharedState) -> None:
        self._lead = state.now - time.monotonic()
        self._changes = state.changes
        self._lane.pace.restore(pace_state(state, self._lead))

    def _run(
        self, statement: Callable[[], tuple[SharedState, float | None]], then: Callable[..., None]
    ) -> None:
        def end(state: SharedState, first: float | None) -> None:
            self._jobs -= 1
            then(state, first)

        self._jobs += 1
        self._thread.run(statement, end)


def apply(door: SharedLanes, key: Key, pace: Pace, event: Event) -> SharedState:
    """Apply *event* to the state of the lane *key*, with *pace* to compute with; return the new state."""
    while True:
        state = door.look(key)
        pace.restore(pace_state(state, 0.0))
        event(pace, state)
        new = _shared_state(pace.state(), state)
        learned_at = None if new.interval is None else timestamp()
        if door.change(key, new, learned_at, began_hold=new.held_until > state.held_until):
            return replace(new, changes=state.changes + 1)


def pace_state(state: SharedState, lead: float) -> PaceState:
    """Return the pace in *state*, on a clock that the server's has this *lead* over."""
    curve = state.curve
    began = curve.get("began")
    rate = RateState(
        state.interval,
        curve.get("start"),
        curve.get("plateau", 0.0),
        state.steps,
        None if began is None else began - lead,
        state.taken,
        curve.get("refused_rate"),
        curve.get("is_estimate_wrong", False),
    )
    paused_at = curve.get("paused_at", -inf)
    return PaceState(state.held_until - lead, paused_at - lead, state.pauses_in_a_row, rate)


def _shared_state(pace: PaceState, before: SharedState) -> SharedState:
    """Return the state with this *pace*, on the server's clock."""
    rate = pace.rate
    curve = {
        "start": rate.start,
        "plateau": rate.plateau,
        "began": rate.began,
        "refused_rate": rate.refused_rate,
        "is_estimate_wrong": rate.is_estimate_wrong,
        "paused_at": pace.paused_at,
    }
    return replace(
        before,
        held_until=max(pace.open_at, 0.0),
        pauses_in_a_row=pace.pauses_in_a_row,
        interval=rate.interval,
        taken=rate.passed,
        steps=rate.steps,
        curve=curve,
    )


def _restart(pace: Pace, state: SharedState) -> None:
    """Measure the rate from now on, and test a learned one upwards, the more the older it is.

    A lane that another worker has used lately stays as it is.
    """
    if state.now - state.next_slot < IDLE:
        return
    if state.interval is not None and state.age < -IDLE:
        # Learned in the future: a clock was wrong (see ``RateMemory``).
        pace.rate.restore(RateState())
    elif state.interval is not None:
        pace.rate.resume(state.interval, max(0.0, state.age))
    pace.rate.measure_from(state.now)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    """Call *function* in the reactor's thread, unless the reactor has stopped."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(function)
