"""The lanes of a run: one for each API key, with its token, pace, hold and state."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Final, Literal, Protocol

from sgr_spiders.model import statistics
from sgr_spiders.model.signals import lane_changed
from sgr_spiders.soundcloud.credentials_file import SETTING, named_credentials
from sgr_spiders.traffic.extension import Extension
from sgr_spiders.traffic.latency_delay import LatencyDelay
from sgr_spiders.traffic.pace import Pace
from sgr_spiders.traffic.run_control import RunControl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scrapy import Request
    from scrapy.crawler import Crawler

    from sgr_spiders.model.exceptions import HarvestError
    from sgr_spiders.soundcloud.tokens import Credentials
    from sgr_spiders.traffic.token_keeper import TokenKeeper

logger = logging.getLogger(__name__)

State = Literal["ok", "throttled", "refused", "revoked"]
"""``throttled``: in a rate-limit pause, or given up after too many; ``refused``: never accepted in this run;
``revoked``: accepted before, and refused now."""

LANE: Final = "sgr_lane"
"""Meta key of the name of the lane that a request was last sent on."""

ONLY_LANE: Final = "sgr_only_lane"
"""Meta key of the name of the only lane that a request may be sent on."""


class Slots(Protocol):
    """The times at which a worker may send requests on a lane that it shares with others.

    All times are in seconds of the monotonic clock. The pace of the lane shows what the workers share.
    """

    def next_at(self, waiting: int) -> float:
        """Return the next of these times, for *waiting* requests; ``inf`` until an event changes that."""

    def use(self) -> None:
        """Use the next of these times."""

    def settle(self, sent_at: float) -> None:
        """Record the first good response after a pause, for all workers."""

    def refuse(self, sent_at: float, named: float | None) -> None:
        """Record a refusal for rate, for all workers."""

    def pause(self, seconds: float, *, is_refusal: bool) -> None:
        """Record another pause, for all workers."""


class Lane:
    """One API key: its token, its pace, its requests in flight, and whether it is in use."""

    def __init__(self, crawler: Crawler, name: str, credentials: Credentials) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self.name = name
        self.credentials = credentials
        self._delay = settings.getfloat("DOWNLOAD_DELAY")
        self._latency = LatencyDelay.from_settings(settings)
        self._pauses = (settings.getfloat("RATE_LIMIT_BASE", 5.0), settings.getfloat("RATE_LIMIT_MAX", 900.0))
        self.pace = self.new_pace()
        self.slots: Slots | None = None
        """The times for requests, if other workers share the lane."""
        self.known_rate: float | None = None
        """The learned rate that was logged and stored last."""
        self.in_flight = 0
        """Requests that were sent and have no response yet."""
        self.is_alone = False
        """True while a request is in flight that must be alone: the first after a pause."""
        self.is_reacting = False
        """True while the middlewares may begin a pause because of the last response."""
        self._counts: dict[str, float] = defaultdict(int)
        self.error: HarvestError | None = None
        """The reason for which the lane is out of use in this run."""
        self._lost_as: State = "ok"
        self.keeper: TokenKeeper
        """Its token; the authorisation middleware sets it."""

    @property
    def is_usable(self) -> bool:
        """True as long as requests may be sent on this lane."""
        return self.error is None

    @property
    def state(self) -> State:
        """The state of the lane now."""
        if self.error is None and self.pace.open_at > time.monotonic():
            return "throttled"
        return self._lost_as

    @property
    def is_named(self) -> bool:
        """True if the credentials come from a file of named ones."""
        return bool(self._crawler.settings[SETTING])

    @property
    def token_name(self) -> str:
        """The name of a given access token, for messages."""
        return f"the access token of lane {self.name}" if self.is_named else "SOUNDCLOUD_ACCESS_TOKEN"

    @property
    def key_name(self) -> str:
        """The place of the client credentials, for messages."""
        entry = f"entry `{self.name}` of {SETTING}"
        return entry if self.is_named else "SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET"

    def lose(self, error: HarvestError, state: State) -> None:
        """Take the lane out of use because of *error*."""
        self.error, self._lost_as = error, state

    def resume_rate(self, interval: float, age: float) -> None:
        """Start with the *interval* between requests that an earlier run learned *age* seconds ago."""
        self.pace.rate.resume(interval, age)
        self.known_rate = self.pace.rate.value

    def count(self, what: str, value: float = 1) -> None:
        """Add to a statistic of the lane, if it has a name."""
        self._counts[what] += value
        if self.is_named:
            total = self._counts[what]
            self._crawler.stats.set_value(statistics.lane(self.name, what), round(total, 3))

    def note_state(self) -> None:
        """Set the statistic of the state, if the lane has a name."""
        if self.is_named:
            self._crawler.stats.set_value(statistics.lane(self.name, "state"), self.state)

    def new_pace(self) -> Pace:
        """Return another pace with the settings and the response times of this lane."""
        return Pace(self._delay, self._latency, self._pauses)

    def next_at(self, waiting: int) -> float:
        """Return when the next of *waiting* requests may be sent; ``inf`` until an event changes that."""
        return inf if self.is_alone or self.is_reacting else self.pass_at(waiting)

    def pass_at(self, waiting: int = 1) -> float:
        """Return the same for a request that need not wait for the response to another one."""
        if self.slots is None:
            return self.pace.next_at
        return max(self.pace.open_at, self.slots.next_at(waiting))

    def note_sent(self, now: float) -> None:
        """Record that a request is sent."""
        self.pace.note_sent(now)
        if self.slots is not None:
            self.slots.use()

    def note_passed(self, sent_at: float, now: float) -> None:
        """Record a good response to the request of *sent_at*."""
        was_probing = self.pace.is_probing
        self.pace.note_passed(sent_at, now)
        if self.slots is not None and was_probing and not self.pace.is_probing:
            self.slots.settle(sent_at)

    def note_refused(self, sent_at: float, now: float, named: float | None) -> bool:
        """Record a refusal for rate, and return whether it begins a pause; see ``Pace.note_refused``."""
        begins = self.pace.note_refused(sent_at, now, named)
        if self.slots is not None:
            self.slots.refuse(sent_at, named)
        return begins

    def pause(self, seconds: float, *, is_refusal: bool) -> None:
        """Begin a pause, because of a refusal that is not for rate, or because no requests are left."""
        now = time.monotonic()
        if is_refusal:
            self.pace.hold(now, seconds)
        else:
            self.pace.pause(now, seconds)
        if self.slots is not None:
            self.slots.pause(seconds, is_refusal=is_refusal)


class Lanes(Extension):
    """Extension that contains the lanes: those of ``SOUNDCLOUD_CREDENTIALS``, or the only one.

    A lane whose key is refused leaves the others working; the run stops when none is left.
    ``Lanes.of(crawler)`` returns it.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        named = named_credentials(crawler.settings)
        self.all: Sequence[Lane] = [Lane(crawler, name, key) for name, key in named.items()]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Lanes:
        return cls(crawler)

    @cached_property
    def _run(self) -> RunControl:
        return RunControl.of(self._crawler)

    @property
    def usable(self) -> list[Lane]:
        """The lanes that are in use."""
        return [lane for lane in self.all if lane.is_usable]

    @property
    def interval(self) -> float:
        """The mean seconds between two requests on all lanes that are in use."""
        intervals = [lane.pace.interval for lane in self.usable]
        return 0.0 if 0.0 in intervals or not intervals else 1 / sum(1 / one for one in intervals)

    @property
    def is_limited(self) -> bool:
        """True if the rate limit of any lane in use was met."""
        return any(lane.pace.rate.value is not None for lane in self.usable)

    def named(self, name: str) -> Lane:
        """Return the lane called *name*."""
        return next(lane for lane in self.all if lane.name == name)

    def of_request(self, request: Request) -> Lane:
        """Return the lane that *request* was last sent on."""
        return self.named(request.meta[LANE])

    def lose(self, lane: Lane, error: HarvestError, state: State | None = None) -> None:
        """Take *lane* out of use because of *error*; stop the run if no other is left.

        Without a *state*, the lane counts as revoked if its key was accepted before, else as refused.
        """
        if not lane.is_usable or self._run.closing:
            return
        lane.lose(error, state or ("revoked" if lane.keeper.was_accepted else "refused"))
        if len(self.all) == 1:
            self._run.stop(error)
            return
        left = self.usable
        logger.warning(
            "Lane %s is out of use (%s): %s; lanes left: %s",
            lane.name,
            lane.state,
            error,
            ", ".join(one.name for one in left) or "none",
        )
        self._crawler.signals.send_catch_log(lane_changed)
        if not left:
            self._run.stop(self._all_lost(error))

    def _all_lost(self, last: HarvestError) -> HarvestError:
        """Return the error for a run without a lane, of the kind of the *last* loss."""
        causes = "; ".join(f"{lane.name} ({lane.state}): {lane.error}" for lane in self.all)
        return type(last)(f"no API key is left: {causes}")
