"""The pace of one API key: the only place that decides when its next request may be sent."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from sgr_spiders.traffic.backoff import backoff
from sgr_spiders.traffic.learned_rate import LearnedRate, RateState

if TYPE_CHECKING:
    from sgr_spiders.traffic.latency_delay import LatencyDelay

LENGTHENING: Final = 4
"""The maximum ratio of the second pause in a row to the first: the request after a short one was perhaps a
little too early."""

ON_TIME: Final = 1.5
"""A request is on time if it follows the previous one within this many intervals."""


@dataclass(frozen=True, slots=True)
class PaceState:
    """All that the workers that share a lane must know of its pace. Times are in seconds of any clock."""

    open_at: float
    paused_at: float
    pauses_in_a_row: int
    rate: RateState


class Pace:
    """When the next request may be sent: after the current pause, and an interval after the last request.

    The interval is the longest of

    - ``delay``, which the configuration sets (`request_delay`),
    - the delay that the response times suggest (``LatencyDelay``),
    - the interval of the rate that the server accepts (``LearnedRate``).

    A pause begins with a refusal. After it, one request is sent alone (``is_probing``); the others follow its
    good response. All times are in seconds of a monotonic clock, so that a test can use its own.
    """

    def __init__(self, delay: float, latency: LatencyDelay, pauses: tuple[float, float]) -> None:
        """Start without a pause.

        Args:
            delay: the minimum seconds between two requests.
            latency: the delay by response times.
            pauses: the seconds of the first pause and of the longest one if a refusal names no time.
        """
        self.rate = LearnedRate(1 / delay if delay else inf)
        self.latency = latency
        self.pauses_in_a_row = 0
        self._delay = delay
        self._pauses = pauses
        self._sent_at = -inf
        self._is_on_time = False
        self._paused_at = -inf
        self._open_at = -inf

    @property
    def is_used(self) -> bool:
        """True once a request was sent."""
        return self._sent_at > -inf

    @property
    def interval(self) -> float:
        """The seconds between two requests."""
        return max(self.minimum_interval, self.rate.interval)

    @property
    def minimum_interval(self) -> float:
        """The seconds between two requests, whatever the server accepts."""
        return max(self._delay, self.latency.seconds)

    @property
    def open_at(self) -> float:
        """The end of the current or last pause."""
        return self._open_at

    @property
    def next_at(self) -> float:
        """The time from which the next request may be sent."""
        return max(self._open_at, self._sent_at + self.interval)

    @property
    def is_probing(self) -> bool:
        """True if the next request must be sent alone: nothing has passed since the last refusal."""
        return self.pauses_in_a_row > 0

    def state(self) -> PaceState:
        """Return all that others must know, for ``restore``."""
        return PaceState(self._open_at, self._paused_at, self.pauses_in_a_row, self.rate.state())

    def restore(self, state: PaceState) -> None:
        """Continue from *state*."""
        self._open_at, self._paused_at = state.open_at, state.paused_at
        self.pauses_in_a_row = state.pauses_in_a_row
        self.rate.restore(state.rate)

    def note_sent(self, now: float) -> None:
        """Record that a request is sent."""
        self._is_on_time = now - self._sent_at <= ON_TIME * self.interval
        self._sent_at = now
        self.rate.note_sent(now)

    def note_passed(self, sent_at: float, now: float) -> None:
        """Record a good response to the request of *sent_at*."""
        if sent_at >= self._paused_at and self.pauses_in_a_row:
            self.pauses_in_a_row = 0
            self.rate.settle(now, self._paused_at)
        else:
            self.rate.note_passed(on_time=self._is_on_time)

    def note_refused(self, sent_at: float, now: float, named: float | None) -> bool:
        """Record a refusal for rate of the request of *sent_at*; return whether it begins a pause.

        Args:
            sent_at: when the request was sent.
            now: the current time.
            named: the seconds that the response asks to wait, if any.
        """
        if sent_at < self._paused_at:
            # The same limit, possibly with a later end.
            self._open_at = max(self._open_at, now + (named or 0.0))
            return False
        self.pauses_in_a_row += 1
        was_known = self.rate.value is not None
        self.rate.note_refused(self.interval)
        self.pause(now, named or self._pause_length(was_known=was_known))
        return True

    def hold(self, now: float, seconds: float) -> None:
        """Begin a pause because of a refusal that is not for rate; one request goes first after it."""
        self.pauses_in_a_row += 1
        self.pause(now, seconds)

    def pause(self, now: float, seconds: float) -> None:
        """Begin a pause, which does not change the rate."""
        self._paused_at = now
        self._open_at = max(self._open_at, now + seconds)

    def _pause_length(self, *, was_known: bool) -> float:
        # A refusal is how a known rate finds its limit again, so the next interval is pause enough.
        if was_known and self.pauses_in_a_row == 1:
            return self.interval
        long = backoff(self.pauses_in_a_row, *self._pauses)
        if self.pauses_in_a_row == 2:
            return min(long, LENGTHENING * (self._open_at - self._paused_at))
        return long
