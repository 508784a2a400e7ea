"""The request rate that a server accepts, learned from its refusals."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

DECREASE: Final = 0.88
"""The factor by which a refusal lowers the rate."""

PLATEAU: Final = 34
"""Requests until the rate is back at the one that was refused, at least. A server that keeps its limit
refuses about one request per plateau, which is less than 5%."""

PLATEAU_SECONDS: Final = 60.0
"""Seconds that a plateau lasts at the rate at which it begins. Of 2 requests per second, one of 130 is
refused, of 50 one of 3,000."""

PROBE: Final = 4 / PLATEAU
"""The share of a plateau in which the rate then grows beyond it by as much as a refusal lowers it."""

MAX_GROWTH: Final = 4.0
"""The maximum ratio of the plateau to the rate at its start."""

SLOWEST: Final = 1 / 60
"""The slowest rate to learn, in requests per second."""

MAX_SILENCE: Final = 20.0
"""Seconds of a pause that count when the rate that has passed is measured. Long pauses, such as those until a
daily quota is renewed, say little about the rate."""

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class RateState:
    """All that a ``LearnedRate`` knows, to be stored and shared; ``interval`` is ``None`` without a limit."""

    interval: float | None = None
    start: float | None = None
    plateau: float = 0.0
    steps: int = 0
    began: float | None = None
    passed: int = 0
    refused_rate: float | None = None
    is_estimate_wrong: bool = False


class LearnedRate:
    """The learned rate in requests per second; ``value`` is ``None`` as long as nothing limits it.

    A refusal lowers the rate at once. From there it follows the curve of CUBIC (RFC 9438, sections 4.2 and
    4.7): quickly towards the refused rate, slowly around it, and then faster and faster to find a higher
    limit. The adaptive retry mode of the AWS SDKs uses the same curve for request rates (botocore,
    ``retries/throttling.py``), with a time constant in seconds, for hundreds of requests per second. This
    class has one of a minute, but of ``PLATEAU`` requests at least, for one request in many seconds.

    Requests that were refused soon after the previous refusal show that the estimate was wrong. Then the rate
    that has passed since is the new estimate, as the measured rate limits the estimate in botocore.

    All times are in seconds of a monotonic clock.
    """

    def __init__(self, ceiling: float = inf) -> None:
        """Start without a limit; a rate of twice *ceiling* or more, which is never sent, is no limit."""
        self.value: float | None = None
        self._ceiling = ceiling
        self._start = 0.0
        self._plateau = 0.0
        self._steps = 0
        # Since the last pause:
        self._began: float | None = None
        self._passed = 0
        # Since the first refusal of a row:
        self._refused_rate: float | None = None
        self._is_estimate_wrong = False

    @property
    def interval(self) -> float:
        """The seconds between two requests at this rate."""
        return 0.0 if self.value is None else 1 / self.value

    def resume(self, interval: float, age: float) -> None:
        """Start with an *interval* learned *age* seconds ago; each day of age doubles the rate.

        The limit may have risen since; if it has not, a refusal or two corrects the rate.
        """
        self._climb(2 ** min(age / DAY, 64.0) / interval, inf)
        self._forget_if_too_high()

    def state(self) -> RateState:
        """Return all that is known, for ``restore``."""
        return RateState(
            None if self.value is None else self.interval,
            self._start,
            self._plateau,
            self._steps,
            self._began,
            self._passed,
            self._refused_rate,
            self._is_estimate_wrong,
        )

    def restore(self, state: RateState) -> None:
        """Continue from *state*, in which others may have sent more requests."""
        self._began, self._passed = state.began, state.passed
        self._refused_rate, self._is_estimate_wrong = state.refused_rate, state.is_estimate_wrong
        if state.interval is None:
            self.value = None
        elif state.start is None:
            self._climb(1 / state.interval, inf)
        else:
            self._start, self._plateau, self._steps = state.start, state.plateau, state.steps
            self.value = 1 / state.interval if self._refused_rate is not None else self._curve()
            self._forget_if_too_high()

    def measure_from(self, now: float) -> None:
        """Count the requests that pass from *now* on."""
        self._began, self._passed = now, 0

    def note_sent(self, now: float) -> None:
        """Record that a request is sent."""
        if self._began is None:
            self._began = now

    def note_passed(self, *, on_time: bool) -> None:
        """Record a good response; *on_time*: its request was sent as early as the rate allowed."""
        self._passed += 1
        is_settled = self.value is not None and self._refused_rate is None
        # Requests that were sent later do not show that this rate passes.
        if is_settled and on_time:
            self._steps += 1
            self.value = self._curve()
            self._forget_if_too_high()

    def note_refused(self, interval: float) -> None:
        """Record a refusal of a request that was sent *interval* after the previous one."""
        if self._refused_rate is None:
            self._refused_rate = 1 / interval if interval else inf
            self._is_estimate_wrong = self.value is None or self._passed < PLATEAU // 2
        else:
            self._is_estimate_wrong = True
        if interval:
            self.value = max(DECREASE / interval, SLOWEST)

    def settle(self, now: float, paused_at: float) -> None:
        """Record the first good response after refusals, which began a pause at *paused_at*."""
        if self._refused_rate is None:
            # The pause was for another reason.
            return
        rate, refused_rate = self.value or inf, self._refused_rate
        if self._is_estimate_wrong:
            began = paused_at if self._began is None else self._began
            seconds = paused_at - began + min(now - paused_at, MAX_SILENCE)
            rate = min(rate, (self._passed + 1) / max(seconds, 0.001))
        if refused_rate < self._plateau:
            # CUBIC's fast convergence: the limit is falling.
            refused_rate *= (1 + DECREASE) / 2
        self._climb(max(rate, SLOWEST), refused_rate)
        self._began, self._passed, self._refused_rate = now, 0, None

    def _climb(self, rate: float, plateau: float) -> None:
        self.value = self._start = rate
        self._plateau = min(plateau, MAX_GROWTH * rate)
        self._steps = 0

    def _curve(self) -> float:
        length = max(PLATEAU, PLATEAU_SECONDS * self._start)
        left = 1 - self._steps / length
        if left > 0:
            return self._plateau - (self._plateau - self._start) * left**3
        beyond = (self._steps / length - 1) / PROBE
        return self._plateau * (1 + (1 - DECREASE) * beyond**3)

    def _forget_if_too_high(self) -> None:
        if self.value is not None and self.value >= 2 * self._ceiling:
            self.value = None
