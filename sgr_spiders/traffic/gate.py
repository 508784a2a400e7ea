"""The gate before the API: each request passes on the lane that is free first."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Final

from scrapy.exceptions import IgnoreRequest

from sgr_spiders.model import statistics
from sgr_spiders.model.exceptions import BlockedError, HarvestError, TokenEndedError, UnauthorisedError
from sgr_spiders.model.signals import hold_started, rate_learned
from sgr_spiders.soundcloud.answers import Answer, Kind
from sgr_spiders.traffic.extension import Extension
from sgr_spiders.traffic.lanes import LANE, ONLY_LANE, Lane, Lanes
from sgr_spiders.traffic.run_control import Abandoned, RunControl

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from scrapy import Request
    from scrapy.crawler import Crawler

    from sgr_spiders.traffic.response import ApiResponse

logger = logging.getLogger(__name__)

API_SLOT = "sgr-api"
"""The download slot of requests to the API. It has no delay, because the pace decides when they are sent."""

NOTICEABLE = 1.25
"""The ratio of two request rates from which on the difference is logged and stored."""

REACTION: Final = 20
"""Rounds of the event loop in which the middlewares have seen a response."""

LOOK_AGAIN: Final = 0.1
"""Seconds after which the end of a wait is looked at again: it may not have been known before."""

SENT: Final = "sgr_sent"
"""Meta key of the time (``time.monotonic``) at which a request was last sent."""

SUSPECT: Final = "sgr_suspect"
"""Meta key of a request at whose walk an earlier run stopped: a block may be about that walk only."""

KEY_ERRORS: Final = (UnauthorisedError, TokenEndedError)
"""Errors of authorisation that are about one key; all others end the run."""

_FAULTS = frozenset({Kind.LIMITED, Kind.RETRY, Kind.DISALLOWED, Kind.BLOCKED})
_UNDELAYED = frozenset({Kind.OK, Kind.FOUND, Kind.GONE, Kind.HIDDEN})


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A request in the queue: its only lane, if any, the lane that it was last sent on, and its turn."""

    only: str | None
    last: str | None
    turn: asyncio.Future[Lane]


class Gate(Extension):
    """Extension that sends the requests to the API one after the other, when the pace of a lane allows it.

    A request goes to the lane that is free first; if several are free, a retry goes to another one than
    before. It is the last step before the network and reads a 429 before the next request of that lane is
    sent, so none is sent in between. After a pause one request is sent alone; the others on its lane follow
    its good response. ``Gate.of(crawler)`` returns the gate.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._max_holds = settings.getint("RATE_LIMIT_MAX_HOLDS", 8)
        # Without a delay the downloader starts more transfers than CONCURRENT_REQUESTS_PER_DOMAIN: it
        # counts a transfer only when its task starts.
        self._max_in_flight = settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        self._queue: deque[_Waiting] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: dict[Lane, asyncio.Task[None]] = {}
        self._reactions: set[asyncio.Task[None]] = set()
        self._held = 0.0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Gate:
        return cls(crawler)

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have no response yet."""
        return sum(lane.in_flight for lane in self._lanes.all)

    @cached_property
    def _run(self) -> RunControl:
        # Extensions can find each other only after Scrapy has created all of them.
        control = RunControl.of(self._crawler)
        control.call_on_close(self.wake)
        return control

    @cached_property
    def _lanes(self) -> Lanes:
        return Lanes.of(self._crawler)

    async def send(self, request: Request, fetch: Callable[[], Awaitable[ApiResponse]]) -> ApiResponse:
        """Call *fetch* for *request* when its turn on a lane has come.

        Raises ``IgnoreRequest`` if the only lane that it may be sent on is out of use.
        """
        lane = await self._wait_for_lane(request)
        try:
            self._run.check()
            return await self._ask(lane, request, fetch)
        finally:
            self._release(lane)

    async def pass_by(self, request: Request) -> None:
        """Wait until a lane allows *request*, which is sent past the queue."""
        name = request.meta.get(LANE)
        usable = self._lanes.usable
        lane = next((one for one in usable if one.name == name), usable[0] if usable else None)
        if lane is not None:
            await self._wait_until(lane.pass_at)
            lane.note_sent(time.monotonic())
            request.meta[LANE] = lane.name
        self._run.check()

    async def wait_until_open(self, lane: Lane) -> None:
        """Wait for the end of a pause of *lane*; raise ``Abandoned`` if the run closes first."""
        await self._wait_until(lambda: lane.pace.open_at)

    def hold(self, lane: Lane, seconds: float, reason: str) -> None:
        """Pause the requests of *lane* for *seconds*, because the API refuses this client."""
        before = lane.pace.open_at
        lane.pause(seconds, is_refusal=True)
        moment, seconds = self._begin(lane, before, reason)
        logger.warning(
            "Refused: pausing %s until %s (%.1f s): %s", self._requests_of(lane), moment, seconds, reason
        )

    def end_pauses(self) -> None:
        """Count only the part of a pause that has passed, because the run ends."""
        for lane in self._lanes.all:
            left = lane.pace.open_at - time.monotonic()
            if left > 0:
                self._count_held(lane, -left)
            lane.note_state()

    def wake(self) -> None:
        """Assign lanes to the waiting requests, in their order; end their wait if the run closes."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        soonest = inf
        for waiting in list(self._queue):
            if not waiting.turn.done():
                soonest = min(soonest, self._serve(waiting))
            if waiting.turn.done():
                self._queue.remove(waiting)
        if soonest < inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, soonest - time.monotonic()), self.wake)

    async def _wait_for_lane(self, request: Request) -> Lane:
        turn: asyncio.Future[Lane] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(request.meta.get(ONLY_LANE), request.meta.get(LANE), turn))
        self.wake()
        lane = await turn
        request.meta[LANE] = lane.name
        return lane

    def _serve(self, waiting: _Waiting) -> float:
        """Assign a free lane to *waiting*, or return the time at which one will be free."""
        if self._run.closing:
            waiting.turn.set_exception(Abandoned("the run closes"))
            return inf
        lanes = [lane for lane in self._lanes.usable if waiting.only in {None, lane.name}]
        if not lanes:
            waiting.turn.set_exception(IgnoreRequest(f"lane {waiting.only} is out of use"))
            return inf
        now = time.monotonic()
        times = {lane: self._free_at(lane) for lane in lanes}
        free = [lane for lane in lanes if times[lane] <= now]
        if not free:
            return min(times.values())
        lane = min(free, key=lambda one: (one.name == waiting.last, times[one]))
        lane.in_flight += 1
        lane.is_alone = lane.pace.is_probing
        lane.note_sent(now)
        waiting.turn.set_result(lane)
        return inf

    def _free_at(self, lane: Lane) -> float:
        """Return when *lane* can send; ``inf`` until an event changes that. Get its token if necessary."""
        if lane.in_flight >= self._max_in_flight or lane in self._tasks or lane.keeper.is_renewing:
            return inf
        if not lane.keeper.is_fresh:
            self._tasks[lane] = asyncio.get_running_loop().create_task(self._authorise(lane))
            return inf
        return lane.next_at(len(self._queue))

    async def _authorise(self, lane: Lane) -> None:
        """Get a token for *lane*; take it out of use if its key is refused."""
        try:
            await lane.keeper.ensure_token()
        except Abandoned:
            # The run closes, and the queue with it.
            pass
        except HarvestError as error:
            self.note_failed(lane, error)
        except Exception as error:  # noqa: BLE001 - raised where requests wait for the token
            for waiting in self._queue:
                waiting.turn.set_exception(error)
            self._queue.clear()
        finally:
            del self._tasks[lane]
            self.wake()

    def note_failed(self, lane: Lane, error: HarvestError) -> None:
        """Take *lane* out of use if *error* is about its key, else stop the run."""
        if isinstance(error, KEY_ERRORS):
            self._lanes.lose(lane, error)
        else:
            self._run.stop(error)
        self.wake()

    def _release(self, lane: Lane) -> None:
        """Let the next request follow, once the middlewares have had time to begin a pause."""
        lane.in_flight -= 1
        lane.is_alone = False
        if lane.pace.is_probing:
            lane.is_reacting = True
            task = asyncio.get_running_loop().create_task(self._let_middlewares_react(lane))
            self._reactions.add(task)
            task.add_done_callback(self._reactions.discard)
        else:
            self.wake()

    async def _let_middlewares_react(self, lane: Lane) -> None:
        for _ in range(REACTION):
            await asyncio.sleep(0)
        lane.is_reacting = False
        self.wake()

    async def _wait_until(self, moment: Callable[[], float]) -> None:
        # A pause may begin or become longer meanwhile.
        while (left := moment() - time.monotonic()) > 0:
            await self._run.sleep(min(left, LOOK_AGAIN))
        self._run.check()

    async def _ask(
        self, lane: Lane, request: Request, fetch: Callable[[], Awaitable[ApiResponse]]
    ) -> ApiResponse:
        sent_at = request.meta[SENT] = time.monotonic()
        lane.count("requests")
        response = await fetch()
        self._learn(lane, response.answer, sent_at, is_suspect=request.meta.get(SUSPECT, False))
        self._learn_latency(lane, request, response)
        return response

    def _learn(self, lane: Lane, answer: Answer, sent_at: float, *, is_suspect: bool) -> None:
        if answer.kind is Kind.LIMITED:
            lane.count("limited")
            self._slow_down(lane, answer, sent_at)
        elif answer.kind is Kind.BLOCKED:
            if is_suspect:
                return
            # The edge blocks an address, not a key: another lane would get round the block.
            self._run.stop(BlockedError(f"the API blocks this client: {answer.reason}"))
        elif answer.kind not in _FAULTS:
            lane.note_passed(sent_at, time.monotonic())
            self._report_rate(lane)
            if answer.hold is not None:
                self._pause(lane, answer.hold, "no requests are left until then")

    def _learn_latency(self, lane: Lane, request: Request, response: ApiResponse) -> None:
        latency = request.meta.get("download_latency")
        # A refusal or an empty 200 is fast and does not indicate the API's load. Of all errors, only a
        # server error may make requests slower, by the time it took.
        if latency is not None and (response.answer.kind in _UNDELAYED or response.status >= 500):
            lane.pace.latency.note(latency, may_fall=response.status == 200)

    def _slow_down(self, lane: Lane, answer: Answer, sent_at: float) -> None:
        before, now = lane.pace.open_at, time.monotonic()
        begins = lane.note_refused(sent_at, now, answer.hold)
        if lane.pace.pauses_in_a_row > self._max_holds:
            pauses = f"{self._max_holds} rate-limit pauses in a row without a good response"
            self._lanes.lose(lane, BlockedError(f"{pauses}, last {answer.reason}"), "throttled")
        elif begins:
            self._announce(lane, before, answer.reason)
        else:
            self._extend(lane, before, answer.reason)

    def _pause(self, lane: Lane, seconds: float, reason: str) -> None:
        before = lane.pace.open_at
        lane.pause(seconds, is_refusal=False)
        self._announce(lane, before, reason)

    def _announce(self, lane: Lane, before: float, reason: str) -> None:
        """Log and count a rate-limit pause that has begun."""
        moment, seconds = self._begin(lane, before, reason)
        logger.warning(
            "Rate limit: pausing %s until %s (%.1f s): %s", self._requests_of(lane), moment, seconds, reason
        )

    def _requests_of(self, lane: Lane) -> str:
        return f"lane {lane.name}" if len(self._lanes.all) > 1 else "all requests"

    def _begin(self, lane: Lane, before: float, reason: str) -> tuple[str, float]:
        """Count a pause that has begun, and return its end as text, and its length."""
        self._crawler.stats.inc_value(statistics.HOLDS)
        lane.count("holds")
        self._extend(lane, before, reason)
        seconds = lane.pace.open_at - time.monotonic()
        moment = datetime.fromtimestamp(time.time() + seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return moment, seconds

    def _extend(self, lane: Lane, before: float, reason: str) -> None:
        """Count and signal the pause beyond *before*, its previous end."""
        now = time.monotonic()
        longer = lane.pace.open_at - max(before, now)
        if longer <= 0:
            return
        self._count_held(lane, longer)
        # Requests go on as long as any lane is open.
        open_at = _first_open(self._lanes.usable)
        if open_at > now:
            until = time.time() + open_at - now
            self._crawler.signals.send_catch_log(hold_started, until=until, reason=reason)

    def _count_held(self, lane: Lane, seconds: float) -> None:
        self._held += seconds
        self._crawler.stats.set_value(statistics.HOLD_SECONDS, round(self._held, 3))
        lane.count("hold_seconds", seconds)

    def _report_rate(self, lane: Lane) -> None:
        """Log and signal the learned rate if it differs noticeably from the one reported last."""
        rate, known = lane.pace.rate.value or inf, lane.known_rate or inf
        if rate == known or 1 / NOTICEABLE < rate / known < NOTICEABLE:
            return
        lane.known_rate = lane.pace.rate.value
        word = "Lowered" if rate < known else "Raised"
        of_lane = f" of lane {lane.name}" if len(self._lanes.all) > 1 else ""
        logger.info(
            "%s the request rate%s to one every %.2f s, learned from rate limits",
            word, of_lane, lane.pace.interval,
        )  # fmt: skip
        self._crawler.signals.send_catch_log(rate_learned)


def _first_open(lanes: Sequence[Lane]) -> float:
    return min((lane.pace.open_at for lane in lanes), default=inf)
